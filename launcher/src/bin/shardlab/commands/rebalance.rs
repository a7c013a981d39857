//! `rebalance`: slots for every master by its weight.

use std::fmt::Write as _;

use shardlab::Error;
use shardlab::reshape::plan::{self, Rebalance};

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
    let mut command = format!("shardlab rebalance{}", lab.name_option());
    for (node, weight) in &wish.weights {
        let _ = write!(command, " --weight {node}={weight}");
    }
    if wish.use_empty {
        command.push_str(" --use-empty");
    }
    let _ = write!(command, " --threshold {}", wish.threshold);
    carry_out(lab, args.moving, &command, |survey| {
        plan::rebalance(survey, &wish)
    })
    .await
}
