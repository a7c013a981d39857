//! What can go wrong with archives, for a user.

use std::path::PathBuf;

use thiserror::Error;

use crate::machine::message::{Text, run, text};
use crate::machine::parameter::Parameter;
use crate::plan::Name;
use crate::server::Identity;

/// Saving a cluster, or starting one from an archive, is not possible.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// There is a file of that name.
    #[error("`{}` already exists", .0.display())]
    Exists(PathBuf),
    /// A place where no archive can be.
    #[error("cannot save to `{}`: {reason}", path.display())]
    Target {
        /// The path given.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A node that ran before it was taken in.
    #[error("node `{0}` was not started by shardlab, which does not save its data")]
    NotOurs(String),
    /// A node that is coming or going.
    #[error("node `{0}` is about to join or to leave")]
    Unsettled(String),
    /// A node that shardlab does not know has a part in the cluster.
    #[error("node `{node}` knows a node with the id {id}, which does not belong to this cluster")]
    Stranger {
        /// The node whose nodes.conf names it.
        node: String,
        /// The stranger.
        id: String,
    },
    /// Roles or slots went elsewhere meanwhile.
    #[error("roles or slots of the cluster `{0}` changed while it was saved")]
    Changed(Name),
    /// A node did not save its data.
    #[error("node `{node}` did not save its data: {reason}")]
    Snapshot {
        /// The node.
        node: String,
        /// Its words, or ours.
        reason: String,
    },
    /// A file whose name cannot stand in an archive.
    #[error("node `{node}` has a file `{path}`, which cannot be saved: {reason}")]
    File {
        /// The node.
        node: String,
        /// The path in its folder.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Not one of ours, cut short, or altered.
    #[error("`{}` is refused: {damage}", path.display())]
    Damaged {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        damage: Damage,
    },
    /// Options that an archive decides.
    #[error("the cluster in `{}` is another one: {differences}", path.display())]
    Contradicts {
        /// The archive.
        path: PathBuf,
        /// What is so instead.
        differences: String,
    },
    /// Not enough space for what it holds.
    #[error("what `{}` holds needs {needed} bytes; there are {there}", path.display())]
    Space {
        /// The archive.
        path: PathBuf,
        /// Bytes needed.
        needed: u64,
        /// Bytes free.
        there: u64,
    },
    /// The server does not read what another one has written.
    #[error("{server} cannot read the data that {saved} has written: {words}")]
    Foreign {
        /// Who wrote it.
        saved: Identity,
        /// Who was to read it.
        server: Identity,
        /// The server's words.
        words: String,
    },
}

impl ArchiveError {
    /// What the user can do about it, where that is known.
    pub fn hint(&self) -> Option<Text> {
        Some(match self {
            Self::NotOurs(_) => text![run("del-node"), " releases it"],
            Self::Unsettled(_) => {
                text!["run the command that was interrupted again to finish it"]
            }
            Self::Exists(_) => text![Parameter::Force, " replaces it"],
            Self::Target { .. } => text!["name a regular file in a folder that exists"],
            Self::Stranger { .. } => {
                text![
                    "a cluster is saved whole: ",
                    run("check"),
                    " tells who is in it"
                ]
            }
            Self::Changed(_) => text![
                "run it again when the cluster is at rest; ",
                run("wait"),
                " waits for that"
            ],
            Self::Snapshot { .. } => text![run("logs"), " tells more"],
            Self::Damaged { .. } => {
                text!["only what `save` has written, whole and unchanged, can be restored"]
            }
            Self::Contradicts { .. } => {
                text!["leave these options out; a cluster's shape comes with its archive"]
            }
            Self::Space { .. } => text![Parameter::Dir, " takes another place"],
            Self::Foreign { .. } => text![
                "servers read what older ones of the same line have written; ",
                Parameter::Server,
                " takes another one"
            ],
            Self::File { .. } => return None,
        })
    }
}

/// Why an archive is not taken. Nothing of it is used then.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Damage {
    /// Not a gzipped tar file that begins with a manifest.
    #[error("it does not begin with a manifest")]
    NoManifest,
    /// A manifest that is longer than any of ours.
    #[error("its manifest has {0} bytes, more than any that shardlab writes")]
    ManifestSize(u64),
    /// A manifest of another time.
    #[error("it has schema {given}, this shardlab knows {known}")]
    Schema {
        /// Its own.
        given: u64,
        /// Ours.
        known: u32,
    },
    /// A manifest that cannot be read.
    #[error("its manifest cannot be read: {0}")]
    Manifest(String),
    /// No nodes, or more than a cluster may have.
    #[error("it has {0} nodes")]
    NodeCount(usize),
    /// A node's name that no plan gives.
    #[error("`{0}` is not the name of a node")]
    NodeName(String),
    /// A setting that nobody can have asked for.
    #[error("its setting is not valid: {0}")]
    Setting(String),
    /// A name of a data file that leads out of the node's folder.
    #[error("its setting `{key}` is `{value}`, which is not the name of a file")]
    FileName {
        /// The directive.
        key: String,
        /// Its value, escaped.
        value: String,
    },
    /// The same node twice.
    #[error("node `{0}` is in it twice")]
    NodeTwice(String),
    /// A path that no node's file has.
    #[error("`{path}` is not a file of a node: {reason}")]
    Path {
        /// The path in the archive.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// More files than any server writes.
    #[error("node `{node}` has {files} files, more than any that shardlab writes")]
    FileCount {
        /// The node.
        node: String,
        /// How many.
        files: usize,
    },
    /// The same path twice.
    #[error("`{0}` is in it twice")]
    FileTwice(String),
    /// A sum that is none.
    #[error("`{0}` has no SHA-256 of 64 hex digits")]
    Sum(String),
    /// A file that is larger than it may be.
    #[error("`{path}` has {length} bytes, more than it may have")]
    Length {
        /// The path in the archive.
        path: String,
        /// Its length by the manifest.
        length: u64,
    },
    /// Something else where a file of the manifest was due.
    #[error("`{found}` was found where `{expected}` was expected")]
    Unexpected {
        /// The path found, escaped.
        found: String,
        /// The manifest's path, or `the end`.
        expected: String,
    },
    /// A link, a device, a folder, ….
    #[error("`{path}` is not a plain file")]
    NotAFile {
        /// The path found, escaped.
        path: String,
    },
    /// A length that is not the manifest's.
    #[error("`{path}` has {found} bytes, {expected} by the manifest")]
    OtherLength {
        /// The path.
        path: String,
        /// The member's length.
        found: u64,
        /// The manifest's.
        expected: u64,
    },
    /// Content that is not what was saved.
    #[error("`{0}` has changed since it was saved: its SHA-256 does not match")]
    OtherContent(String),
    /// The file ends too early, or its compression is broken.
    #[error("it is cut short or broken: {0}")]
    Broken(String),
    /// More behind the last file.
    #[error("data follows its end")]
    Trailing,
    /// It was another file a moment ago.
    #[error("it was replaced while it was read")]
    Replaced,
    /// A nodes.conf that no server has written.
    #[error("nodes.conf of `{node}` cannot be understood: {reason}")]
    NodesConf {
        /// The node.
        node: String,
        /// What is wrong.
        reason: String,
    },
}
