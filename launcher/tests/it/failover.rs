//! Shards that fail over, in every way, on real clusters.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::Duration;

use shardlab::failover::{Failover, FailoverEvent, Mode, Phase, Request};
use shardlab::machine::wait::{Deadline, until};
use shardlab::plan::{Options, PortChoice, Setting};
use shardlab::wire::slots::Slot;
use shardlab::wire::{Epoch, view};
use shardlab::{Cluster, Rung};

use crate::acknowledged::{Writer, lost};
use crate::lab::{Lab, PATIENCE, text, wait_until};

/// Replicas that come back are seen at once.
fn options(masters: usize, node_timeout: Duration) -> Options {
    let quick = Setting::parse("repl-ping-replica-period=1").unwrap();
    Options {
        masters,
        node_timeout,
        ports: PortChoice::Auto,
        persist: false,
        settings: vec![quick],
        ..Options::default()
    }
}

async fn cluster(lab: &Lab, masters: usize, node_timeout: Duration) -> Cluster {
    let options = options(masters, node_timeout);
    lab.cluster().options(options).start().await.unwrap()
}

pub(crate) async fn fail_over(
    cluster: &Cluster,
    node: &str,
    mode: Mode,
) -> Result<Failover, shardlab::Error> {
    let request = Request {
        mode,
        timeout: Some(PATIENCE),
        ..Request::default()
    };
    cluster.failover(node, request, |_| {}).await
}

async fn refusal(cluster: &Cluster, node: &str, mode: Mode) -> String {
    let failed = fail_over(cluster, node, mode).await;
    failed.unwrap_err().to_string()
}

pub(crate) fn phases(done: &Failover) -> BTreeSet<&'static str> {
    let moments = done.moments.iter();
    moments.map(|moment| moment.phase.name()).collect()
}

/// Who every node says is the master of the slots that `n1` was born with.
async fn masters_by_all(cluster: &Cluster) -> BTreeSet<String> {
    let survey = cluster.survey(Deadline::after(PATIENCE)).await;
    let mut masters = BTreeSet::new();
    for account in survey.accounts() {
        let lines = account.says.as_ref().unwrap();
        let mut lines = lines.iter();
        let owner = lines.find(|line| line.slots.contains(Slot::FIRST));
        masters.insert(survey.name_of(&owner.unwrap().id).unwrap().to_owned());
    }
    masters
}

async fn assert_no_key_is_left(cluster: &Cluster) {
    for node in cluster.nodes() {
        let gone = until(
            Deadline::after(PATIENCE),
            Duration::from_millis(10),
            || async {
                match node.call(&["DBSIZE"]).await.unwrap().as_integer() {
                    Some(0) => ControlFlow::Break(()),
                    other => ControlFlow::Continue(other),
                }
            },
        );
        assert_eq!(gone.await, Ok(()), "{}", node.name());
    }
}

#[tokio::test]
async fn an_orderly_failover_there_and_back_is_agreed_on_by_all_when_it_returns() {
    let lab = Lab::new();
    let cluster = cluster(&lab, 3, Duration::from_secs(1)).await;
    let mut epoch = Epoch::NONE;
    for (mode, node, old, new) in [
        (Mode::Graceful, "n1", "n1", "r1"),
        (Mode::Graceful, "n1", "r1", "n1"),
        (Mode::Force, "r1", "n1", "r1"),
        (Mode::Takeover, "n1", "r1", "n1"),
    ] {
        let done = fail_over(&cluster, node, mode).await.unwrap();
        assert_eq!(
            masters_by_all(&cluster).await,
            BTreeSet::from([new.to_owned()])
        );
        assert_eq!(
            (done.old_master.as_str(), done.new_master.as_str()),
            (old, new)
        );
        let expected = ["promoted", "agreed", "first-write", "ready"].into();
        assert!(phases(&done).is_superset(&expected), "{mode}: {done:?}");
        assert!(
            done.moments.is_sorted_by_key(|moment| moment.at),
            "{done:?}"
        );
        let epochs = done.epochs.unwrap();
        assert!(epochs.before >= epoch, "{done:?}");
        assert!(epochs.after > epochs.before, "{done:?}");
        epoch = epochs.after;
        assert_no_key_is_left(&cluster).await;
    }
}

#[tokio::test]
async fn a_shard_that_fails_over_again_and_again_loses_no_acknowledged_write() {
    let lab = Lab::new();
    let cluster = cluster(&lab, 3, Duration::from_secs(1)).await;
    let writer = Writer::start(&cluster);
    let mut epoch = Epoch::NONE;
    for round in 0..4 {
        let request = Request {
            timeout: Some(PATIENCE),
            ..Request::default()
        };
        let mut undone = 0;
        let done = cluster.failover("n1", request, |event| {
            undone += u32::from(matches!(event, FailoverEvent::Undone(_)));
        });
        let done = done.await.unwrap();
        assert_eq!(undone, done.undone, "{done:?}");
        let epochs = done.epochs.unwrap();
        assert!(epochs.before >= epoch && epochs.after > epochs.before);
        epoch = epochs.after;
        let expected = if round % 2 == 0 { "r1" } else { "n1" };
        assert_eq!(done.new_master, expected, "{done:?}");
        assert_eq!(
            masters_by_all(&cluster).await,
            BTreeSet::from([expected.to_owned()])
        );
        // Redis up to 8.2 uses the votes of an election before once more; then it was told again.
        assert!(done.orders > done.undone, "{done:?}");
    }
    let acknowledged = writer.stop();
    assert!(!acknowledged.is_empty());
    assert_eq!(lost(&cluster, &acknowledged).await.unwrap(), [0; 0]);
}

#[test]
fn a_crash_is_told_as_a_timeline_and_the_dead_master_comes_back_as_a_replica() {
    let lab = Lab::new();
    lab.up(&["--node-timeout", "1s"]);
    let args = [
        "failover",
        "r2",
        "--mode",
        "crash",
        "--timeout",
        "120s",
        "--json",
    ];
    let told = lab.json(args);
    assert_eq!(told["schema"], 2);
    assert_eq!(
        (&told["old_master"], &told["new_master"]),
        (&"n2".into(), &"r2".into())
    );
    assert!(told["new_epoch"].as_u64() > told["old_epoch"].as_u64());
    let phases = told["phases"].as_array().unwrap();
    let at = |phase: &str| {
        let found = phases.iter().find(|told| told["phase"] == phase);
        found.unwrap_or_else(|| panic!("no {phase}: {told}"))["at_ms"]
            .as_f64()
            .unwrap()
    };
    let order = ["suspected", "failed", "promoted", "first-write", "ready"].map(at);
    assert!(order.is_sorted(), "{told:#}");
    assert!(
        at("promoted") <= at("agreed") && at("agreed") <= at("ready"),
        "{told:#}"
    );

    let status = lab.json(["status", "--json"]);
    assert_eq!(status["rung"], "ready");
    assert_eq!(status["nodes"][1]["master"], "r2");
    // The record knows the new process: nobody has to look for it.
    lab.shardlab(["stop", "n2"]).assert().success();
    assert!(lab.json(["status", "--json"])["nodes"][1]["pid"].is_null());
}

#[tokio::test]
async fn a_crash_that_is_given_up_leaves_nobody_dead() {
    let lab = Lab::new();
    let cluster = cluster(&lab, 3, Duration::from_secs(60)).await;
    let before = cluster.node("n1").unwrap().process().unwrap();
    let killed = until(Deadline::after(PATIENCE), Duration::from_millis(1), || {
        std::future::ready(if before.is_alive() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        })
    });
    tokio::select! {
        done = fail_over(&cluster, "n1", Mode::Crash) => panic!("{done:?}"),
        killed = killed => assert_eq!(killed, Ok(())),
    }
    let after = cluster.node("n1").unwrap().process().unwrap();
    assert_ne!(before, after);
    cluster.wait_for(Rung::Ready, PATIENCE).await.unwrap();
}

#[tokio::test]
async fn a_dead_master_stays_dead_if_asked_for_and_its_shard_does_not_fail_over_twice() {
    let lab = Lab::new();
    let cluster = cluster(&lab, 3, Duration::from_secs(1)).await;
    let request = Request {
        mode: Mode::Crash,
        leave_dead: true,
        timeout: Some(PATIENCE),
    };
    let done = cluster.failover("n1", request, |_| {}).await.unwrap();
    assert_eq!(
        phases(&done),
        ["suspected", "failed", "promoted", "agreed", "first-write"].into()
    );
    assert_eq!(done.reached(Phase::Ready), None);
    assert!(cluster.node("n1").unwrap().process().is_none());
    assert_eq!(
        refusal(&cluster, "n1", Mode::Graceful).await,
        "the shard of `n1` has already failed over to `r1`"
    );
    assert_eq!(
        refusal(&cluster, "r1", Mode::Graceful).await,
        "no replica of `r1` answers: `n1` might be one"
    );
}

#[tokio::test]
async fn what_cannot_fail_over_is_told_at_once() {
    let lab = Lab::new();
    // Nobody is suspected while this goes on.
    let cluster = cluster(&lab, 3, Duration::from_secs(60)).await;
    let paused = cluster.pause(&["r1"]).await.unwrap();
    assert_eq!(
        refusal(&cluster, "r1", Mode::Force).await,
        "`r1` is paused and cannot take over"
    );
    drop(paused);

    let paused = cluster.pause(&["n1"]).await.unwrap();
    assert_eq!(
        refusal(&cluster, "n1", Mode::Graceful).await,
        "the master `n1` is paused, and a graceful failover needs it"
    );
    // Without it there are votes enough.
    let done = fail_over(&cluster, "n1", Mode::Takeover).await.unwrap();
    assert_eq!(done.new_master, "r1");
    assert_eq!(done.reached(Phase::Ready), None);
    drop(paused);
    cluster.wait_for(Rung::Ready, PATIENCE).await.unwrap();

    // The replica's password is wrong, so that it cannot come back once its link is cut.
    let (n2, r2) = (cluster.node("n2").unwrap(), cluster.node("r2").unwrap());
    let lock_out = ["CONFIG", "SET", "masterauth", "wrong"];
    assert_eq!(r2.call(&lock_out).await.unwrap().as_error(), None);
    let cut = ["CLIENT", "KILL", "TYPE", "slave"];
    assert_eq!(n2.call(&cut).await.unwrap().as_error(), None);
    let down = until(
        Deadline::after(PATIENCE),
        Duration::from_millis(10),
        || async {
            let info = r2.call(&["INFO", "replication"]).await.unwrap();
            match view::info_field(&info, "master_link_status") {
                Some("down") => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        },
    );
    assert_eq!(down.await, Ok(()));
    for (node, mode) in [("n2", Mode::Graceful), ("r2", Mode::Crash)] {
        let refused = refusal(&cluster, node, mode).await;
        assert!(
            refused.starts_with("the link of `r2` to its master is down: "),
            "{refused}"
        );
    }
}

#[test]
fn a_node_that_others_have_added_hinders_neither_failover_nor_restart() {
    let (lab, others) = (Lab::new(), Lab::new());
    lab.up(&["--node-timeout", "1s"]);
    others.up(&["--boot", "none", "--masters", "1", "--replicas", "0"]);
    let stranger = others.open().node("n1").unwrap().address();
    let (host, port) = (stranger.ip().to_string(), stranger.port().to_string());
    lab.shardlab(["call", "n1", "CLUSTER", "MEET", &host, &port])
        .assert()
        .success();
    for args in [
        vec!["failover", "n1"],
        vec!["restart", "r2"],
        vec!["restart", "--rolling", "r1", "n2"],
    ] {
        let patience = ["--timeout", "120s"];
        lab.shardlab(args.into_iter().chain(patience))
            .assert()
            .success();
    }
}

#[test]
fn a_cluster_with_a_hole_fails_over_without_a_write() {
    let lab = Lab::new();
    lab.up(&["--shape", "uncovered", "--node-timeout", "1s"]);
    let done = lab.json(["failover", "n1", "--timeout", "120s", "--json"]);
    let phases = done["phases"].as_array().unwrap();
    let phases: Vec<_> = phases.iter().map(|told| &told["phase"]).collect();
    assert!(phases.contains(&&"agreed".into()), "{done}");
    assert!(!phases.contains(&&"first-write".into()), "{done}");
    assert_eq!(done["ready"], false);
    let rolling = ["restart", "--rolling", "n2", "--timeout", "120s"];
    lab.shardlab(rolling).assert().success();
    // After a start, master and replica are at offset 0 until the master's first ping.
    lab.shardlab(["restart"]).assert().success();
    wait_until("n1 is linked", || {
        let info = lab.shardlab(["call", "n1", "INFO", "replication"]).output();
        text(&info.unwrap().stdout).contains("master_link_status:up")
    });
    let again = ["failover", "n1", "--timeout", "120s"];
    lab.shardlab(again).assert().success();
}

#[test]
fn too_few_nodes_are_told_with_what_would_do() {
    let lab = Lab::new();
    lab.up(&["--masters", "2"]);
    lab.shardlab(["failover", "n1", "--mode", "crash"])
        .assert()
        .code(3)
        .stderr_eq(
            "error: only 1 of 2 masters can vote, and a replica needs 2 votes\n\nhint: `--mode takeover` needs no votes\n",
        );
    lab.shardlab(["down"]).assert().success();
    lab.up(&["--masters", "1", "--replicas", "0"]);
    lab.shardlab(["failover", "n1"])
        .assert()
        .code(3)
        .stderr_eq("error: `n1` has no replica that could take over\n");
    lab.shardlab(["down"]).assert().success();
    lab.up(&["--boot", "none", "--masters", "1", "--replicas", "0"]);
    lab.shardlab(["failover", "n1"])
        .assert()
        .code(2)
        .stderr_eq("error: `n1` is a master without slots, so it has nothing to fail over\n");
}
