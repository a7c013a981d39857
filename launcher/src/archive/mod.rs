//! A cluster with its data as one file, and a cluster made from one.
//!
//! An archive is a gzipped tar file. Its first member is `manifest.json` (schema, options, server,
//! nodes, and the length and SHA-256 of each file); then come the nodes' files in the manifest's
//! order, and nothing else:
//!
//! ```text
//! manifest.json
//! n1/nodes.conf        what the node remembers of the cluster
//! n1/snapshot.rdb      its data, of a node that ran
//! r1/nodes.conf
//! r1/data/dump.rdb     its files as they were, of a node that did not run
//! ```
//!
//! The data of a node that runs is what BGSAVE writes: each node at a moment of its own, while all
//! go on serving. A snapshot is good for either kind of persistence, since servers take an RDB file
//! for the beginning of an append-only file (`loadSingleAppendOnlyFile`, `aof.c`, Redis 4.0 and later)
//! and one with the old name for its base (`aofUpgradePrepare`, `aof.c`, Redis 7.0 and later).
//!
//! An archive is somebody's file until it has been checked: paths, lengths and sums are the
//! manifest's or it is refused, and a restored node knows no address but those of its own cluster.

mod background;
mod manifest;
mod nodes_conf;
mod pack;
mod restore;
mod save;
mod snapshot;
mod unpack;
mod wishes;

pub use crate::error::archive::{ArchiveError, Damage};

pub use background::ArchiveProgress;
pub use manifest::{Manifest, SavedFile, SavedNode};
pub use save::Saved;
pub use unpack::Archive;

pub(crate) use restore::{plan, restore};
