//! Nodes that are killed, paused and restarted.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use redis::AsyncCommands as _;
use redis::cluster::ClusterClientBuilder;
use serde_json::Value;
use shardlab::failover::Step;
use shardlab::machine::wait::Deadline;
use shardlab::plan::{Options, PortChoice, Setting};
use shardlab::state::Home;

use crate::lab::{Lab, PATIENCE, wait_until};

const PAIR: [&str; 4] = ["--masters", "1", "--replicas", "1"];

fn node(lab: &Lab, index: usize) -> Value {
    lab.json(["status", "--json"])["nodes"][index].clone()
}

#[test]
fn a_node_is_named_by_the_beginning_of_its_id_also_when_it_is_stopped() {
    let lab = Lab::new();
    let report = lab.up(&PAIR);
    let id = report["nodes"][1]["id"].as_str().unwrap();
    lab.shardlab(["stop", &id[..10]]).assert().success();
    assert!(node(&lab, 1)["pid"].is_null());
    lab.shardlab(["start", &id[..10], "--timeout", "120s"])
        .assert()
        .success();
    assert!(node(&lab, 1)["pid"].is_i64());
    lab.shardlab(["stop", &id[..3]]).assert().code(2);

    lab.shardlab(["stop"]).assert().success();
    for (node, id) in [(0, "abcd1"), (1, "abcd2")] {
        let dir = report["nodes"][node]["dir"].as_str().unwrap();
        let line = format!("{id} 127.0.0.1:1@2 myself,master - 0 0 1 connected\n");
        std::fs::write(format!("{dir}/nodes.conf"), line).unwrap();
    }
    lab.shardlab(["kill", "abcd"]).assert().code(2).stderr_eq(
        "error: `abcd` is the beginning of several ids of the cluster `default`: `n1` abcd1, `r1` abcd2\n\nhint: give more digits, the node's name or its port\n",
    );
    lab.shardlab(["kill", "abcd2"])
        .assert()
        .code(3)
        .stderr_eq("error: node `r1` (port [..]) is not running\n\nhint: `shardlab start r1` starts it with its data\n");
}

#[tokio::test]
async fn kill_ends_a_node_also_while_another_command_is_at_work() {
    let lab = Lab::new();
    lab.up(&PAIR);
    let home = Home::at(lab.home());
    let name = "default".parse().unwrap();
    let lock = home.lock(&name, Deadline::after(PATIENCE)).await.unwrap();
    lab.shardlab(["kill", "r1"]).assert().success();
    assert!(node(&lab, 1)["pid"].is_null());
    lab.shardlab(["pause", "n1"]).assert().success();
    lab.shardlab(["resume", "n1"]).assert().success();
    drop(lock);
    lab.shardlab(["kill", "n1", "--signal", "sigterm"])
        .assert()
        .success();
    assert_eq!(lab.json(["status", "--json"])["state"], "down");
    lab.shardlab(["kill", "n1"]).assert().code(3);
    lab.shardlab(["kill", "n1", "--signal", "KLIL"])
        .assert()
        .code(2);
    // A node that was killed keeps its port, and what it was.
    lab.shardlab(["start", "--timeout", "120s"])
        .assert()
        .success();
    assert_eq!(node(&lab, 1)["master"], "n1");
}

#[test]
fn one_node_that_does_not_run_keeps_a_signal_from_all() {
    let lab = Lab::new();
    lab.up(&PAIR);
    lab.shardlab(["stop", "r1"]).assert().success();
    lab.shardlab(["kill", "n1", "r1"]).assert().code(3);
    lab.shardlab(["pause", "n1", "r1"]).assert().code(3);
    let n1 = node(&lab, 0);
    assert!(n1["pid"].is_i64() && n1["paused"] == false, "{n1}");
}

#[test]
fn a_paused_node_is_shown_and_goes_on_keeping_what_it_was_sent() {
    let lab = Lab::new();
    lab.up(&PAIR);
    lab.shardlab(["pause", "r1"]).assert().success();
    assert_eq!(node(&lab, 1)["paused"], true);
    let status = lab.shardlab(["status"]).output().unwrap();
    let status = String::from_utf8(status.stdout).unwrap();
    assert!(status.contains(" (paused)\n"), "{status}");
    lab.shardlab(["resume"])
        .assert()
        .success()
        .stderr_eq("resumed r1\n");
    assert_eq!(node(&lab, 1)["paused"], false);
    lab.shardlab(["resume"])
        .assert()
        .success()
        .stderr_eq("nothing was paused in the cluster `default`\n");

    lab.shardlab(["pause", "r1"]).assert().success();
    lab.shardlab(["kill", "r1", "-s", "TERM"])
        .assert()
        .success()
        .stderr_eq(
            "`r1` is paused and gets SIGTERM when it resumes; `shardlab resume r1` resumes it\n",
        );
    assert_eq!(node(&lab, 1)["paused"], true);
    lab.shardlab(["resume", "r1"]).assert().success();
    wait_until("it ends", || node(&lab, 1)["pid"].is_null());
}

#[test]
fn a_pause_for_a_time_ends_by_itself_and_with_its_command() {
    let lab = Lab::new();
    lab.up(&PAIR);
    lab.shardlab(["pause", "n1", "r1", "--for", "50ms"])
        .assert()
        .success()
        .stderr_eq("paused n1, r1 for 50ms; Ctrl-C resumes at once\nresumed n1, r1\n");
    assert_eq!(node(&lab, 0)["paused"], false);

    let mut pausing = lab.spawn(["pause", "n1", "--for", "1h"], Stdio::null());
    wait_until("it is paused", || node(&lab, 0)["paused"] == true);
    kill(Pid::from_raw(pausing.id().cast_signed()), Signal::SIGINT).unwrap();
    assert_eq!(pausing.wait().unwrap().code(), Some(130));
    assert_eq!(node(&lab, 0)["paused"], false);

    // What another command resumes is not waited for.
    let mut pausing = lab.spawn(["pause", "n1", "--for", "1h"], Stdio::null());
    wait_until("it is paused", || node(&lab, 0)["paused"] == true);
    lab.shardlab(["resume", "n1"]).assert().success();
    assert!(pausing.wait().unwrap().success());
}

#[test]
fn paused_nodes_are_stopped_restarted_and_removed_as_others_are() {
    let lab = Lab::new();
    lab.up(&PAIR);
    lab.shardlab(["pause", "n1", "r1"]).assert().success();
    lab.shardlab(["restart", "--timeout", "120s"])
        .assert()
        .success();
    lab.shardlab(["pause", "n1", "r1"]).assert().success();
    lab.shardlab(["stop"]).assert().success();
    lab.shardlab(["start", "--timeout", "120s"])
        .assert()
        .success();
    lab.shardlab(["pause", "n1"]).assert().success();
    lab.shardlab(["down"]).assert().success();
    lab.assert_empty();
}

#[test]
fn a_restart_keeps_the_data_and_starts_what_was_stopped() {
    let lab = Lab::new();
    let before = lab.up(&PAIR);
    lab.shardlab(["call", "SET", "a", "1"]).assert().success();
    lab.shardlab(["stop", "r1"]).assert().success();
    let after = lab.json(["restart", "--json", "--timeout", "120s"]);
    assert_eq!(after["rung"], "ready");
    for node in 0..2 {
        assert_ne!(after["nodes"][node]["pid"], before["nodes"][node]["pid"]);
        assert_eq!(after["nodes"][node]["id"], before["nodes"][node]["id"]);
    }
    lab.shardlab(["call", "GET", "a"])
        .assert()
        .success()
        .stdout_eq("\"1\"\n");
    let one = lab.json(["restart", "r1", "--json", "--timeout", "120s"]);
    assert_eq!(one["nodes"][0]["pid"], after["nodes"][0]["pid"]);
    assert_ne!(one["nodes"][1]["pid"], after["nodes"][1]["pid"]);
}

#[test]
fn what_a_killed_start_has_bent_the_next_one_sets_right() {
    let lab = Lab::new();
    lab.up(&["--set", "hz=20"]);
    let hz = || {
        let args = ["call", "--json", "n1", "CONFIG", "GET", "hz"];
        lab.json(args)["replies"][0]["text"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(hz().contains("20"), "{}", hz());
    lab.shardlab(["stop"]).assert().success();
    let mut start = lab.spawn(["start"], Stdio::null());
    wait_until("all are started", || lab.processes().len() == 6);
    start.kill().unwrap();
    start.wait().unwrap();
    lab.shardlab(["start", "--timeout", "120s"])
        .assert()
        .success();
    assert!(hz().contains("20"), "{}", hz());
}

/// Writes keys, each once, until it is told to stop; gives the numbers that were acknowledged.
async fn write_on(urls: Vec<String>, enough: Arc<AtomicBool>) -> Vec<usize> {
    let client = ClusterClientBuilder::new(urls).retries(16).build().unwrap();
    let mut connection = client.get_async_connection().await.unwrap();
    let mut acknowledged = Vec::new();
    let mut number = 0_usize;
    while !enough.load(Ordering::Relaxed) {
        let set = connection.set::<_, _, ()>(format!("key:{number}"), number);
        if set.await.is_ok() {
            acknowledged.push(number);
        }
        number += 1;
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_loses_no_acknowledged_write() {
    let lab = Lab::new();
    let quick = Setting::parse("repl-ping-replica-period=1").unwrap();
    let options = Options {
        ports: PortChoice::Auto,
        node_timeout: Duration::from_secs(2),
        persist: false,
        settings: vec![quick],
        ..Options::default()
    };
    let mut cluster = lab.cluster().options(options).start().await.unwrap();
    let urls = cluster.nodes().iter();
    let urls = urls
        .map(|node| format!("redis://{}", node.address()))
        .collect::<Vec<_>>();
    let pids = |cluster: &shardlab::Cluster| -> Vec<_> {
        cluster
            .nodes()
            .iter()
            .map(|node| node.process().unwrap())
            .collect()
    };
    let before = pids(&cluster);
    let enough = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn(write_on(urls.clone(), Arc::clone(&enough)));

    let home = Home::at(lab.home());
    let lock = home
        .lock(cluster.name(), Deadline::after(PATIENCE))
        .await
        .unwrap();
    let mut failovers = Vec::new();
    let order = cluster
        .restart_rolling_locked(&lock, &[], Some(PATIENCE), |step| {
            if let Step::FailedOver(done) = step {
                failovers.push(format!("{} {}", done.old_master, done.new_master));
            }
        })
        .await
        .unwrap();
    enough.store(true, Ordering::Relaxed);
    let acknowledged = writer.await.unwrap();

    assert_eq!(order, ["r1", "r2", "r3", "n1", "n2", "n3"]);
    assert_eq!(failovers, ["n1 r1", "n2 r2", "n3 r3"]);
    let after = pids(&cluster);
    assert!(
        before
            .iter()
            .zip(&after)
            .all(|(before, after)| before != after)
    );
    assert!(!acknowledged.is_empty());
    let client = ClusterClientBuilder::new(urls).retries(16).build().unwrap();
    let mut connection = client.get_async_connection().await.unwrap();
    for number in acknowledged {
        let value = connection
            .get::<_, Option<usize>>(format!("key:{number}"))
            .await;
        assert_eq!(
            value.unwrap(),
            Some(number),
            "an acknowledged write is lost"
        );
    }
}

#[test]
fn a_master_without_replicas_is_restarted_in_its_place_and_that_is_told() {
    let lab = Lab::new();
    lab.up(&["--masters", "1", "--replicas", "0"]);
    lab.shardlab(["call", "SET", "a", "1"]).assert().success();
    let output = lab
        .shardlab(["restart", "--rolling", "--timeout", "120s"])
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    assert!(
        told.contains("`n1` has no replica: its slots are not served until it is back"),
        "{told}"
    );
    lab.shardlab(["call", "GET", "a"])
        .assert()
        .success()
        .stdout_eq("\"1\"\n");
}
