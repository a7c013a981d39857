//! `cluster.json`: what is remembered of one cluster.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::folder::{Displaced, FolderId};
use super::layout::RECORD_FILE;
use crate::error::Error;
use crate::machine::process::ProcessId;
use crate::plan::{Name, NodePlan, Options};
use crate::server::{Identity, Profile};

/// The version of `cluster.json` that this program writes and reads.
pub const SCHEMA: u32 = 1;

/// How far a cluster has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// A launcher is, or was, about to start it. Found without its launcher, it is a leftover.
    Starting,
    /// It was whole once; its nodes may run or not.
    Up,
    /// Stopped on purpose; data and ports are kept.
    Stopped,
    /// Its folders are being removed. Found without a command at work on it, that was interrupted.
    Removing,
}

/// The whole of `cluster.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The cluster's name, which is its folder's name.
    pub name: Name,
    /// The cluster's folder, which the record is in unless somebody has moved or copied it; absent in
    /// records of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<FolderId>,
    /// Whether somebody has, seen when it was read.
    #[serde(skip)]
    pub displaced: Option<Displaced>,
    /// How far it has come.
    pub phase: Phase,
    /// Whether it lives only as long as the process that holds the owner's lock (`run`, the
    /// library, `--foreground`).
    pub private: bool,
    /// What the user asked for.
    pub options: Options,
    /// The server program.
    pub program: PathBuf,
    /// The name it is started under, where that decides what it is.
    pub argv0: Option<String>,
    /// What it says it is.
    pub server: Identity,
    /// How it is started, if it does not take Redis's configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Box<Profile>>,
    /// The folder that holds the nodes' folders.
    pub dir: PathBuf,
    /// Folders, outermost first, that did not exist before and that we remove when they are empty.
    pub created: Vec<PathBuf>,
    /// Whether nodes run that were started with what a restart changes ([`crate::config::boot_values`]), and nobody has
    /// set it right: their launcher was killed before.
    #[serde(default, rename = "bent", skip_serializing_if = "std::ops::Not::not")]
    pub boot_settings: bool,
    /// Whether the servers cannot be configured while they run: CONFIG is renamed, or forbidden. Then a
    /// start has no settings of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_config: bool,
    /// The nodes that a `stop` has told to end and that it has not seen end: it is under way, or was
    /// interrupted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stopping: Vec<String>,
    /// The nodes.
    pub nodes: Vec<NodeRecord>,
    /// Names of nodes that were deleted; no name is given twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retired: Vec<String>,
    /// How many replicas each master has since a node was added or deleted; absent as long as it
    /// is the cluster that [`Record::options`] describe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reshaped: Option<Vec<usize>>,
}

/// One node in `cluster.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeRecord {
    /// Name, ports and slots at birth.
    pub plan: NodePlan,
    /// The node's folder; if the node is [foreign](NodeRecord::foreign), one that does not exist.
    pub dir: PathBuf,
    /// The process, once it has been started and written down.
    pub process: Option<ProcessId>,
    /// Where it listens, if it ran already and was taken in: such a node is not ours. It is never
    /// started, signalled or removed, whatever becomes of the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign: Option<SocketAddr>,
    /// Whether it is about to come or to go.
    #[serde(default, skip_serializing_if = "Stage::is_member")]
    pub stage: Stage,
}

/// Whether a node belongs to the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// It does.
    #[default]
    Member,
    /// It is about to.
    Joining {
        /// The name of the master that it is to copy; none if it is to be one itself.
        replica_of: Option<String>,
    },
    /// It is about to be deleted.
    Leaving,
}

impl Stage {
    /// Whether it is neither coming nor going.
    pub fn is_member(&self) -> bool {
        *self == Self::Member
    }
}

impl NodeRecord {
    /// A node of ours that is about to be started in `dir`.
    pub fn new(plan: NodePlan, dir: PathBuf) -> Self {
        Self {
            plan,
            dir,
            process: None,
            foreign: None,
            stage: Stage::Member,
        }
    }
}

/// Refuses node folders that exist: they are somebody's, and ours are removed with the cluster.
pub(crate) fn refuse_existing(nodes: &[NodeRecord]) -> Result<(), Error> {
    match nodes
        .iter()
        .find(|node| node.dir.symlink_metadata().is_ok())
    {
        Some(node) => Err(Error::FolderExists {
            node: node.plan.name.clone(),
            path: node.dir.clone(),
        }),
        None => Ok(()),
    }
}

impl Record {
    /// Refuses to change a cluster whose folder was moved or copied: `folder` is where it is now.
    ///
    /// # Errors
    /// [`Error::State`], if it is so.
    pub fn refuse_displaced(&self, folder: &Path) -> Result<(), Error> {
        match &self.displaced {
            None => Ok(()),
            Some(displaced) => Err(Error::State {
                path: folder.join(RECORD_FILE),
                reason: displaced.to_string(),
            }),
        }
    }
}
