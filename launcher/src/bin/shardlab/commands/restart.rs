//! `restart`: stops and starts nodes, at once or one after the other.

use shardlab::failover::Step;
use shardlab::{Cluster, Error, exit};

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
        let (wait, timeout) = (args.wait, args.timeout);
        let restarting = cluster.restart_locked(&lock, &args.nodes, wait, timeout, lab.progress());
        restarting.await?
    };
    lab.term
        .note(&format!("restarted {}", restarted.join(", ")));
    let report = ClusterReport::of(&cluster, &lab.home).await;
    report.show(lab.term, args.json);
    Ok(exit::DONE)
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
