//! What can be asked of a cluster that holds data: slots and nodes that move. Pure.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::machine::message::{Command, Part, run, run_on};
use crate::machine::parameter::Parameter;
use crate::machine::text::counted;

/// A number of slots that one node is to get from others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reshard {
    /// How many.
    pub slots: u16,
    /// The name of the master that gets them.
    pub to: String,
    /// Who gives them.
    pub from: Sources,
}

/// Who gives slots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sources {
    /// All other masters.
    All,
    /// The masters of these names.
    Nodes(Vec<String>),
}

/// How the slots are to be dealt out anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rebalance {
    /// Weights by node name; 1 for those that are not named. A weight of 0 empties a master.
    pub weights: BTreeMap<String, f64>,
    /// Masters without slots count, too; otherwise only those that have a weight.
    pub use_empty: bool,
    /// How many percent a master may be off its share before anything is moved. 0 or more.
    pub threshold: f64,
}

impl Rebalance {
    /// What `redis-cli --cluster rebalance` takes for `--cluster-threshold`, in percent.
    pub const THRESHOLD: f64 = 2.0;
}

impl Default for Rebalance {
    fn default() -> Self {
        Self {
            weights: BTreeMap::new(),
            use_empty: false,
            threshold: Self::THRESHOLD,
        }
    }
}

/// How a scaled cluster is to be; what is not said stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// How many masters, with the slots evenly among them.
    pub masters: Option<usize>,
    /// How many replicas each of them has. If it is not said, each master keeps its own, and a new
    /// one gets as many as the master with the fewest.
    pub replicas: Option<usize>,
}

/// What a verb that moves slots was asked for. It is written down before the first slot moves, so that the same
/// verb, called again, goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Intent {
    /// Slots to one master.
    Reshard(Reshard),
    /// To every master its share.
    Rebalance(Rebalance),
    /// So many masters and replicas.
    Scale(Scale),
    /// A node is to go.
    DelNode {
        /// The node.
        node: String,
    },
    /// A command in the words in which version 0.1.0 wrote it down.
    Command(String),
}

impl fmt::Display for Intent {
    /// As in "the reshard of 3 slots to `n1`".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reshard(Reshard { slots, to, from }) => {
                let slots = counted(usize::from(*slots), "slot");
                write!(f, "the reshard of {slots} to `{to}`")?;
                match from {
                    Sources::All => Ok(()),
                    Sources::Nodes(nodes) => write!(f, " from `{}`", nodes.join("`, `")),
                }
            }
            Self::Rebalance(_) => f.write_str("the rebalance"),
            Self::Scale(Scale { masters, replicas }) => {
                f.write_str("the change")?;
                if let Some(masters) = masters {
                    write!(f, " to {}", counted(*masters, "master"))?;
                }
                if let Some(replicas) = replicas {
                    let with = if masters.is_some() { "with" } else { "to" };
                    write!(f, " {with} {} each", counted(*replicas, "replica"))?;
                }
                Ok(())
            }
            Self::DelNode { node } => write!(f, "the deletion of `{node}`"),
            Self::Command(command) => write!(f, "`{command}`"),
        }
    }
}

impl From<&Intent> for Part {
    /// The command by which it is asked for again.
    fn from(intent: &Intent) -> Self {
        let command = match intent {
            Intent::Reshard(Reshard { slots, to, from }) => run("reshard")
                .with(Parameter::Slots, slots.to_string())
                .with(Parameter::To, to)
                .with(
                    Parameter::From,
                    match from {
                        Sources::All => "all".to_owned(),
                        Sources::Nodes(nodes) => nodes.join(","),
                    },
                ),
            Intent::Rebalance(wish) => rebalance(wish),
            Intent::Scale(Scale { masters, replicas }) => {
                let numbers = [
                    (Parameter::Masters, masters),
                    (Parameter::Replicas, replicas),
                ];
                let numbers = numbers.into_iter();
                numbers.fold(run("scale"), |command, (parameter, number)| match number {
                    None => command,
                    Some(number) => command.with(parameter, number.to_string()),
                })
            }
            Intent::DelNode { node } => run_on("del-node", node),
            Intent::Command(command) => return Self::Words(format!("`{command}`")),
        };
        Self::Command(command)
    }
}

fn rebalance(wish: &Rebalance) -> Command {
    let weights = wish.weights.iter();
    let mut command = weights.fold(run("rebalance"), |command, (node, weight)| {
        command.with(Parameter::Weight, format!("{node}={weight}"))
    });
    if wish.use_empty {
        command = command.flag(Parameter::UseEmpty);
    }
    command.with(Parameter::Threshold, wish.threshold.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intent_is_told_in_plain_words() {
        let reshard = |from| {
            Intent::Reshard(Reshard {
                slots: 1,
                to: "n1".to_owned(),
                from,
            })
        };
        let scale = |masters, replicas| Intent::Scale(Scale { masters, replicas });
        let nodes = Sources::Nodes(vec!["n2".to_owned(), "n3".to_owned()]);
        for (intent, told) in [
            (reshard(Sources::All), "the reshard of 1 slot to `n1`"),
            (
                reshard(nodes),
                "the reshard of 1 slot to `n1` from `n2`, `n3`",
            ),
            (
                scale(Some(3), Some(1)),
                "the change to 3 masters with 1 replica each",
            ),
            (scale(None, Some(2)), "the change to 2 replicas each"),
            (scale(Some(1), None), "the change to 1 master"),
        ] {
            assert_eq!(intent.to_string(), told);
        }
    }

    #[test]
    fn a_weight_is_read_as_it_was_written() {
        let intent = Intent::Rebalance(Rebalance {
            weights: BTreeMap::from([("n1".to_owned(), 1.061_105_713_988_587_3)]),
            ..Rebalance::default()
        });
        let text = serde_json::to_string(&intent).unwrap();
        assert_eq!(serde_json::from_str::<Intent>(&text).unwrap(), intent);
    }
}
