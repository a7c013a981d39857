//! What can go wrong while slots move.

use std::time::Duration;

use thiserror::Error;

use crate::machine::message::{Text, run, text};
use crate::plan::Intent;
use crate::wire::slots::{Slot, SlotRanges};

/// Why slots could not be moved. What has been moved stays moved; nothing is lost.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MoveError {
    /// Slots began to move by another wish, and that was interrupted.
    #[error("{intent} was interrupted before all its slots had moved")]
    Unfinished {
        /// What was asked for.
        intent: Intent,
    },
    /// A node that slots are to leave, or to go to, says nothing.
    #[error("node `{node}` is needed for moving slots, but it does not answer: {reason}")]
    Silent {
        /// The node.
        node: String,
        /// Why it says nothing.
        reason: String,
    },
    /// Slots that neither end of a move has.
    #[error("slot {slot} was to move from `{from}` to `{to}`, but {}", owned_by(owner.as_deref()))]
    Elsewhere {
        /// The first such slot.
        slot: Slot,
        /// Where it was to come from.
        from: String,
        /// Where it was to go.
        to: String,
        /// The node that says it is its own.
        owner: Option<String>,
    },
    /// A node refused an order.
    #[error("node `{node}` answers `{command}` with `{reply}`")]
    Refused {
        /// The node.
        node: String,
        /// The command.
        command: String,
        /// Its answer, escaped.
        reply: String,
    },
    /// A key that could not be moved.
    #[error(
        "the key `{}` of slot {} ({} bytes) does not get from `{}` to `{}`, tried {tries} times, last with {} to do so: {reply}",
        slow.key, slow.slot, slow.bytes, slow.from, slow.to, humantime::format_duration(slow.timeout)
    )]
    Stuck {
        /// The key, and the last time-out.
        slow: Box<SlowKey>,
        /// How often it was tried.
        tries: u32,
        /// The last answer, escaped.
        reply: String,
    },
    /// Keys that stay in a slot although they were moved.
    #[error(
        "slot {slot} still has keys on `{from}` after {rounds} rounds of moving them to `{to}`"
    )]
    Remains {
        /// The slot.
        slot: Slot,
        /// Where they are.
        from: String,
        /// Where they were to go.
        to: String,
        /// How often all that were there were moved.
        rounds: u32,
    },
    /// The server's own migration failed again and again.
    #[error("the migration of {slots:#} from `{from}` to `{to}` {state}: {message}")]
    Migration {
        /// The slots.
        slots: SlotRanges,
        /// The source.
        from: String,
        /// The target.
        to: String,
        /// As in "failed 3 times".
        state: String,
        /// The server's words.
        message: String,
    },
    /// Some nodes have not heard of the new owners in time.
    #[error("the slots have moved, but after {} {what}", humantime::format_duration(*waited))]
    NotAgreed {
        /// Who says what.
        what: String,
        /// How long it was waited for.
        waited: Duration,
    },
}

/// A key that MIGRATE could not move in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlowKey {
    /// The key, escaped.
    pub key: String,
    /// Its size in memory, by MEMORY USAGE.
    pub bytes: u64,
    /// Its slot.
    pub slot: Slot,
    /// The node that has it.
    pub from: String,
    /// Where it goes.
    pub to: String,
    /// The time-out of the next try.
    pub timeout: Duration,
}

impl MoveError {
    /// What the user can do about it.
    pub fn hint(&self) -> Text {
        match self {
            Self::Unfinished { intent } => text![intent, " finishes it; so does ", run("fix")],
            Self::Silent { .. } => text![
                run("start"),
                " starts it; then the same command again goes on"
            ],
            Self::Elsewhere { .. } => text![
                run("check"),
                " shows who has it; ",
                run("fix"),
                " gives every slot one owner"
            ],
            Self::Refused { .. }
            | Self::Stuck { .. }
            | Self::Remains { .. }
            | Self::Migration { .. }
            | Self::NotAgreed { .. } => text![
                "the same command again continues where this one ended; ",
                run("fix"),
                " closes what is open"
            ],
        }
    }
}

fn owned_by(owner: Option<&str>) -> String {
    owner.map_or_else(
        || "no node serves it".to_owned(),
        |owner| format!("`{owner}` serves it"),
    )
}
