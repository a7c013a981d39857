//! `restart`: stops and starts nodes, at once or one after the other.

use std::time::Instant;

use shardlab::failover::Step;
use shardlab::{Cluster, Error, Event, exit};

use super::lab::Lab;
use super::report::ClusterReport;
use crate::cli::Restart;
use shardlab::state::Lock;

/// Restarts the nodes, or all of them, and shows the cluster.
pub(crate) async fn restart(lab: &Lab<'_>, args: &Restart) -> Result<u8, Error> {
    lab.open()?;
    let lock = lab.lock().await?;
    let mut cluster = lab.open()?;
    let restarted = if args.rolling {
        one_by_one(lab, args, &lock, &mut cluster).await?
    } else {
        at_once(lab, args, &lock, &mut cluster).await?
    };
    lab.term
        .note(&format!("restarted {}", restarted.join(", ")));
    let report = ClusterReport::of(&cluster, &lab.home).await;
    if args.json.json {
        lab.term.json(&report);
    } else {
        lab.term.data(&report.text());
    }
    Ok(exit::DONE)
}

async fn at_once(
    lab: &Lab<'_>,
    args: &Restart,
    lock: &Lock,
    cluster: &mut Cluster,
) -> Result<Vec<String>, Error> {
    let since = Instant::now();
    let observe = |standings: &[shardlab::ladder::Standing]| {
        lab.term.event(&Event::Looked {
            standings,
            elapsed: since.elapsed(),
        });
    };
    cluster
        .restart_locked(lock, &args.nodes, args.wait, args.timeout, observe)
        .await
}

async fn one_by_one(
    lab: &Lab<'_>,
    args: &Restart,
    lock: &Lock,
    cluster: &mut Cluster,
) -> Result<Vec<String>, Error> {
    let observe = |step: &Step<'_>| match step {
        Step::FailingOver { node } => lab.term.under_way(&format!("failing over `{node}`")),
        Step::FailedOver(failover) => lab.term.note(&format!(
            "  ok `{}` is the master instead of `{}`",
            failover.new_master, failover.old_master
        )),
        Step::InPlace {
            node,
            loses_data: false,
        } => lab.term.note(&format!(
            "  `{node}` has no replica: its slots are not served until it is back"
        )),
        Step::InPlace { node, .. } => lab.term.note(&format!(
            "  `{node}` has no replica and keeps its data in memory only: the data is lost"
        )),
        Step::Restarting { node } => lab.term.under_way(&format!("`{node}` restarts")),
        Step::Restarted { node, took } => lab.term.note(&format!(
            "  ok `{node}` has restarted, {:.2} s",
            took.as_secs_f64()
        )),
        _ => {}
    };
    cluster
        .restart_rolling_locked(lock, &args.nodes, args.timeout, observe)
        .await
}
