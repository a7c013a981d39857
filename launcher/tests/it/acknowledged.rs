//! A client that writes all the time to one shard and remembers what a replica has acknowledged (WAIT 1):
//! for tests and benchmarks of masters that change.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use shardlab::machine::wait::{Deadline, next_round};
use shardlab::node::{Endpoint, Node};
use shardlab::plan::Role;
use shardlab::wire::client::Connection;
use shardlab::{Cluster, Error};

/// How long a reply may take: a master that hands over answers no writes for some seconds.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the client waits for a replica's acknowledgement, in milliseconds.
const ACKNOWLEDGED_WITHIN: &str = "100";
/// How long the client rests after each write.
const PACE: Duration = Duration::from_millis(1);
/// How many keys are read at once.
const PIPELINE: usize = 1000;

/// A client at work on a thread of its own, until it is stopped.
pub(crate) struct Writer {
    enough: Arc<AtomicBool>,
    thread: JoinHandle<Vec<u32>>,
}

impl Writer {
    /// Begins. In a cluster all keys are in slot 3300, which is of `n1` at birth.
    pub(crate) fn start(cluster: &Cluster) -> Self {
        let nodes: Vec<Endpoint> = cluster.nodes_with_data().map(Node::endpoint).collect();
        let enough = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&enough);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(write_until(&stop, &nodes))
        });
        Self { enough, thread }
    }

    /// Ends it; gives the numbers of the writes that a replica has acknowledged.
    pub(crate) fn stop(self) -> Vec<u32> {
        self.enough.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

fn key(number: u32) -> String {
    format!("{{b}}{number}")
}

fn get(number: u32) -> [String; 2] {
    ["GET".to_owned(), key(number)]
}

/// Which of the writes the shard's master does not have.
pub(crate) async fn lost(cluster: &Cluster, acknowledged: &[u32]) -> Result<Vec<u32>, Error> {
    let mut lost = acknowledged.to_vec();
    for node in cluster.nodes_with_data() {
        if node.role().await? != Role::Master {
            continue;
        }
        let mut connection = node.connect().await?;
        let mut missing = Vec::new();
        for numbers in lost.chunks(PIPELINE) {
            let keys: Vec<[String; 2]> = numbers.iter().map(|number| get(*number)).collect();
            let commands: Vec<&[String]> = keys.iter().map(<[String; 2]>::as_slice).collect();
            let replies = connection.pipeline(&commands, Deadline::after(PATIENCE));
            let replies = replies.await.unwrap_or_default();
            for (place, number) in numbers.iter().enumerate() {
                let reply = replies.get(place);
                // Another shard's master answers MOVED.
                if reply.and_then(|reply| reply.as_text()) != Some(b"v") {
                    missing.push(*number);
                }
            }
        }
        lost = missing;
    }
    Ok(lost)
}

async fn write_until(enough: &AtomicBool, nodes: &[Endpoint]) -> Vec<u32> {
    let mut acknowledged = Vec::new();
    let mut places = (0..nodes.len()).cycle();
    let mut connection = None;
    let mut number = 0;
    while !enough.load(Ordering::Relaxed) {
        let deadline = Deadline::after(PATIENCE);
        if connection.is_none()
            && let Some(node) = places.next().and_then(|place| nodes.get(place))
        {
            connection = node.connect(deadline).await.ok();
        }
        if let Some(mut open) = connection.take()
            && let Some(is_acknowledged) = write(&mut open, number, deadline).await
        {
            if is_acknowledged {
                acknowledged.push(number);
            }
            connection = Some(open);
        }
        number += 1;
        next_round(PACE, deadline).await;
    }
    acknowledged
}

/// Whether a replica has acknowledged the write; `None` if the node is not the master.
async fn write(connection: &mut Connection, number: u32, deadline: Deadline) -> Option<bool> {
    let set = connection.call(&["SET", &key(number), "v"], deadline).await;
    set.ok().filter(|reply| reply.as_error().is_none())?;
    let wait = ["WAIT", "1", ACKNOWLEDGED_WITHIN];
    let replicas = connection.call(&wait, deadline).await.ok()?;
    Some(replicas.as_integer()? > 0)
}
