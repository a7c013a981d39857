//! What can be wrong with the content of an archive. Pure.

use thiserror::Error;

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
    #[error("its setting cannot be one: {0}")]
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
    #[error("`{found}` stands where `{expected}` is due")]
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
    #[error("`{0}` is not what was saved: its SHA-256 is another")]
    OtherContent(String),
    /// The file ends too early, or its compression is broken.
    #[error("it is cut short or broken: {0}")]
    Broken(String),
    /// More behind the last file.
    #[error("there is more behind its end")]
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
