//! What a failover or a start leaves that was interrupted, and the next start mends.

use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use shardlab::Cluster;
use shardlab::plan::Role;

use crate::lab::{Lab, wait_until};
use crate::nodes::setting;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

async fn told(cluster: &Cluster, node: &str, command: &[&str]) -> String {
    let reply = cluster.call(node, command).await.unwrap();
    assert_eq!(reply.as_error(), None, "{command:?}");
    String::from_utf8(reply.as_text().unwrap_or_default().to_vec()).unwrap()
}

async fn follow(cluster: &Cluster, node: &str, master: &str) {
    let address = cluster.node(master).unwrap().address();
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    told(cluster, node, &["REPLICAOF", &host, &port]).await;
}

/// Starts the set, which becomes whole; gives the master.
async fn mended(lab: &Lab) -> String {
    lab.shardlab(["start", "--timeout", "120s"])
        .assert()
        .success();
    let cluster = lab.open();
    assert_eq!(lab.json(["status", "--json"])["rung"], "ready");
    let mut masters = Vec::new();
    for node in cluster.nodes_with_data() {
        if node.role().await.unwrap() == Role::Master {
            masters.push(node.name().to_owned());
        }
    }
    assert_eq!(masters.len(), 1, "{masters:?}");
    masters.remove(0)
}

/// A master as a graceful failover leaves it that is killed before the roles have changed.
async fn keep_from_writing(cluster: &Cluster, node: &str) {
    for (key, value) in [
        ("min-replicas-max-lag", "86399"),
        ("min-replicas-to-write", "2147483647"),
    ] {
        told(cluster, node, &["CONFIG", "SET", key, value]).await;
    }
}

#[test]
fn a_set_that_an_interrupted_failover_has_left_in_disorder_is_whole_after_the_next_start() {
    let lab = Lab::new();
    lab.up(&["--topology", "replication"]);
    runtime().block_on(async {
        let cluster = lab.open();
        told(&cluster, "n1", &["SET", "a", "1"]).await;

        // A replica of a replica.
        follow(&cluster, "r1b", "r1").await;
        assert_eq!(mended(&lab).await, "n1");

        // Two masters, of which one was to be the master no longer.
        keep_from_writing(&cluster, "n1").await;
        told(&cluster, "r1", &["REPLICAOF", "NO", "ONE"]).await;
        told(&cluster, "r1", &["SET", "b", "2"]).await;
        follow(&cluster, "r1b", "r1").await;
        told(&cluster, "r1", &["WAIT", "1", "0"]).await;
        assert_eq!(mended(&lab).await, "r1");
        assert_eq!(told(&cluster, "r1b", &["GET", "b"]).await, "2");
        assert_eq!(setting(&cluster, "n1", "min-replicas-to-write").await, "0");

        // Two that accept writes: whoever has more.
        told(&cluster, "r1b", &["REPLICAOF", "NO", "ONE"]).await;
        told(&cluster, "r1b", &["SET", "c", &"3".repeat(10_000)]).await;
        assert_eq!(mended(&lab).await, "r1b");

        // None at all.
        follow(&cluster, "r1b", "n1").await;
        let master = mended(&lab).await;
        for key in ["a", "b", "c"] {
            let there = cluster.call(&master, &["EXISTS", key]).await.unwrap();
            assert_eq!(there.as_integer(), Some(1), "{key} on {master}");
        }
    });
}

#[test]
fn data_that_only_replicas_have_outlives_a_crash_and_an_interrupted_failover() {
    let lab = Lab::new();
    lab.up(&["--topology", "replication", "--ephemeral"]);
    runtime().block_on(async {
        let cluster = lab.open();
        told(&cluster, "n1", &["SET", "a", "1"]).await;
        cluster.call("n1", &["WAIT", "2", "0"]).await.unwrap();
        cluster.node("n1").unwrap().kill().await.unwrap();
        let master = mended(&lab).await;
        assert_ne!(master, "n1");
        assert_eq!(told(&cluster, &master, &["GET", "a"]).await, "1");
    });
}

#[test]
fn settings_that_a_killed_failover_has_changed_are_set_right_by_the_next_start() {
    let lab = Lab::new();
    lab.up(&["--topology", "sentinel"]);
    runtime().block_on(async {
        let cluster = lab.open();
        keep_from_writing(&cluster, "n1").await;
        told(&cluster, "r1b", &["CONFIG", "SET", "replica-priority", "1"]).await;
        assert_eq!(mended(&lab).await, "n1");
        assert_eq!(setting(&cluster, "n1", "min-replicas-to-write").await, "0");
        assert_eq!(setting(&cluster, "r1b", "replica-priority").await, "100");
        told(&cluster, "n1", &["SET", "a", "1"]).await;
    });
}

#[test]
fn a_start_that_is_interrupted_leaves_the_nodes_with_the_users_settings() {
    let lab = Lab::new();
    lab.up(&["--masters", "3", "--replicas", "1"]);
    lab.shardlab(["stop"]).assert().success();

    let args = ["start", "--wait", "ready", "--timeout", "120s"];
    let mut starting = lab.spawn(args, Stdio::null());
    let runtime = runtime();
    wait_until("the nodes answer with what a start changes", || {
        let cluster = lab.open();
        let all = cluster.nodes().iter().all(|node| {
            let hz = runtime.block_on(async {
                let reply = node.call(&["CONFIG", "GET", "hz"]).await.ok()?;
                Some(reply.as_array()?.get(1)?.as_text()? == b"100")
            });
            hz == Some(true)
        });
        all || starting.try_wait().unwrap().is_some()
    });
    kill(Pid::from_raw(starting.id().cast_signed()), Signal::SIGINT).unwrap();
    starting.wait().unwrap();
    runtime.block_on(async {
        let cluster = lab.open();
        for node in cluster.nodes() {
            let name = node.name();
            assert_eq!(setting(&cluster, name, "hz").await, "10", "{name}");
            let timeout = setting(&cluster, name, "cluster-node-timeout").await;
            assert_eq!(timeout, "5000", "{name}");
        }
    });
}
