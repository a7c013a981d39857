//! Wishes that cannot be fulfilled.

use thiserror::Error;

use crate::machine::message::{Text, run, text};
use crate::machine::parameter::Parameter;
use crate::wire::slots::{Slot, SlotRanges};
use crate::wire::view::Direction;

/// Why there is no plan. Nothing has been changed.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum WishError {
    /// A node that says nothing.
    #[error("node `{node}` is to give or take slots, but it does not answer")]
    Silent {
        /// The node.
        node: String,
    },
    /// Slots are a master's.
    #[error("node `{node}` is a replica{}, and slots belong to masters", of(master.as_deref()))]
    NotMaster {
        /// The node.
        node: String,
        /// Its master, if that one speaks.
        master: Option<String>,
    },
    /// From a node to itself.
    #[error("node `{node}` cannot give slots to itself")]
    TargetAmongSources {
        /// The node.
        node: String,
    },
    /// The same source twice.
    #[error("node `{node}` is named twice as a source")]
    Twice {
        /// The node.
        node: String,
    },
    /// Nothing to move.
    #[error("0 slots were asked for, which moves nothing")]
    NoSlots,
    /// More than there is.
    #[error("{wanted} slots are to leave {sources}, which {} {owned}", if *many { "own" } else { "owns" })]
    TooMany {
        /// How many were asked for.
        wanted: u16,
        /// How many there are.
        owned: u16,
        /// The sources, as in "`n1` and `n2`".
        sources: String,
        /// Whether there are several.
        many: bool,
    },
    /// A weight below zero, or not a number.
    #[error("the weight of node `{node}` is {weight}; a weight is 0 or more")]
    Weight {
        /// The node.
        node: String,
        /// What was given.
        weight: f64,
    },
    /// All weights are zero.
    #[error("the weights of the masters add up to 0, so no master could get the slots")]
    Weightless,
    /// A threshold below zero, or not a number.
    #[error("the threshold is {0}; it is a percentage, 0 or more")]
    Threshold(f64),
    /// Slots that no node that answers owns.
    #[error("no node that answers owns {slots:#}")]
    NotCovered {
        /// The slots.
        slots: SlotRanges,
    },
    /// A slot is on its way.
    #[error("slot {slot} is {direction} on node `{node}`: an earlier move was not finished")]
    Open {
        /// The slot.
        slot: Slot,
        /// The node that says so.
        node: String,
        /// Which way.
        direction: Direction,
    },
    /// A slot has two owners.
    #[error("both `{one}` and `{other}` say that they own slot {slot}")]
    Disputed {
        /// The slot.
        slot: Slot,
        /// One owner.
        one: String,
        /// The other one.
        other: String,
    },
}

impl WishError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<Text> {
        Some(match self {
            Self::Silent { .. } => text![
                run("status"),
                " shows which nodes run; ",
                run("start"),
                " starts the others"
            ],
            Self::NotMaster {
                master: Some(master),
                ..
            } => text![format!("`{master}` is its master")],
            Self::TooMany { owned, .. } => {
                text![
                    Parameter::Slots.as_part(owned.to_string()),
                    " moves them all"
                ]
            }
            Self::NotCovered { .. } => text![
                run("check"),
                " shows why; ",
                run("start"),
                " starts what is down, ",
                run("fix"),
                " gives slots without an owner to masters"
            ],
            Self::Open { .. } | Self::Disputed { .. } => text![run("fix"), " repairs it"],
            Self::Weightless => text![
                Parameter::Weight.as_part("NODE=1"),
                " gives a master its share; ",
                Parameter::UseEmpty,
                " counts those without slots"
            ],
            Self::NotMaster { master: None, .. }
            | Self::TargetAmongSources { .. }
            | Self::Twice { .. }
            | Self::NoSlots
            | Self::Weight { .. }
            | Self::Threshold(_) => return None,
        })
    }
}

fn of(master: Option<&str>) -> String {
    master
        .map(|master| format!(" of `{master}`"))
        .unwrap_or_default()
}
