//! Whatever moves slots moves the keys of all databases, with their times to live, also when it is
//! killed and something else finishes it.

use std::ops::ControlFlow;
use std::time::Duration;

use shardlab::Cluster;
use shardlab::machine::wait::{Deadline, until};
use shardlab::reshape::{Move, MoveOptions, Way};
use shardlab::wire::slots::key_slot;
use shardlab::wire::view::info_field;

use crate::databases::{Databases, SETTING};
use crate::lab::{Lab, PATIENCE, text, wait_until};
use crate::nodes::{id, order};

/// A cluster with keys, in several databases if the server has them in a cluster.
async fn filled(lab: &Lab, arguments: &[&str], keys: usize) -> Databases {
    let up = [
        "up",
        "-q",
        "--ephemeral",
        "--bind",
        lab.address(),
        "--port",
        "auto",
    ];
    let several = [&up[..], arguments, &["--set", SETTING]].concat();
    if !lab.shardlab(several).output().unwrap().status.success() {
        lab.shardlab([&up[..], arguments].concat())
            .assert()
            .success();
    }
    let cluster = lab.open();
    let databases = Databases::of(&cluster, keys).await.unwrap();
    databases.write(&cluster).await.unwrap();
    databases
}

#[tokio::test]
async fn every_command_that_moves_slots_moves_the_keys_of_all_databases() {
    let lab = Lab::new();
    let databases = filled(&lab, &["--replicas", "0"], 3000).await;
    let reshard = ["reshard", "--slots", "300", "--to", "n2", "--way"];
    for command in [
        &[&reshard[..], &["keys"]].concat()[..],
        &[&reshard[..], &["auto"]].concat(),
        &["rebalance", "--threshold", "0", "--way", "keys"],
        &["scale", "--masters", "4"],
        &["del-node", "n4"],
    ] {
        let done = lab.shardlab([command, &["-q"]].concat()).output().unwrap();
        assert!(done.status.success(), "{command:?}: {done:?}");
        let verified = databases.verify(&lab.open()).await;
        assert_eq!(verified, Ok(()), "{command:?}");
    }
    lab.shardlab(["check"]).assert().success();
}

#[tokio::test]
async fn several_masters_are_drained_at_once_and_become_what_the_server_makes_of_them() {
    let lab = Lab::new();
    let shape = [
        "--slots",
        "0-16083,16084-16233,16234-16383",
        "--masters",
        "3",
    ];
    let databases = filled(&lab, &[&shape[..], &["--replicas", "1"]].concat(), 2000).await;
    let drain = ["rebalance", "-q", "--way", "keys"];
    let weights = ["--weight", "n2=0", "--weight", "n3=0"];
    let drained = lab.shardlab([drain, weights].concat()).output().unwrap();
    assert!(drained.status.success(), "{drained:?}");
    databases.verify(&lab.open()).await.unwrap();
    // Masters without slots become replicas, which gossip takes a while to tell.
    wait_until("all agree on what they have become", || {
        lab.shardlab(["check", "-q"])
            .output()
            .unwrap()
            .status
            .success()
    });
}

#[tokio::test]
async fn fix_ends_a_move_that_stands_half_way_in_all_databases() {
    let lab = Lab::new();
    let databases = filled(&lab, &["--replicas", "0"], 1000).await;
    let cluster = lab.open();
    let slot = key_slot(b"key:7");
    let survey = cluster.survey(Deadline::after(PATIENCE)).await;
    let from = survey.owners(slot).next().unwrap();
    let to = if from == "n1" { "n2" } else { "n1" };
    let slot = slot.to_string();
    for (node, way, other) in [(to, "IMPORTING", from), (from, "MIGRATING", to)] {
        let other = id(&cluster, other).await;
        order(&cluster, node, &["CLUSTER", "SETSLOT", &slot, way, &other]).await;
    }
    lab.shardlab(["fix", "-q"]).assert().success();
    databases.verify(&cluster).await.unwrap();
    lab.shardlab(["check"]).assert().success();
}

/// Valkey writes open slots into its snapshots, and closes one only after its replicas have confirmed that they did.
#[tokio::test]
async fn a_replica_whose_snapshot_is_taken_in_the_midst_of_a_move_has_no_slot_open_afterwards() {
    let lab = Lab::new();
    let up = ["up", "-q", "--ephemeral", "--port", "auto", "--bind"];
    let shape = [lab.address(), "--masters", "2", "--replicas", "1"];
    let up = up.iter().chain(&shape);
    lab.shardlab(up).assert().success();
    let cluster = lab.open();
    let fill = "for i = 1, 3000 do redis.call('SET', KEYS[1] .. i, string.rep('x', 1000)) end";
    // The slot of `key` is 12539, and n2's.
    order(&cluster, "n2", &["EVAL", fill, "1", "{key}"]).await;
    let target = id(&cluster, "n1").await;
    let forks = number(&cluster, "stats", "total_forks").await;

    let part = Move {
        slots: key_slot(b"key").to_string().parse().unwrap(),
        from: "n2".to_owned(),
        to: "n1".to_owned(),
    };
    let options = MoveOptions {
        way: Way::Keys,
        ..MoveOptions::default()
    };
    let other = lab.open();
    let moving = tokio::spawn(async move { other.move_slots(&[part], options, |_| {}).await });
    let has_ended = || moving.is_finished();
    wait_for("n1 imports the slot", async || {
        let nodes = cluster.call("n1", &["CLUSTER", "NODES"]).await.unwrap();
        text(nodes.as_text().unwrap()).contains("-<-") || has_ended()
    })
    .await;
    let paused = cluster.pause(&["r1"]).await.unwrap();
    wait_for("n1 waits for r1 before it closes the slot", async || {
        number(&cluster, "clients", "blocked_clients").await > Some(0) || has_ended()
    })
    .await;
    order(&cluster, "r2", &["CLUSTER", "REPLICATE", &target]).await;
    wait_for("n1 takes a snapshot for r2", async || {
        number(&cluster, "stats", "total_forks").await > forks || forks.is_none() || has_ended()
    })
    .await;
    drop(paused);
    moving.await.unwrap().unwrap();
    wait_for("r2 has the data of n1 and no open slot", async || {
        let info = cluster.call("r2", &["INFO", "replication"]).await.unwrap();
        let nodes = cluster.call("r2", &["CLUSTER", "NODES"]).await.unwrap();
        info_field(&info, "master_link_status") == Some("up")
            && !text(nodes.as_text().unwrap_or_default()).contains("-<-")
    })
    .await;
}

/// A number that n1 tells in INFO.
async fn number(cluster: &Cluster, section: &str, field: &str) -> Option<u64> {
    let info = cluster.call("n1", &["INFO", section]).await.unwrap();
    info_field(&info, field)?.parse().ok()
}

async fn wait_for(what: &str, is_so: impl AsyncFn() -> bool) {
    let reached = until(
        Deadline::after(PATIENCE),
        Duration::from_millis(1),
        async || {
            if is_so().await {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        },
    );
    assert_eq!(reached.await, Ok(()), "{what}");
}
