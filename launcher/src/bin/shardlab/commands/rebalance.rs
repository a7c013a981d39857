//! `rebalance`: slots for every master by its weight.

use shardlab::reshape::plan::Rebalance;
use shardlab::{Cluster, Error};

use super::lab::Lab;
use super::moving::carry_out;
use crate::cli::RebalanceArgs;

/// Gives every master its share, or finishes what the same command has begun.
pub(crate) async fn rebalance(lab: &Lab<'_>, args: &RebalanceArgs) -> Result<u8, Error> {
    let cluster = lab.open_with_slots()?;
    let mut wish = Rebalance {
        use_empty: args.use_empty,
        threshold: args.threshold,
        ..Rebalance::default()
    };
    for (node, weight) in &args.weights {
        let node = cluster.node(node)?.name().to_owned();
        wish.weights.insert(node, *weight);
    }
    let plan = async |cluster: &Cluster| cluster.plan_rebalance(&wish).await;
    carry_out(lab, args.moving, plan).await
}
