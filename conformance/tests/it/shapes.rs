//! On genuine clusters of any shape no case departs, enough cases run, and everything is left as it was. A long
//! campaign tries seven shapes: as they are started, after a failover, with keys of others, while a slot is open.

use std::sync::Arc;
use std::time::Duration;

use shardlab::Cluster;
use shardlab::cluster::routing::Router;
use shardlab::failover;
use shardlab::machine::environment::Environment;
use shardlab::machine::wait::Deadline;
use shardlab::plan::{Options, PortChoice, Topology};
use shardlab::wire::resp::escape;
use shardlab::wire::slots::SlotRanges;
use shardlab_conformance::run::result::{RunResult, Verdict};
use shardlab_conformance::run::{Limits, Runner, Subject, Wanted};
use shardlab_conformance::suite::{Origin, load};

use crate::attach::picture;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many keys of others there are.
const KEYS: usize = 1000;

/// A shape, and how many cases are to run on it at least.
fn shapes() -> Vec<(&'static str, Options, usize)> {
    let options = |masters, replicas| Options {
        masters,
        replicas: vec![replicas],
        ports: PortChoice::Auto,
        persist: false,
        node_timeout: Duration::from_secs(2),
        ..Options::of(Topology::Cluster)
    };
    let slots = |slots: Vec<SlotRanges>, replicas| Options {
        slots: Some(slots.clone()),
        ..options(slots.len(), replicas)
    };
    let other = ["0-5461", "5462-10922", "10923-16383"];
    let other = other.map(|slots| slots.parse().unwrap());
    // Every other piece of 400 slots, but the last ends with the last slot.
    let piece = |number: u16| {
        let end = if number == 39 {
            16383
        } else {
            number * 400 + 399
        };
        format!("{}-{end}", number * 400)
    };
    let half = |first: u16| {
        let pieces: Vec<_> = (first..40).step_by(2).map(piece).collect();
        pieces.join(",").parse().unwrap()
    };
    vec![
        ("1 master", options(1, 0), 40),
        ("3 + 0", options(3, 0), 60),
        ("3 + 1 each", options(3, 1), 60),
        ("3 + 2 each", options(3, 2), 60),
        ("4 + 1 each", options(4, 1), 60),
        (
            "0-5461 5462-10922 10923-16383",
            slots(other.to_vec(), 1),
            60,
        ),
        ("2 masters, 40 ranges", slots(vec![half(0), half(1)], 1), 60),
    ]
}

#[expect(
    clippy::disallowed_methods,
    reason = "which server is tested, and how long"
)]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// `SHARDLAB_SERVER` says which server. `just attach-matrix SERVER` sets `SHARDLAB_SHAPES`, for the whole campaign;
/// without it there is one run, on the shape in which slots lie oddest.
#[test]
fn genuine_clusters_do_not_depart() {
    tell("shape                          when            ran  skipped  departed  as before");
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let whole = setting("SHARDLAB_SHAPES").is_some();
        let mut shapes = shapes();
        let oddest = shapes.split_off(shapes.len() - 1);
        let shapes = if whole {
            [shapes, oddest].concat()
        } else {
            oddest
        };
        let mut faults = Vec::new();
        for (shape, options, least) in shapes {
            faults.extend(of_shape(shape, options, least, whole).await);
        }
        assert!(faults.is_empty(), "{faults:#?}");
    });
}

async fn of_shape(shape: &str, options: Options, least: usize, whole: bool) -> Vec<String> {
    let mut builder = Cluster::builder().options(options);
    if let Some(server) = setting("SHARDLAB_SERVER") {
        builder = builder.server(server);
    }
    let cluster = builder.start().await.unwrap();
    let mut faults = row(shape, "as started", &cluster, least).await;
    if !whole {
        return faults;
    }
    if cluster
        .nodes()
        .iter()
        .any(|node| node.name().starts_with('r'))
    {
        let request = failover::Request::default();
        cluster.failover("n1", request, |_| {}).await.unwrap();
        faults.extend(row(shape, "failed over", &cluster, least).await);
    }
    for number in 0..KEYS {
        let (key, value) = (format!("foreign:{number}"), number.to_string());
        let set = ["SET", &key, &value];
        let (_, reply) = Router::new(&cluster)
            .call(&set, Deadline::after(PATIENCE))
            .await
            .unwrap();
        assert_eq!(reply.as_error(), None);
    }
    faults.extend(row(shape, "1000 keys", &cluster, least).await);
    if let Some((source, target)) = ends(&cluster).await {
        for (node, other, direction) in [
            (&target, &source, "IMPORTING"),
            (&source, &target, "MIGRATING"),
        ] {
            let id = cluster.call(other, &["CLUSTER", "MYID"]).await.unwrap();
            let id = String::from_utf8_lossy(id.as_text().unwrap()).into_owned();
            let set = ["CLUSTER", "SETSLOT", "16383", direction, &id];
            let reply = cluster.call(node, &set).await.unwrap();
            assert_eq!(reply.as_error(), None);
        }
        // Cases about all nodes are skipped.
        faults.extend(row(shape, "an open slot", &cluster, least / 2).await);
    }
    faults
}

/// The master of the last slot, and another one.
async fn ends(cluster: &Cluster) -> Option<(String, String)> {
    let mut masters = Vec::new();
    for node in cluster.nodes() {
        let role = node.call(&["ROLE"]).await.unwrap();
        let role = role
            .as_array()
            .unwrap()
            .first()
            .and_then(|role| role.as_text());
        if role == Some(b"master") {
            masters.push(node.name().to_owned());
        }
    }
    let mut owner = None;
    for name in &masters {
        let nodes = cluster.call(name, &["CLUSTER", "NODES"]).await.unwrap();
        let text = String::from_utf8_lossy(nodes.as_text().unwrap()).into_owned();
        let own = text
            .lines()
            .find(|line| line.contains("myself"))
            .unwrap_or_default();
        if own.ends_with("16383") {
            owner = Some(name.clone());
        }
    }
    let owner = owner?;
    let other = masters.into_iter().find(|name| *name != owner)?;
    Some((owner, other))
}

/// Runs all cases, and tells what came of it; gives what is wrong with that.
async fn row(shape: &str, when: &str, cluster: &Cluster, least: usize) -> Vec<String> {
    let before = everything(cluster).await;
    let result = run(cluster).await;
    let after = everything(cluster).await;
    let count = |wanted: fn(&Verdict) -> bool| {
        let cases = result.cases.iter();
        cases.filter(|case| wanted(&case.verdict)).count()
    };
    let skipped = count(|verdict| matches!(verdict, Verdict::Skipped(_)));
    let departed = count(|verdict| {
        !matches!(
            verdict,
            Verdict::Skipped(_) | Verdict::Pass | Verdict::Otherwise(_)
        )
    });
    let ran = result.cases.len() - skipped;
    let same = before == after;
    tell(&format!(
        "{shape:<30} {when:<14} {ran:>4}  {skipped:>7}  {departed:>8}  {}",
        if same { "yes" } else { "NO" }
    ));
    let mut faults = Vec::new();
    let fault = |what: String| format!("{shape}, {when}: {what}");
    for case in &result.cases {
        if case.verdict.fails() {
            let (id, word) = (case.id.as_str(), case.verdict.word());
            let told = match case.verdict.difference() {
                Some(difference) => difference.sentence(),
                None => case.verdict.message().unwrap_or_default(),
            };
            faults.push(fault(format!("{id} {word}: {told}")));
        }
    }
    if before.len() != after.len() {
        faults.push(fault(format!(
            "{} facts became {}",
            before.len(),
            after.len()
        )));
    }
    if ran < least {
        faults.push(fault(format!("{ran} cases ran")));
    }
    let changed = before
        .iter()
        .zip(&after)
        .filter(|(one, other)| one != other);
    faults.extend(
        changed
            .take(3)
            .map(|(one, other)| fault(format!("{one} became {other}"))),
    );
    faults
}

async fn run(cluster: &Cluster) -> RunResult {
    let wanted = Wanted {
        attach: Some(cluster.nodes().last().unwrap().address().to_string()),
        ..Wanted::default()
    };
    let (limits, environment) = (Limits::default(), Environment::of_process());
    let subject = Subject::open(&wanted, &environment, limits.read, &|_| {});
    let runner = Runner::new(subject.await.unwrap()).limits(limits);
    let cases = load(&Origin::Embedded).unwrap();
    Arc::new(runner)
        .run(cases, 1, Duration::from_secs(600), |_| {})
        .await
}

/// Settings, users, roles and slots, and all keys with their values.
async fn everything(cluster: &Cluster) -> Vec<String> {
    let mut everything = picture(cluster).await;
    for node in cluster.nodes() {
        let keys = node.call(&["KEYS", "*"]).await.unwrap();
        let keys = keys.as_array().unwrap_or_default().iter();
        let mut keys: Vec<_> = keys
            .filter_map(|key| Some(key.as_text()?.to_vec()))
            .collect();
        keys.sort();
        for key in keys {
            // A replica redirects.
            let value = node.call(&[&b"DUMP"[..], &key]).await.unwrap();
            everything.push(format!(
                "{} {} {}",
                node.name(),
                escape(&key),
                escape(&value.raw)
            ));
        }
    }
    everything
}

#[expect(clippy::print_stdout, reason = "who runs a campaign looks at it")]
fn tell(line: &str) {
    println!("{line}");
}
