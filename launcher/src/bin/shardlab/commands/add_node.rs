//! `add-node`: a new node, or one that runs already, joins the cluster.

use shardlab::Error;
use shardlab::reshape::members::{Addition, Step};

use super::change::{make, tell_plan};
use super::lab::Lab;
use crate::cli::AddNodeArgs;

/// Adds a node and waits until all nodes know it.
pub(crate) async fn add_node(lab: &Lab<'_>, args: &AddNodeArgs) -> Result<u8, Error> {
    let addition = Addition {
        replica_of: args.replica_of.clone(),
        port: args.port,
        existing: args.existing,
    };
    if args.show.dry_run {
        let change = lab.open()?.plan_add_node(&addition).await?;
        return Ok(tell_plan(lab, &change, args.show));
    }
    lab.open()?;
    let lock = lab.lock().await?;
    let mut cluster = lab.open()?;
    let change = cluster.plan_add_node(&addition).await?;
    // A master that brings nothing with it.
    let empty = match change.steps() {
        [Step::Start { node, .. }] => Some(node),
        [
            Step::TakeIn {
                node,
                slots,
                master: None,
                ..
            },
        ] if slots.is_empty() => Some(node),
        _ => None,
    };
    let advice = empty.map(|node| {
        let option = lab.name_option();
        format!(
            "\n`{node}` has no slots: `shardlab rebalance --use-empty{option}` gives it an equal share, \
                 `shardlab reshard --slots N --to {node}{option}` gives it N slots"
        )
    });
    make(lab, &lock, &mut cluster, &change, args.show, advice).await
}
