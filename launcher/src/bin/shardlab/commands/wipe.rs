//! `wipe`: nodes forget their data and their cluster.

use serde::Serialize;
use shardlab::{Error, exit};

use super::lab::Lab;
use crate::cli::Wipe;

#[derive(Serialize)]
struct WipeReport<'a> {
    cluster: &'a str,
    wiped: &'a [String],
    /// Whether these nodes run now.
    running: bool,
}

/// Wipes the nodes, or all of them.
pub(crate) async fn wipe(lab: &Lab<'_>, args: &Wipe) -> Result<u8, Error> {
    lab.open()?;
    let lock = lab.lock().await?;
    let mut cluster = lab.open()?;
    let wiped = cluster.wipe_locked(&lock, &args.nodes).await?;
    let name = cluster.name().as_str();
    let nodes = cluster.nodes().iter();
    let mut runs = nodes.filter(|node| wiped.iter().any(|name| name == node.name()));
    let running = runs.any(|node| node.process().is_some());
    if args.json.json {
        lab.term.json(&WipeReport {
            cluster: name,
            wiped: &wiped,
            running,
        });
    }
    let now = if running { "running" } else { "stopped" };
    lab.term.note(&format!(
        "wiped {} of the cluster `{name}`: now empty and {now}, with the same configs and ports",
        wiped.join(", ")
    ));
    Ok(exit::DONE)
}
