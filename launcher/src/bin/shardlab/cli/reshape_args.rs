//! The options of the commands that move slots.

use clap::Args;
use shardlab::reshape::Way;
use shardlab::reshape::plan::Rebalance;

use super::common::Json;

/// `reshard`
#[derive(Debug, Args)]
pub(crate) struct ReshardArgs {
    /// How many slots to move.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=16384))]
    pub(crate) slots: u16,
    /// The master that gets the slots.
    #[arg(long, value_name = "NODE")]
    pub(crate) to: String,
    /// The masters that give slots, in proportion to what they own; or `all`.
    #[arg(
        long,
        value_name = "NODE,…|all",
        value_delimiter = ',',
        default_value = "all"
    )]
    pub(crate) from: Vec<String>,
    #[command(flatten)]
    pub(crate) moving: Moving,
}

/// `rebalance`
#[derive(Debug, Args)]
pub(crate) struct RebalanceArgs {
    /// A master's weight; 0 empties it; may be repeated [default: 1 each].
    #[arg(long = "weight", value_name = "NODE=W", value_parser = weight)]
    pub(crate) weights: Vec<(String, f64)>,
    /// Give masters without slots their share, too.
    #[arg(long)]
    pub(crate) use_empty: bool,
    /// Move nothing while every master is within this many percent of its share.
    #[arg(long, value_name = "PERCENT", default_value_t = Rebalance::THRESHOLD)]
    pub(crate) threshold: f64,
    #[command(flatten)]
    pub(crate) moving: Moving,
}

/// What all commands that move slots take.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Moving {
    /// Show what would be moved, but move nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How to move slots.
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) way: Way,
    #[command(flatten)]
    pub(crate) json: Json,
}

fn weight(text: &str) -> Result<(String, f64), String> {
    let (node, weight) = text
        .split_once('=')
        .ok_or_else(|| format!("`{text}` is not NODE=W, as in `n1=2`"))?;
    let weight = weight
        .parse()
        .map_err(|_| format!("`{weight}` is not a number"))?;
    Ok((node.to_owned(), weight))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_is_a_node_and_a_number() {
        assert_eq!(weight("n1=0.5"), Ok(("n1".to_owned(), 0.5)));
        assert!(weight("n1").unwrap_err().contains("NODE=W"));
        assert!(weight("n1=x").unwrap_err().contains("not a number"));
    }
}
