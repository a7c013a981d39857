//! `stop`: ends nodes and keeps what they are.

use serde::Serialize;
use shardlab::{Error, exit};

use super::lab::Lab;
use crate::cli::Nodes;

#[derive(Serialize)]
struct StopReport<'a> {
    cluster: &'a str,
    stopped: &'a [String],
}

/// Stops the nodes, or all of them.
pub(crate) async fn stop(lab: &Lab<'_>, args: &Nodes) -> Result<u8, Error> {
    lab.open()?;
    let lock = lab.lock().await?;
    let mut cluster = lab.open()?;
    let stopped = cluster.stop_locked(&lock, &args.nodes).await?;
    let name = cluster.name().as_str();
    if args.json.json {
        lab.term.json(&StopReport {
            cluster: name,
            stopped: &stopped,
        });
    }
    lab.term.note(&match stopped.as_slice() {
        [] => format!("nothing to stop in the cluster `{name}`"),
        some => format!(
            "stopped {} of the cluster `{name}`; `shardlab start{}` starts it again with its data",
            some.join(", "),
            lab.name_option()
        ),
    });
    Ok(exit::DONE)
}
