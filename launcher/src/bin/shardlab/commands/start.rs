//! `start`: goes on with what was stopped or has died.

use std::time::Instant;

use shardlab::{Error, Event, exit};

use super::lab::Lab;
use super::report::ClusterReport;
use crate::cli::Start;

/// Starts the nodes that do not run, or those named.
pub(crate) async fn start(lab: &Lab<'_>, args: &Start) -> Result<u8, Error> {
    lab.open()?;
    let lock = lab.lock().await?;
    let mut cluster = lab.open()?;
    lab.tell_paused(&cluster);
    let since = Instant::now();
    let observe = |standings: &[shardlab::ladder::Standing]| {
        lab.term.event(&Event::Looked {
            standings,
            elapsed: since.elapsed(),
        });
    };
    let started = cluster
        .start_locked(&lock, &args.nodes, args.wait, args.timeout, observe)
        .await?;
    if started.is_empty() {
        lab.term.note(&format!(
            "nothing to start in the cluster `{}`",
            cluster.name()
        ));
    }
    lab.tell_unfinished(&cluster);
    let report = ClusterReport::of(&cluster, &lab.home).await;
    if args.json.json {
        lab.term.json(&report);
    } else {
        lab.term.data(&report.text());
    }
    Ok(exit::DONE)
}
