//! A replica stands in for its master where there is no cluster mode: by Sentinel, by the server, by
//! hand.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use shardlab::failover::Step;
use shardlab::failover::{Mode, Request};
use shardlab::machine::wait::{Deadline, next_round, until};
use shardlab::node::Endpoint;
use shardlab::plan::Topology;
use shardlab::state::Home;
use shardlab::wire::client::Connection;
use shardlab::wire::view;
use shardlab::{Cluster, Node};

use crate::failover::{fail_over, phases};
use crate::lab::{Lab, PATIENCE};
use crate::nodes::setting;

async fn set(lab: &Lab, topology: Topology) -> Cluster {
    let builder = lab.cluster().topology(topology);
    builder.start().await.unwrap()
}

/// A client that writes keys, each once, to whoever takes them, until it is stopped.
struct Writer {
    enough: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<Vec<usize>>,
}

impl Writer {
    fn start(cluster: &Cluster) -> Self {
        let nodes: Vec<Endpoint> = cluster.nodes_with_data().map(Node::endpoint).collect();
        let enough = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(write_on(nodes, Arc::clone(&enough)));
        Self { enough, task }
    }

    /// Stops it, and asserts that the master has all that was acknowledged.
    async fn stop(self, cluster: &Cluster) {
        self.enough.store(true, Ordering::Relaxed);
        let acknowledged = self.task.await.unwrap();
        assert!(!acknowledged.is_empty());
        let master = cluster.present_master().await.unwrap();
        let mut connection = master.connect().await.unwrap();
        for number in acknowledged {
            let key = format!("key:{number}");
            let deadline = Deadline::after(PATIENCE);
            let value = connection.call(&["GET", &key], deadline).await.unwrap();
            assert_eq!(
                value.as_text(),
                Some(number.to_string().as_bytes()),
                "an acknowledged write is lost"
            );
        }
    }
}

async fn write_on(nodes: Vec<Endpoint>, enough: Arc<AtomicBool>) -> Vec<usize> {
    let mut acknowledged = Vec::new();
    let mut open: Option<Connection> = None;
    let mut to = nodes.iter().cycle();
    let mut number = 0_usize;
    while !enough.load(Ordering::Relaxed) {
        let deadline = Deadline::after(PATIENCE);
        if open.is_none()
            && let Some(node) = to.next()
        {
            open = node.connect(deadline).await.ok();
        }
        let Some(connection) = &mut open else {
            next_round(Duration::from_millis(1), deadline).await;
            continue;
        };
        number += 1;
        let set = ["SET", &format!("key:{number}"), &number.to_string()];
        match connection.call(&set, deadline).await {
            Ok(reply) if reply.as_error().is_none() => acknowledged.push(number),
            // It is a replica, it takes no writes for a moment, or it is gone.
            _ => open = None,
        }
        next_round(Duration::from_millis(1), deadline).await;
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_orderly_failover_loses_no_acknowledged_write() {
    for topology in [Topology::Replication, Topology::Sentinel] {
        let lab = Lab::new();
        let cluster = set(&lab, topology).await;
        let writer = Writer::start(&cluster);
        let done = fail_over(&cluster, "n1", Mode::Graceful).await.unwrap();
        writer.stop(&cluster).await;
        assert_eq!(done.old_master, "n1");
        assert_eq!(
            phases(&done),
            ["promoted", "agreed", "first-write", "ready"].into(),
            "{topology}: {done:?}"
        );
        assert_eq!(done.epochs.is_some(), topology == Topology::Sentinel);
        let master = cluster.present_master().await.unwrap().name();
        assert_eq!(master, done.new_master);
        // What kept the old master from taking writes is given back.
        assert_eq!(setting(&cluster, "n1", "min-replicas-to-write").await, "0");
        assert_eq!(setting(&cluster, "n1", "min-replicas-max-lag").await, "10");
    }
}

/// Cuts the links of a master's replicas again and again while a failover goes on, each time in one breath
/// with a write, so that no replica can have got it yet.
struct Cutter {
    stream: TcpStream,
    thread: std::thread::JoinHandle<Vec<String>>,
}

impl Cutter {
    /// Begins with the second look of `failover` at its master: by the first it chooses who is to take over.
    fn start(master: SocketAddr) -> Self {
        let stream = TcpStream::connect(master).unwrap();
        (&stream).write_all(b"MONITOR\r\n").unwrap();
        let mut seen = BufReader::new(stream.try_clone().unwrap()).lines();
        assert_eq!(seen.next().unwrap().unwrap(), "+OK");
        let thread = std::thread::spawn(move || {
            let mut scissors = TcpStream::connect(master).unwrap();
            let mut replies = BufReader::new(scissors.try_clone().unwrap()).lines();
            let seen = seen.map_while(Result::ok);
            let looks = seen.filter(|line| line.contains(r#""INFO" "replication""#));
            let mut acknowledged = Vec::new();
            for (number, _) in looks.skip(1).enumerate().take(20) {
                let cut = format!("SET cut:{number} 1\r\nCLIENT KILL TYPE slave\r\n");
                scissors.write_all(cut.as_bytes()).unwrap();
                let set = replies.next().unwrap().unwrap();
                if set == "+OK" {
                    acknowledged.push(format!("cut:{number}"));
                }
                replies.next().unwrap().unwrap();
            }
            acknowledged
        });
        Self { stream, thread }
    }

    /// The keys that the master has acknowledged.
    fn stop(self) -> Vec<String> {
        let _ = self.stream.shutdown(Shutdown::Both);
        self.thread.join().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_whose_links_are_cut_meanwhile_catch_up_before_one_takes_over() {
    for topology in [Topology::Replication, Topology::Sentinel] {
        let lab = Lab::new();
        let cluster = set(&lab, topology).await;
        let writer = Writer::start(&cluster);
        let cutter = Cutter::start(cluster.node("n1").unwrap().address());
        let done = fail_over(&cluster, "n1", Mode::Graceful).await.unwrap();
        assert_ne!(done.new_master, "n1");
        let master = cluster.present_master().await.unwrap();
        // On a busy machine writes may be held before the first cut.
        for key in cutter.stop() {
            let there = master.call(&["EXISTS", &key]).await.unwrap();
            assert_eq!(there.as_integer(), Some(1), "{topology}: {key} is lost");
        }
        writer.stop(&cluster).await;
    }
}

#[tokio::test]
async fn a_replica_that_has_lost_its_link_keeps_sentinel_from_an_orderly_failover() {
    let lab = Lab::new();
    let cluster = set(&lab, Topology::Sentinel).await;
    // Its password is wrong, so that it does not come back once its link is cut.
    for (node, command) in [
        ("r1b", ["CONFIG", "SET", "masterauth", "wrong"]),
        ("n1", ["CLIENT", "KILL", "TYPE", "slave"]),
    ] {
        let told = cluster.call(node, &command).await.unwrap();
        assert_eq!(told.as_error(), None);
    }
    for (replica, expected) in [("r1", "up"), ("r1b", "down")] {
        let every = Duration::from_millis(10);
        let there = until(Deadline::after(PATIENCE), every, || async {
            let info = cluster.call(replica, &["INFO", "replication"]).await;
            match view::info_field(&info.unwrap(), "master_link_status") {
                Some(link) if link == expected => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        });
        assert_eq!(there.await, Ok(()), "{replica}");
    }
    let request = Request {
        timeout: Some(Duration::from_secs(1)),
        ..Request::default()
    };
    let refused = cluster.failover("n1", request, |_| {}).await;
    assert_eq!(
        refused.unwrap_err().to_string(),
        "`r1b` has not caught up with its master within 1s"
    );
    // It is the master as before, and takes writes.
    let set = cluster.call("n1", &["SET", "a", "1"]).await.unwrap();
    assert_eq!(set.as_error(), None);
    assert_eq!(cluster.present_master().await.unwrap().name(), "n1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_of_a_set_loses_no_acknowledged_write() {
    let lab = Lab::new();
    let mut cluster = set(&lab, Topology::Replication).await;
    let writer = Writer::start(&cluster);
    let home = Home::at(lab.home());
    let lock = home.lock(cluster.name(), Deadline::after(PATIENCE));
    let lock = lock.await.unwrap();
    let mut failovers = Vec::new();
    let order = cluster.restart_rolling_locked(&lock, &[], Some(PATIENCE), |step| {
        if let Step::FailedOver(done) = step {
            failovers.push(done.old_master.clone());
        }
    });
    let order = order.await.unwrap();
    assert_eq!(order, ["r1", "r1b", "n1"]);
    assert_eq!(failovers, ["n1"]);
    writer.stop(&cluster).await;
}

#[tokio::test]
async fn sentinel_takes_the_replica_that_was_named() {
    let lab = Lab::new();
    let cluster = set(&lab, Topology::Sentinel).await;
    let done = fail_over(&cluster, "r1b", Mode::Graceful).await.unwrap();
    assert_eq!(done.new_master, "r1b");
    assert_eq!(setting(&cluster, "r1b", "replica-priority").await, "100");
    let conf = cluster.node("r1b").unwrap().config_path();
    let conf = std::fs::read_to_string(conf).unwrap();
    assert!(!conf.contains("replica-priority 1\n"), "{conf}");
}

fn crash(lab: &Lab) -> serde_json::Value {
    let crash = [
        "failover",
        "r1",
        "--mode",
        "crash",
        "--timeout",
        "120s",
        "--json",
    ];
    let told = lab.json(crash);
    assert_eq!(told["old_master"], "n1");
    let status = lab.json(["status", "--json"]);
    assert_eq!(status["rung"], "ready");
    assert_eq!(status["nodes"][0]["master"], told["new_master"]);
    told
}

fn told_phases(told: &serde_json::Value) -> Vec<(&str, f64)> {
    let phases = told["phases"].as_array().unwrap().iter();
    phases
        .map(|told| {
            (
                told["phase"].as_str().unwrap(),
                told["at_ms"].as_f64().unwrap(),
            )
        })
        .collect()
}

#[test]
fn a_crash_is_seen_by_sentinels_and_the_dead_master_comes_back_as_a_replica() {
    let lab = Lab::new();
    lab.up(&["--topology", "sentinel", "--down-after", "1500ms"]);
    let told = crash(&lab);
    let phases = told_phases(&told);
    assert!(phases.is_sorted_by(|(_, a), (_, b)| a <= b), "{told:#}");
    let names: Vec<_> = phases.iter().map(|(name, _)| *name).collect();
    assert_eq!(names[..3], ["suspected", "failed", "promoted"]);
    assert_eq!(names.last(), Some(&"ready"));
    assert!(told["new_epoch"].as_u64() > told["old_epoch"].as_u64());
}

#[test]
fn a_crash_without_sentinels_is_answered_by_hand_and_the_roles_stay() {
    let lab = Lab::new();
    lab.up(&["--topology", "replication"]);
    let told = crash(&lab);
    let names: BTreeSet<_> = told_phases(&told).iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["promoted", "agreed", "first-write", "ready"].into());
    assert!(told["new_epoch"].is_null());
    // Killed all at once, they go on as they were.
    let nodes = || -> Vec<serde_json::Value> {
        let status = lab.json(["status", "--json"]);
        let nodes = status["nodes"].as_array().unwrap();
        nodes.iter().map(|node| node["master"].clone()).collect()
    };
    let before = nodes();
    let kill = ["kill", "n1", "r1", "r1b"];
    lab.shardlab(kill).assert().success();
    lab.shardlab(["start"]).assert().success();
    assert_eq!(nodes(), before);
}

#[tokio::test]
async fn a_replica_takes_over_by_force_from_a_master_that_is_dead() {
    let lab = Lab::new();
    let cluster = set(&lab, Topology::Replication).await;
    cluster.node("n1").unwrap().kill().await.unwrap();
    let refused = fail_over(&cluster, "r1", Mode::Graceful).await;
    assert_eq!(
        refused.unwrap_err().to_string(),
        "the master `n1` does not answer, and a graceful failover needs it"
    );
    let done = fail_over(&cluster, "r1b", Mode::Force).await.unwrap();
    assert_eq!(phases(&done), ["promoted", "agreed", "first-write"].into());
    assert_eq!(done.new_master, "r1b");
    let refused = fail_over(&cluster, "n1", Mode::Crash).await;
    assert_eq!(
        refused.unwrap_err().to_string(),
        "the shard of `n1` has already failed over to `r1b`"
    );
}

#[test]
fn what_makes_no_sense_is_a_usage_error_that_says_what_would() {
    let lab = Lab::new();
    let refused = |args: &[&str], words: &str| {
        let output = lab.shardlab(["failover"].iter().chain(args)).output();
        let output = output.unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.contains(words), "{errors}");
    };
    lab.up(&["--topology", "standalone"]);
    refused(&["n1"], "are independent of each other");
    lab.shardlab(["restart", "--rolling"]).assert().code(2);
    lab.shardlab(["down"]).assert().success();
    lab.up(&["--topology", "sentinel"]);
    refused(&["s1"], "`s1` is a sentinel");
    refused(
        &["r1", "--mode", "takeover"],
        "`--mode force` does without the master here",
    );
}
