//! `start`: goes on with what was stopped or has died.

use shardlab::{Error, exit};

use super::lab::Lab;
use super::report::ClusterReport;
use crate::cli::Start;

/// Starts the nodes that do not run, or those named.
pub(crate) async fn start(lab: &Lab<'_>, args: &Start) -> Result<u8, Error> {
    lab.open()?;
    let lock = lab.lock().await?;
    let mut cluster = lab.open()?;
    lab.tell_paused(&cluster);
    let started = cluster
        .start_locked(&lock, &args.nodes, args.wait, args.timeout, lab.progress())
        .await?;
    if started.is_empty() {
        lab.term.note(&format!(
            "nothing to start in the cluster `{}`",
            cluster.name()
        ));
    }
    lab.tell_unfinished(&cluster);
    let report = ClusterReport::of(&cluster, &lab.home).await;
    report.show(lab.term, args.json);
    Ok(exit::DONE)
}
