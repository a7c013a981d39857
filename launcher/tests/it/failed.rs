//! What `fix` mends after nodes have failed: in the middle of a move, or so that they know nothing any more.

use std::ops::ControlFlow;
use std::time::Duration;

use shardlab::failover::Request;
use shardlab::machine::wait::{Deadline, until};
use shardlab::reshape::fix::Repair;

use crate::lab::PATIENCE;
use crate::mend::Broken;

/// Whom a node copies, by its own word; `None`: it is a master.
async fn master_of(broken: &Broken, node: &str) -> Option<String> {
    let survey = broken.cluster.survey(Deadline::after(PATIENCE)).await;
    let id = survey.node(node)?.master.clone()?;
    Some(
        survey
            .name_of(&id)
            .map_or_else(|| id.to_string(), ToOwned::to_owned),
    )
}

#[tokio::test]
async fn a_failover_in_the_middle_of_a_move_key_by_key_costs_no_key() {
    let broken = Broken::new(20).await;
    broken.open("n1", "IMPORTING", "n3").await;
    broken.open("n3", "MIGRATING", "n1").await;
    broken.migrate("n1", 0..10).await;
    let takeover = ["CLUSTER", "FAILOVER", "TAKEOVER"];
    let told = broken.cluster.call("r3", &takeover).await.unwrap();
    assert_eq!(told.as_error(), None);
    let every = Duration::from_millis(20);
    let turned = until(Deadline::after(PATIENCE), every, || async {
        match master_of(&broken, "n3").await {
            Some(master) if master == "r3" => ControlFlow::Break(()),
            other => ControlFlow::Continue(other),
        }
    });
    turned.await.unwrap();
    broken.fixed().await;
}

#[tokio::test]
async fn a_failover_that_a_node_cannot_hear_of_names_fix() {
    let broken = Broken::new(5).await;
    broken.open("n1", "IMPORTING", "n3").await;
    broken.open("n3", "MIGRATING", "n1").await;
    // No patience that somebody would wait for.
    let request = Request {
        timeout: Some(Duration::from_secs(24 * 3600)),
        ..Request::default()
    };
    match broken.cluster.failover("n3", request, |_| {}).await {
        // Redis since 7 and Valkey hear of it all the same.
        Ok(done) => assert_eq!(done.new_master, "r3"),
        Err(error) => {
            assert_eq!(
                error.to_string(),
                "`r3` is the master now, but `n1` does not hear that it has slot 15495, \
                 which it was importing from the old master"
            );
            assert!(error.hint().unwrap().to_string().contains("`shardlab fix`"));
        }
    }
    assert_eq!(master_of(&broken, "n3").await.as_deref(), Some("r3"));
    broken.fixed().await;
}

#[tokio::test]
async fn a_node_that_is_busy_is_waited_for() {
    let broken = Broken::new(5).await;
    broken.open("n1", "IMPORTING", "n3").await;
    for node in broken.cluster.nodes() {
        let soon = ["CONFIG", "SET", "lua-time-limit", "10"];
        node.call(&soon).await.unwrap();
    }
    let n3 = broken.cluster.node("n3").unwrap();
    // As one that loads its data, it answers everybody with an error.
    let script = "local start = redis.call('TIME')[1] \
                  while redis.call('TIME')[1] - start < 3 do end";
    let mut busy = n3.connect().await.unwrap();
    let busy = tokio::spawn(async move {
        let eval = ["EVAL", script, "0"];
        busy.call(&eval, Deadline::after(PATIENCE)).await
    });
    let is_busy = until(Deadline::after(PATIENCE), Duration::ZERO, || async {
        match n3.call(&["CLUSTER", "NODES"]).await.unwrap().error_code() {
            Some("BUSY") => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    });
    assert_eq!(is_busy.await, Ok(()));
    let done = broken.fixed().await;
    assert_eq!(done.iter().map(Repair::kind).collect::<Vec<_>>(), ["close"]);
    busy.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_node_without_its_nodes_conf_is_taken_back() {
    let mut broken = Broken::new(5).await;
    for (wiped, master) in [("r2", "n2"), ("n1", "r1")] {
        let nodes = [wiped.to_owned()];
        broken
            .cluster
            .wipe_locked(&broken.lock, &nodes)
            .await
            .unwrap();
        let fixed = broken
            .cluster
            .fix_locked(&broken.lock, |_| {})
            .await
            .unwrap();
        assert_eq!(fixed.left, [], "{wiped}: {:?}", fixed.done);
        assert_eq!(master_of(&broken, wiped).await.as_deref(), Some(master));
        assert_eq!(master_of(&broken, master).await, None);
        if wiped == "r2" {
            broken.assert_whole().await;
        }
    }
}
