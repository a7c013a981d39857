//! What mends a finding, in words. Pure.

use crate::error::hint::{Hint, hint, run, run_on};
use crate::plan::{Intent, Parameter};

/// What mends a finding.
#[derive(Debug, Clone, PartialEq)]
pub enum Remedy {
    /// `shardlab fix`
    Fix,
    /// The same must be asked for again, or `shardlab fix`.
    Finish(Intent),
    /// `shardlab start NODE`
    Start(String),
    /// `shardlab resume NODE`
    Resume(String),
    /// It runs and is busy; else `shardlab restart NODE`.
    Restart(String),
    /// It is not ours: whoever started it must look after it.
    Foreign(String),
    /// The command that is at work must be waited for.
    Wait,
    /// It passes by itself, or `fix` helps.
    Time,
    /// A replica must be added.
    AddReplica(String),
    /// All masters must be given this command, with what is to be the same on all of them.
    OnAllMasters(String),
    /// The command that was interrupted must be given again.
    Again,
    /// Another finding must be mended first.
    Others,
    /// It is to be decided by the user: the node at this address is alive.
    Decide(String),
}

impl Remedy {
    /// The remedy in words.
    pub fn hint(&self) -> Hint {
        let fix = || run("fix");
        match self {
            Self::Fix => hint![fix()],
            Self::Finish(intent) => hint![fix(), ", or ", intent],
            Self::Start(node) => hint![run_on("start", node)],
            Self::Resume(node) => hint![run_on("resume", node)],
            Self::Restart(node) => hint![
                "it passes if the node is only busy; if not, ",
                run_on("restart", node)
            ],
            Self::Foreign(node) => hint![
                format!("shardlab did not start {node}: start it the way it was started, or "),
                run_on("del-node", node)
            ],
            Self::Wait => hint!["wait until the command has ended, then check again"],
            Self::Time => hint!["it usually passes within seconds; if not, ", fix()],
            Self::AddReplica(node) => hint![run("add-node").with(Parameter::ReplicaOf, node)],
            Self::OnAllMasters(command) => {
                hint![run("call").flag(Parameter::Masters).arg(command)]
            }
            Self::Again => hint!["run the same command again"],
            Self::Others => hint!["it passes once the other findings are fixed"],
            Self::Decide(address) => hint![
                "to keep it, ",
                run("add-node").with(Parameter::Existing, address),
                "; to be rid of it, move its slots away, stop it, then ",
                fix()
            ],
        }
    }
}
