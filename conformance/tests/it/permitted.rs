//! With permission: cases that change slots, roles and processes run on somebody's cluster, which is afterwards as it
//! was, also if the run is dropped half-way.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::stat::Mode;
use shardlab::Cluster;
use shardlab::machine::environment::Environment;
use shardlab::machine::wait::{Deadline, next_round};
use shardlab::plan::{Options, PortChoice, Topology};
use shardlab_conformance::run::result::Verdict;
use shardlab_conformance::run::{Limits, Runner, Subject, Wanted};
use shardlab_conformance::suite::{Origin, load, parse_case};
use shardlab_conformance::system::attached::Permission;

use crate::attach::picture;

/// Cases that leave behind, in this order: an open slot with a key at its target, a slot without an owner, a slot of
/// another owner, a dead master whose replica has taken over.
const CASES: [&str; 4] = ["ASK-07", "MOV-17", "SEED-401", "AFO-01"];

/// A case that never comes to its end.
const ENDLESS: &str = "id: TST-01\ntitle: t\nlevel: may\nneeds: admin\ntopology: 3 masters\n\n\
    n2> SET {c}1 1\nOK\n\nn2> CLUSTER SETSLOT 7365 MIGRATING <n1.id>\nOK\n\nwithin 60s\n  n2> PING\n  NEVER\n";

/// What the cluster is like, but for its epochs.
async fn seen(cluster: &Cluster) -> Vec<String> {
    let epoch = |line: String| {
        let fields: Vec<_> = line.split(' ').collect();
        match fields.as_slice() {
            [id, address, flags, master, _, rest @ ..] if id.len() == 40 => {
                [&[*id, *address, *flags, *master], rest].concat().join(" ")
            }
            _ => line.clone(),
        }
    };
    picture(cluster).await.into_iter().map(epoch).collect()
}

/// Whether the slot of [`ENDLESS`] is open, at two looks: a replica may show it before its master has opened it.
async fn is_open(cluster: &Cluster) -> bool {
    let open = |seen: Vec<String>| seen.iter().any(|line| line.contains("[7365->-"));
    open(seen(cluster).await) && open(seen(cluster).await)
}

/// Asserts that the cluster is as it was; nodes may suspect each other for a moment.
async fn assert_is(cluster: &Cluster, before: &[String]) {
    let deadline = Deadline::after(Duration::from_secs(30));
    while seen(cluster).await != before && !deadline.passed() {
        next_round(Duration::from_millis(50), deadline).await;
    }
    assert_eq!(seen(cluster).await, before);
}

/// A program that passes on what it is told to whoever reads `asked`, and waits for the answer.
fn control(folder: &Path) -> String {
    for fifo in ["asked", "answer"] {
        nix::unistd::mkfifo(&folder.join(fifo), Mode::S_IRWXU).unwrap();
    }
    let program = folder.join("control");
    let script = "#!/bin/sh\ncd \"${0%/*}\" && echo \"$@\" >asked && read -r answer <answer && [ \"$answer\" = done ]\n";
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program.display().to_string()
}

/// Does what the program is told, until it is told to end.
async fn obey(cluster: Arc<Cluster>, folder: std::path::PathBuf) -> Vec<String> {
    let mut told = Vec::new();
    loop {
        let (asked, answer) = (folder.join("asked"), folder.join("answer"));
        let read = move || {
            let mut line = String::new();
            BufReader::new(fs::File::open(asked).unwrap())
                .read_line(&mut line)
                .unwrap();
            line
        };
        let line = tokio::task::spawn_blocking(read).await.unwrap();
        let words: Vec<_> = line.split_whitespace().collect();
        let [action, address, ..] = *words.as_slice() else {
            return told;
        };
        let node = cluster
            .nodes()
            .iter()
            .find(|node| node.address().to_string() == address);
        let node = node.unwrap();
        match action {
            "kill" => node.kill().await.unwrap(),
            "start" => node.start_without_waiting().unwrap(),
            other => panic!("{other}"),
        }
        told.push(words.join(" ").replace(address, node.name()));
        let write = move || writeln!(fs::File::create(answer).unwrap(), "done").unwrap();
        tokio::task::spawn_blocking(write).await.unwrap();
    }
}

async fn runner(cluster: &Cluster, control: String) -> Arc<Runner> {
    let limits = Limits::default();
    let wanted = Wanted {
        attach: Some(cluster.nodes().last().unwrap().address().to_string()),
        permission: Permission::Admin,
        control: Some(control),
        ..Wanted::default()
    };
    let environment = Environment::of_process();
    let subject = Subject::open(&wanted, &environment, limits.read, &|_| {});
    Arc::new(Runner::new(subject.await.unwrap()).limits(limits))
}

async fn are_put_back() {
    let options = Options {
        masters: 3,
        replicas: vec![1],
        ports: PortChoice::Auto,
        persist: false,
        node_timeout: Duration::from_millis(500),
        ..Options::of(Topology::Cluster)
    };
    let cluster = Cluster::builder().options(options).start().await.unwrap();
    let cluster = Arc::new(cluster);
    for node in cluster.nodes() {
        let _ = node.call(&["SET", "foreign", "1"]).await; // only its owner takes it
    }
    let folder = tempfile::tempdir().unwrap();
    let control = control(folder.path());
    let obeying = tokio::spawn(obey(Arc::clone(&cluster), folder.path().to_owned()));
    let before = seen(&cluster).await;

    let cases = load(&Origin::Embedded).unwrap().into_iter();
    let cases = cases.filter(|case| CASES.contains(&case.id())).collect();
    let run = runner(&cluster, control.clone()).await;
    let run = run.run(cases, 4, Duration::from_secs(300), |_| {});
    for case in run.await.cases {
        assert_eq!(case.verdict, Verdict::Pass, "{}", case.id);
    }
    assert_is(&cluster, &before).await;

    let endless = parse_case("a/never_ends.resp".to_owned(), ENDLESS.as_bytes()).unwrap();
    let runner = runner(&cluster, control).await;
    let open = async {
        let deadline = Deadline::after(Duration::from_secs(30));
        while !is_open(&cluster).await && !deadline.passed() {
            next_round(Duration::from_millis(20), deadline).await;
        }
    };
    tokio::select! {
        result = runner.case(&endless) => panic!("{result:?}"),
        () = open => {}
    }
    assert!(is_open(&cluster).await);
    assert!(runner.has_changed_more_than_keys());
    assert_eq!(runner.clean_up().await, Ok(()));
    assert_is(&cluster, &before).await;

    let end = folder.path().join("asked");
    tokio::task::spawn_blocking(|| fs::write(end, "\n").unwrap())
        .await
        .unwrap();
    assert_eq!(obeying.await.unwrap(), ["kill n2 KILL", "start n2"]);
}

#[test]
fn slots_roles_and_processes_are_put_back() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let outcome = runtime.block_on(async { tokio::spawn(are_put_back()).await });
    // If it failed, nobody writes any more what a thread is waiting to read.
    runtime.shutdown_background();
    outcome.unwrap();
}
