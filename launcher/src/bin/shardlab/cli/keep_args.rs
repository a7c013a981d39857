//! The arguments of what keeps a cluster and undoes it.

use std::path::PathBuf;

use clap::Args;

use super::common::Json;

/// `save`
#[derive(Debug, Args)]
pub(crate) struct Save {
    /// The file, such as lab.shardlab; only you can read it, since it holds passwords.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Replace the file if there is one.
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `wipe`
#[derive(Debug, Args)]
pub(crate) struct Wipe {
    /// Names, ports or beginnings of ids [default: all nodes].
    #[arg(value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    #[command(flatten)]
    pub(crate) json: Json,
}
