//! The arguments of what keeps a cluster and undoes it.

use std::path::PathBuf;

use clap::Args;

use super::common::Json;

/// `save`
#[derive(Debug, Args)]
pub(crate) struct Save {
    /// The file, such as lab.shardlab; it may hold the password, so only you can read it.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Replace the file if it exists.
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `wipe`
#[derive(Debug, Args)]
pub(crate) struct Wipe {
    /// Node names, ports or id prefixes [default: all nodes].
    #[arg(value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    #[command(flatten)]
    pub(crate) json: Json,
}
