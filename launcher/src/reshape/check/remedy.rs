//! What mends a finding, in words. Pure.

use crate::machine::message::{Text, run, run_on, text};
use crate::machine::parameter::Parameter;
use crate::plan::Intent;

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
    pub fn hint(&self) -> Text {
        let fix = || run("fix");
        match self {
            Self::Fix => text![fix()],
            Self::Finish(intent) => text![fix(), ", or ", intent],
            Self::Start(node) => text![run_on("start", node)],
            Self::Resume(node) => text![run_on("resume", node)],
            Self::Restart(node) => text![
                "it passes if the node is only busy; if not, ",
                run_on("restart", node)
            ],
            Self::Foreign(node) => text![
                format!("shardlab did not start {node}: start it the way it was started, or "),
                run_on("del-node", node)
            ],
            Self::Wait => text!["wait until the command has ended, then check again"],
            Self::Time => text!["it usually passes within seconds; if not, ", fix()],
            Self::AddReplica(node) => text![run("add-node").with(Parameter::ReplicaOf, node)],
            Self::OnAllMasters(command) => {
                text![run("call").flag(Parameter::Masters).arg(command)]
            }
            Self::Again => text!["run the same command again"],
            Self::Others => text!["it passes once the other findings are fixed"],
            Self::Decide(address) => text![
                "to keep it, ",
                run("add-node").with(Parameter::Existing, address),
                "; to be rid of it, move its slots away, stop it, then ",
                fix()
            ],
        }
    }
}
