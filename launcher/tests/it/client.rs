//! A real client, redis-rs, on our cluster.

use std::ops::ControlFlow;
use std::time::Duration;

use redis::AsyncCommands as _;
use redis::cluster::ClusterClientBuilder;
use shardlab::machine::wait::{Deadline, until};

use crate::lab::{Lab, PATIENCE};

const KEYS: usize = 1000;

fn key(number: usize) -> String {
    format!("key:{number}")
}

#[tokio::test]
async fn a_real_client_writes_and_reads_everywhere_and_outlives_a_master() {
    let lab = Lab::new();
    let cluster = lab
        .cluster()
        .node_timeout(Duration::from_secs(1))
        .start()
        .await
        .unwrap();
    let urls: Vec<_> = cluster
        .nodes()
        .iter()
        .map(|node| format!("redis://{}", node.address()))
        .collect();
    let client = ClusterClientBuilder::new(urls).retries(16).build().unwrap();
    let mut connection = client.get_async_connection().await.unwrap();

    for number in 0..KEYS {
        connection
            .set::<_, _, ()>(key(number), number)
            .await
            .unwrap();
    }
    for node in cluster.nodes().iter().take(3) {
        let keys = node.call(&["DBSIZE"]).await.unwrap().as_integer();
        assert!(keys > Some(0), "{} has no key", node.name());
        let copied = node
            .call(&["WAIT", "1", "5000"])
            .await
            .unwrap()
            .as_integer();
        assert_eq!(copied, Some(1), "{} has no replica", node.name());
    }

    cluster.node("n2").unwrap().kill().await.unwrap();
    let written = until(Deadline::after(PATIENCE), Duration::from_millis(50), || {
        let mut connection = connection.clone();
        async move {
            for number in 0..KEYS {
                if let Err(error) = connection.set::<_, _, ()>(key(number), number + 1).await {
                    return ControlFlow::Continue(error.to_string());
                }
            }
            ControlFlow::Break(())
        }
    })
    .await;
    assert_eq!(written, Ok(()), "the client does not get over the failover");
    for number in 0..KEYS {
        assert_eq!(
            connection.get::<_, usize>(key(number)).await.unwrap(),
            number + 1
        );
    }
}
