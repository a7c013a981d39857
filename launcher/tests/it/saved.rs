//! A cluster with its data as one file, and a cluster made from it.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::time::Duration;

use shardlab::archive::Archive;
use shardlab::machine::wait::Deadline;
use shardlab::plan::{Options, PortChoice};
use shardlab::state::Home;
use shardlab::wire::slots::SlotRanges;
use shardlab::wire::{Epoch, NodeId};
use shardlab::{Cluster, Rung};

use crate::lab::{Lab, PATIENCE};

/// What must be the same afterwards: of each node its id, master, epoch and slots, by its own
/// words, and its shard's id, by its nodes.conf.
type Shape = BTreeMap<String, (NodeId, Option<NodeId>, Epoch, SlotRanges, Option<String>)>;

async fn shape(cluster: &Cluster) -> Shape {
    let survey = cluster.survey(Deadline::after(PATIENCE)).await;
    let shape = survey.selves().map(|(name, own)| {
        let path = cluster.node(name).unwrap().dir().join("nodes.conf");
        let text = std::fs::read_to_string(path).unwrap();
        let line = text
            .lines()
            .find(|line| line.starts_with(&*own.id))
            .unwrap();
        let shard = line.split("shard-id=").nth(1).map(|id| id[..40].to_owned());
        (
            name.to_owned(),
            (
                own.id.clone(),
                own.master.clone(),
                own.epoch,
                own.slots.clone(),
                shard,
            ),
        )
    });
    shape.collect()
}

async fn save(lab: &Lab, cluster: &Cluster) -> PathBuf {
    let lock = Home::at(lab.home())
        .lock(cluster.name(), Deadline::after(PATIENCE))
        .await
        .unwrap();
    let path = lab.home().join("saved.shardlab");
    let saved = cluster
        .save_locked(&lock, &path, true, &|_| {})
        .await
        .unwrap();
    assert_eq!(saved.length, std::fs::metadata(&path).unwrap().len());
    path
}

async fn set(cluster: &Cluster, node: &str, key: &str) {
    let reply = cluster
        .call(node, &["SET", key, key, "EX", "100000"])
        .await
        .unwrap();
    assert!(reply.as_error().is_none(), "{reply:?}");
}

async fn assert_has(cluster: &Cluster, node: &str, key: &str) {
    let reply = cluster.call(node, &["GET", key]).await.unwrap();
    assert_eq!(
        reply.as_text(),
        Some(key.as_bytes()),
        "{key} of {node}: {reply:?}"
    );
    let left = cluster
        .call(node, &["TTL", key])
        .await
        .unwrap()
        .as_integer();
    assert!(left > Some(0), "{key} has lost its time to live: {left:?}");
}

async fn swap_roles_of_the_first_shard(cluster: &Cluster) {
    let obeyed = cluster
        .call("r1", &["CLUSTER", "FAILOVER", "TAKEOVER"])
        .await
        .unwrap();
    assert!(obeyed.as_error().is_none(), "{obeyed:?}");
    cluster.wait_for(Rung::Ready, PATIENCE).await.unwrap();
    assert!(
        shape(cluster).await["n1"].1.is_some(),
        "n1 is a replica now"
    );
}

async fn saved_and_restored(persist: bool) {
    let lab = Lab::new();
    let options = Options {
        masters: 2,
        replicas: vec![1, 0],
        node_timeout: Duration::from_secs(1),
        ports: PortChoice::Auto,
        password: Some("it's \"secret\"".to_owned()),
        persist,
        ..Options::default()
    };
    let original = lab.cluster().options(options).start().await.unwrap();
    swap_roles_of_the_first_shard(&original).await;
    // Slots 3300 and 15495.
    for (node, key) in [("r1", "b"), ("n2", "a")] {
        set(&original, node, key).await;
    }
    let archive = Archive::open(&save(&lab, &original).await).unwrap();

    let copy = lab.cluster().archive(archive).start().await.unwrap();
    assert_eq!(shape(&copy).await, shape(&original).await);
    let home = Home::at(lab.home());
    let ports = |cluster: &Cluster| -> Vec<u16> {
        cluster
            .nodes()
            .iter()
            .map(|node| node.plan().port)
            .collect()
    };
    assert!(
        ports(&copy)
            .iter()
            .all(|port| !ports(&original).contains(port))
    );
    // Both are whole, and neither has heard of the other.
    for cluster in [&original, &copy] {
        assert_has(cluster, "r1", "b").await;
        assert_has(cluster, "n2", "a").await;
        cluster.wait_for(Rung::Ready, PATIENCE).await.unwrap();
    }

    // What was restored lasts as what was started.
    let mut copy = copy;
    let lock = home
        .lock(copy.name(), Deadline::after(PATIENCE))
        .await
        .unwrap();
    copy.stop_locked(&lock, &[]).await.unwrap();
    copy.start_locked(&lock, &[], Rung::Ready, Some(PATIENCE), |_| {})
        .await
        .unwrap();
    if persist {
        assert_has(&copy, "n2", "a").await;
    }
}

#[tokio::test]
async fn a_cluster_comes_back_elsewhere_with_all_that_it_was() {
    saved_and_restored(true).await;
}

#[tokio::test]
async fn a_cluster_that_keeps_its_data_in_memory_comes_back_with_it() {
    saved_and_restored(false).await;
}

#[tokio::test]
async fn saving_leaves_nothing_that_a_node_would_find_when_it_starts_anew() {
    let lab = Lab::new();
    let cluster = lab.cluster().masters(1).replicas(0).start().await.unwrap();
    set(&cluster, "n1", "a").await;
    let node = cluster.node("n1").unwrap();
    let files = || {
        let mut names: Vec<_> = std::fs::read_dir(node.dir())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    let before = files();
    save(&lab, &cluster).await;
    assert_eq!(files(), before);
}

/// Other systems have no files with such names.
#[cfg(target_os = "linux")]
#[test]
fn a_name_of_the_dump_that_is_not_text_is_kept() {
    let lab = Lab::new();
    let file = lab.home().join("named.shardlab");
    let file = file.to_str().unwrap();
    let name = r#"dbfilename="dump\xff.rdb""#;
    lab.up(&[
        "--masters",
        "1",
        "--replicas",
        "0",
        "--ephemeral",
        "--set",
        name,
    ]);
    lab.shardlab(["call", "SET", "a", "1"]).assert().success();
    lab.shardlab(["save", file, "-q"]).assert().success();
    lab.up(&["-n", "copy", "--from", file]);
    lab.shardlab(["call", "-n", "copy", "GET", "a"])
        .assert()
        .success()
        .stdout_eq("\"1\"\n");
}

#[test]
fn a_stopped_cluster_is_packed_as_it_is() {
    let lab = Lab::new();
    let file = lab.home().join("stopped.shardlab");
    let file = file.to_str().unwrap();
    let report = lab.up(&["--masters", "1", "--replicas", "1"]);
    lab.shardlab(["call", "SET", "a", "1"]).assert().success();
    lab.shardlab(["stop", "-q"]).assert().success();
    let saved = lab.json(["save", file, "--json"]);
    assert_eq!(saved["has_password"], false);
    lab.shardlab(["save", file]).assert().code(2);
    lab.shardlab(["save", file, "--force", "-q"])
        .assert()
        .success();
    assert_eq!(
        std::fs::metadata(file).unwrap().permissions().mode() & 0o777,
        0o600
    );

    let copy = lab.up(&["-n", "copy", "--from", file]);
    assert_eq!(copy["nodes"][0]["id"], report["nodes"][0]["id"]);
    lab.shardlab(["call", "-n", "copy", "GET", "a"])
        .assert()
        .success()
        .stdout_eq("\"1\"\n");
    // There is one of that name already; and a private one for a command.
    lab.shardlab(["up", "-n", "copy", "--from", file])
        .assert()
        .code(2);
    lab.shardlab([
        "run",
        "-q",
        "--from",
        file,
        "--",
        env!("CARGO_BIN_EXE_shardlab"),
        "call",
        "GET",
        "a",
    ])
    .assert()
    .success()
    .stdout_eq("\"1\"\n");
}

#[test]
fn an_archive_replaces_regular_files_only_and_none_of_a_cluster() {
    let lab = Lab::new();
    let files = tempfile::tempdir().unwrap();
    let file = |name: &str| files.path().join(name);
    let report = lab.up(&["--masters", "1", "--replicas", "0"]);
    lab.shardlab(["stop", "-q"]).assert().success();
    nix::unistd::mkfifo(&file("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    symlink("fifo", file("to-fifo")).unwrap();
    let folder = lab.home().join("default");
    symlink(&folder, file("to-folder")).unwrap();
    let node = PathBuf::from(report["nodes"][0]["dir"].as_str().unwrap());
    let record = std::fs::read(folder.join("cluster.json")).unwrap();
    for (path, words) in [
        (file("fifo"), "it is a FIFO, not a regular file"),
        (file("to-fifo"), "it is a FIFO, not a regular file"),
        (files.path().to_owned(), "it is a directory"),
        (folder.join("cluster.json"), "its own files there"),
        (file("to-folder").join("new"), "its own files there"),
        (node.join("node.conf"), "its own files there"),
        (lab.home().join(".ports.lock"), "its own files there"),
        (file("none").join("new"), "No such file"),
    ] {
        let save = ["save", "--force", path.to_str().unwrap()];
        let output = lab.shardlab(save).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{save:?}: {errors}");
        assert!(errors.contains("cannot save to"), "{save:?}: {errors}");
        assert!(errors.contains(words), "{save:?}: {errors}");
    }
    assert_eq!(std::fs::read(folder.join("cluster.json")).unwrap(), record);
    assert!(!file("fifo").symlink_metadata().unwrap().is_file());

    std::fs::write(file("old"), "").unwrap();
    symlink("old", file("latest")).unwrap();
    let latest = file("latest");
    let saved = lab.json(["save", "--force", "--json", latest.to_str().unwrap()]);
    assert!(latest.is_symlink(), "the link leads to the archive");
    assert_eq!(
        saved["file_bytes"],
        std::fs::metadata(file("old")).unwrap().len()
    );
}

#[test]
fn options_that_contradict_the_archive_are_named() {
    let lab = Lab::new();
    let file = lab.home().join("one.shardlab");
    let file = file.to_str().unwrap();
    lab.up(&["--masters", "1", "--replicas", "0"]);
    lab.shardlab(["save", file, "-q"]).assert().success();
    for (option, complaint) in [
        ("--masters=2", "it has 1 master"),
        ("--replicas=1", "it has other replicas"),
        ("--ephemeral", "it keeps its data in another way"),
        (
            "--set=appendfilename=x.aof",
            "its `appendfilename` is another one",
        ),
        ("--boot=seeded", "cannot be used with"),
        ("--ports=9001,9002", "names 2 ports, but the cluster has 1"),
    ] {
        let output = lab
            .shardlab(["up", "-n", "other", "--from", file, option])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{option}: {text}");
        assert!(text.contains(complaint), "{option}: {text}");
    }
    assert!(!lab.home().join("other").exists());
}

#[test]
fn a_restore_that_is_killed_leaves_nothing_that_down_does_not_find() {
    let lab = Lab::new();
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("sound.shardlab");
    let file = file.to_str().unwrap();
    lab.up(&["--masters", "2", "--replicas", "0"]);
    lab.shardlab(["save", file, "-q"]).assert().success();
    lab.shardlab(["down", "-q"]).assert().success();
    let moments: [fn(&Lab) -> bool; 3] = [
        |lab| lab.home().join("default/cluster.json").exists(),
        |lab| !lab.processes().is_empty(),
        |lab| lab.processes().len() >= 2,
    ];
    for moment in moments {
        lab.kill_when(&["up", "--port", "auto", "--from", file], moment);
        lab.shardlab(["down", "-q"]).assert().success();
        lab.assert_empty();
    }
}

#[test]
fn a_watched_set_comes_back_with_the_master_that_it_had() {
    let lab = Lab::new();
    let file = lab.home().join("set.shardlab");
    let file = file.to_str().unwrap();
    lab.up(&[
        "--topology",
        "sentinel",
        "--replicas",
        "1",
        "--down-after",
        "1s",
    ]);
    // A failover that is asked for too early is refused.
    lab.shardlab(["wait", "--for", "ready", "--timeout", "120s"])
        .assert()
        .success();
    lab.shardlab(["call", "s1", "SENTINEL", "FAILOVER", "mymaster"])
        .assert()
        .success();
    let moved = [
        "wait",
        "--for",
        "r1=master",
        "--for",
        "n1=replica",
        "--for",
        "ready",
    ];
    lab.shardlab(moved)
        .args(["--timeout", "120s"])
        .assert()
        .success();
    lab.shardlab(["call", "r1", "SET", "a", "1"])
        .assert()
        .success();
    lab.shardlab(["save", file, "-q"]).assert().success();

    let copy = lab.up(&["-n", "copy", "--from", file]);
    let roles: Vec<_> = copy["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["role"].as_str().unwrap())
        .collect();
    assert_eq!(
        roles,
        ["replica", "master", "sentinel", "sentinel", "sentinel"]
    );
    assert_eq!(copy["rung"], "ready");
    for node in ["n1", "r1"] {
        lab.shardlab(["call", "-n", "copy", node, "GET", "a"])
            .assert()
            .success()
            .stdout_eq("\"1\"\n");
    }
}
