//! Why a failover cannot be, or was not.

use std::time::Duration;

use thiserror::Error;

use crate::machine::message::{Text, run, run_on, text};
use crate::machine::parameter::Parameter;
use crate::plan::Mode;
use crate::wire::slots::SlotRanges;

/// What keeps a shard from failing over.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FailoverError {
    /// Nobody could take over.
    #[error("{}", no_replica(master, silent))]
    NoReplica {
        /// The shard's master.
        master: String,
        /// Nodes born into its shard that do not answer.
        silent: Vec<String>,
    },
    /// The replica that was named cannot do anything.
    #[error("`{node}` {} and cannot take over", standing(*paused))]
    SilentReplica {
        /// The node.
        node: String,
        /// Whether it is paused; else it does not run, or does not answer.
        paused: bool,
    },
    /// A master that must take part, or that was to be killed, is dead already.
    #[error("the master `{master}` {}, and a {mode} failover needs it", standing(*paused))]
    SilentMaster {
        /// The master.
        master: String,
        /// Whether it is paused; else it does not run, or does not answer.
        paused: bool,
        /// What was asked for.
        mode: Mode,
    },
    /// The slots of a node that is dead or paused have another master.
    #[error("the shard of `{node}` has already failed over{}", to_whom(master.as_deref()))]
    FailedOver {
        /// Who was its master.
        node: String,
        /// Who has taken over, where that can be told.
        master: Option<String>,
    },
    /// The node is in no shard, or in one without slots.
    #[error("`{node}` {why}, so it has nothing to fail over")]
    NoShard {
        /// The node.
        node: String,
        /// What it is instead.
        why: &'static str,
    },
    /// A replica that does not follow its master.
    #[error("the link of {} to its master is down: {}", ticked(replicas), what_it_means(*mode))]
    LinkDown {
        /// The replicas of the shard that could have taken over.
        replicas: Vec<String>,
        /// What was asked for.
        mode: Mode,
    },
    /// Nobody would be elected.
    #[error("only {voters} of {masters} masters can vote, and a replica needs {needed} votes")]
    NoMajority {
        /// Masters with slots that answer, without one that is to be killed.
        voters: usize,
        /// Masters with slots.
        masters: usize,
        /// How many votes are needed.
        needed: usize,
    },
    /// Two nodes without cluster mode that both believe they are the master.
    #[error("`{first}` and `{second}` are both masters")]
    TwoMasters {
        /// One.
        first: String,
        /// The other.
        second: String,
        /// Whether sentinels will settle it.
        watched: bool,
    },
    /// A replica that does not get what its master has.
    #[error("`{replica}` has not caught up with its master within {}", humantime::format_duration(*waited))]
    Behind {
        /// The replica.
        replica: String,
        /// For how long it was waited.
        waited: Duration,
    },
    /// No sentinel could be told.
    #[error("no sentinel answers that watches `{master}`, the master")]
    NoSentinel {
        /// The master.
        master: String,
        /// Whether any answers: those take another node for the master, as in the middle of a failover.
        answering: bool,
    },
    /// The sentinels would not act on a dead master.
    #[error("the sentinels would not replace a dead master: `{sentinel}` says {reply}")]
    NoQuorum {
        /// One of them.
        sentinel: String,
        /// What it says, escaped.
        reply: String,
    },
    /// Fewer sentinels answer than must agree on who leads a failover: most of all that there are.
    #[error(
        "the sentinels would not replace a dead master: `{}` {} not answer, and {answering} of {all} cannot elect a leader",
        silent.join("`, `"), if silent.len() == 1 { "does" } else { "do" }
    )]
    FewSentinels {
        /// Those who do not.
        silent: Vec<String>,
        /// How many answer.
        answering: usize,
        /// How many there are.
        all: usize,
    },
    /// The shard has failed over, which a node in the midst of a move cannot hear of.
    #[error(
        "`{owner}` is the master now, but `{node}` does not hear that it has {slots:#}, which it was importing from the old master"
    )]
    Open {
        /// The node that is getting the slots.
        node: String,
        /// The slots.
        slots: SlotRanges,
        /// Who has them.
        owner: String,
    },
    /// A topology, or a server, that cannot do it.
    #[error("{0}")]
    Unsupported(Text),
    /// The server does not obey.
    #[error("node `{node}` answers `{command}` with `{reply}`, {times} times")]
    Refused {
        /// The node.
        node: String,
        /// The command.
        command: String,
        /// The answer, escaped.
        reply: String,
        /// How often it was sent.
        times: u32,
    },
    /// It did not come about in time.
    #[error("the shard of `{master}` has not failed over within {}: {reached}{}", humantime::format_duration(*waited), in_vain(*undone))]
    Late {
        /// The old master.
        master: String,
        /// For how long it was waited.
        waited: Duration,
        /// What had been reached, as in "suspected 1.20 s, failed 1.31 s".
        reached: String,
        /// How many times a node has claimed the role in vain.
        undone: u32,
    },
}

impl FailoverError {
    /// What the user can do about it, where that is known.
    pub fn hint(&self) -> Option<Text> {
        let force = || Parameter::Mode.as_part(Mode::Force.to_string());
        let wait_for = |what: &str| run("wait").with(Parameter::For, what);
        Some(match self {
            Self::NoReplica { silent, .. } if silent.is_empty() => return None,
            Self::NoReplica { silent, .. } => {
                text![run_on("start", &silent.join(" ")), " brings back who could"]
            }
            Self::SilentReplica { node, paused: true } => {
                text![run_on("resume", node), " resumes it"]
            }
            Self::SilentReplica { node, .. } => text![run_on("start", node), " starts it"],
            Self::SilentMaster {
                mode: Mode::Crash, ..
            } => text![
                force(),
                " does not need it, and does not wait until it is found dead"
            ],
            Self::SilentMaster { .. } => text![force(), " does not need it"],
            Self::TwoMasters { watched: true, .. }
            | Self::NoSentinel {
                answering: true, ..
            } => text![
                wait_for("ready"),
                " waits until the sentinels have settled it"
            ],
            Self::TwoMasters { .. } => text![
                run("start"),
                " has all follow the one that has most of the data"
            ],
            Self::NoSentinel { .. } | Self::NoQuorum { .. } | Self::FewSentinels { .. } => text![
                run("start"),
                " starts those that are not running, ",
                run("resume"),
                " resumes those that are paused"
            ],
            Self::FailedOver { node, .. } => text![
                run_on("start", node),
                ", or ",
                run_on("resume", node),
                " if it is paused, brings it back as a replica"
            ],
            Self::LinkDown {
                mode: Mode::Graceful,
                ..
            } => text![
                wait_for("replicas"),
                " waits for it, ",
                force(),
                " does without"
            ],
            Self::LinkDown { .. } => text![wait_for("replicas"), " waits for it"],
            Self::Open { .. } => text![run("fix"), " closes the slots and tells it"],
            Self::Behind { replica, .. } => text![
                run_on("logs", replica),
                " tells what keeps it, ",
                force(),
                " does not wait"
            ],
            Self::NoMajority { .. } => {
                text![
                    Parameter::Mode.as_part(Mode::Takeover.to_string()),
                    " needs no votes"
                ]
            }
            Self::Late { .. } => text![
                run("status"),
                " shows where it stands now; ",
                Parameter::Timeout,
                " waits longer"
            ],
            Self::Refused { .. } => text![run("logs"), " shows what the node thinks of it"],
            Self::NoShard { .. } | Self::Unsupported(_) => return None,
        })
    }
}

fn standing(paused: bool) -> &'static str {
    if paused {
        "is paused"
    } else {
        "does not answer"
    }
}

fn no_replica(master: &str, silent: &[String]) -> String {
    if silent.is_empty() {
        format!("`{master}` has no replica that could take over")
    } else {
        format!(
            "no replica of `{master}` answers: {} might be one",
            ticked(silent)
        )
    }
}

fn to_whom(master: Option<&str>) -> String {
    master.map_or_else(String::new, |master| format!(" to `{master}`"))
}

fn what_it_means(mode: Mode) -> &'static str {
    match mode {
        Mode::Graceful => "a graceful failover waits until the replica has all that its master has",
        Mode::Crash => "nobody could take over",
        Mode::Force | Mode::Takeover => "this server does not survive a take-over before that",
    }
}

fn in_vain(undone: u32) -> String {
    match undone {
        0 => String::new(),
        1 => "; the server has undone one promotion".to_owned(),
        more => format!("; the server has undone {more} promotions"),
    }
}

fn ticked(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
