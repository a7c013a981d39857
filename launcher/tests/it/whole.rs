//! Whatever moves slots moves the keys of all databases, with their times to live, also when it is
//! killed and something else finishes it.

use shardlab::wire::slots::key_slot;

use crate::databases::{Databases, SETTING};
use crate::lab::{Lab, wait_until};
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
    let survey = cluster
        .survey(shardlab::machine::wait::Deadline::after(
            crate::lab::PATIENCE,
        ))
        .await;
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
