//! What can be wrong in the state folder, and what fixes it. Pure.

use std::path::PathBuf;

use crate::machine::message::{Command, Text, text};
use crate::machine::parameter::Parameter;
use crate::state::Name;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What sort of thing.
    pub kind: Kind,
    /// The cluster that it is about; none if it is about the state folder itself.
    pub cluster: Option<Name>,
    /// The node that it is about.
    pub node: Option<String>,
    /// The file or folder that it is about.
    pub path: PathBuf,
    /// What is wrong, as a sentence without its full stop.
    pub text: String,
    /// What mends it.
    pub remedy: Remedy,
}

/// What mends a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// [`fix`](super::fix).
    Doctor {
        /// What it does, as in "ends it".
        does: Text,
        /// The same, for the program.
        action: Action,
    },
    /// Another command, or the user.
    Other(Text),
}

/// What [`fix`](super::fix) does about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Makes what is there readable and writable for its owner again.
    Permit,
    /// Removes what stands where a file of ours is to be; a folder that is not empty gets another name.
    SetAside,
    /// Makes `cluster.json` again of its copy.
    RestoreRecord,
    /// Makes the copy of `cluster.json` again.
    WriteCopy,
    /// Writes the folder that a cluster is in now into its record and its nodes' configs.
    CorrectPaths,
    /// Ends the servers of a cluster without a record; its folders stay.
    EndServers,
    /// Removes the cluster with its folders.
    RemoveCluster,
    /// Ends slots that are on their way, as `shardlab fix` does.
    FixSlots,
    /// Gives servers the settings that an interrupted restart has left changed.
    SetRight,
    /// Makes a node's folder again, with its config.
    RemakeFolder,
    /// Writes a node's config again.
    RewriteConfig,
    /// Has a node write its nodes.conf again.
    SaveMemory,
    /// Makes the nodes.conf of a node that does not run again, by what the others remember.
    RestoreMemory,
}

impl Action {
    /// What was done, for a user.
    pub fn done(self) -> &'static str {
        match self {
            Self::Permit => "its owner may read and write it again",
            Self::SetAside => {
                "removed it, or renamed it to `….aside` if it is a folder that is not empty"
            }
            Self::RestoreRecord => "restored it from its copy",
            Self::WriteCopy => "wrote it again",
            Self::CorrectPaths => "wrote the new place into its record and its nodes' configs",
            Self::EndServers => "stopped the servers and kept their data",
            Self::RemoveCluster => "removed what was left of it",
            Self::FixSlots => "finished it, as `shardlab fix` does",
            Self::SetRight => "restored the settings",
            Self::RemakeFolder => {
                "created it again, with its config; the data that was in it is lost"
            }
            Self::RewriteConfig => "wrote it again, as `up` did",
            Self::SaveMemory => "the server wrote it again",
            Self::RestoreMemory => {
                "restored it from what the other nodes remember, or removed it if they do not know the node"
            }
        }
    }
}

/// The sorts of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `cluster.json` is damaged, gone or of another version.
    Record,
    /// Its copy is.
    RecordCopy,
    /// The cluster's folder was moved.
    Moved,
    /// The cluster's folder is a copy of another one's.
    Copied,
    /// A lock, or the file by which a private cluster's owner is known, is not a file that can be locked.
    Lock,
    /// A file or folder of ours may not be read or written by us.
    Permissions,
    /// `reshape.json` is damaged.
    Journal,
    /// `reshard`, `rebalance` or another command that moves slots was interrupted.
    UnfinishedMove,
    /// `add-node`, `del-node` or `scale` was interrupted.
    UnfinishedChange,
    /// `up` was interrupted.
    InterruptedStart,
    /// `start` or `restart` was interrupted, and settings are left changed.
    InterruptedRestart,
    /// `down` was interrupted.
    InterruptedRemoval,
    /// A private cluster whose owner is gone.
    Ownerless,
    /// Servers that belong to no node of a cluster that is known.
    UnownedServers,
    /// A node's folder is gone, or something else is in its place.
    NodeFolder,
    /// A node's node.conf or sentinel.conf is damaged or gone.
    NodeConfig,
    /// A node's nodes.conf is damaged or gone.
    NodesConf,
    /// A node's server has ended since it cannot read its data.
    NodeData,
    /// Something else stands where a node has a file.
    NodeFile,
    /// A file that was never finished.
    Leftover,
}

impl Kind {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::RecordCopy => "record-copy",
            Self::Moved => "moved",
            Self::Copied => "copied",
            Self::Lock => "lock",
            Self::Permissions => "permissions",
            Self::Journal => "journal",
            Self::UnfinishedMove => "unfinished-move",
            Self::UnfinishedChange => "unfinished-change",
            Self::InterruptedStart => "interrupted-start",
            Self::InterruptedRestart => "interrupted-restart",
            Self::InterruptedRemoval => "interrupted-removal",
            Self::Ownerless => "ownerless",
            Self::UnownedServers => "unowned-servers",
            Self::NodeFolder => "node-folder",
            Self::NodeConfig => "node-config",
            Self::NodesConf => "nodes-conf",
            Self::NodeData => "node-data",
            Self::NodeFile => "node-file",
            Self::Leftover => "leftover",
        }
    }
}

impl Finding {
    /// What mends it, as a sentence without its full stop.
    pub fn hint(&self) -> Text {
        match &self.remedy {
            Remedy::Doctor { does, .. } => text![doctor_fix(), " "].and(does.clone()),
            Remedy::Other(hint) => hint.clone(),
        }
    }

    /// What [`fix`](super::fix) does about it, if anything.
    pub fn action(&self) -> Option<Action> {
        match self.remedy {
            Remedy::Doctor { action, .. } => Some(action),
            Remedy::Other(_) => None,
        }
    }
}

/// What does all that [`fix`](super::fix) does.
pub(super) fn doctor_fix() -> Command {
    Command::of_none("doctor").flag(Parameter::Fix)
}
