//! The options of the commands by which nodes come and go.

use std::net::{SocketAddr, ToSocketAddrs as _};

use clap::Args;

use super::common::Json;

/// `add-node`
#[derive(Debug, Args)]
pub(crate) struct AddNodeArgs {
    /// Add a replica to the shard of this node [default: add a master without slots].
    #[arg(long, value_name = "NODE")]
    pub(crate) replica_of: Option<String>,
    /// The new node's client port [default: the next free port after the cluster's].
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..), conflicts_with = "existing")]
    pub(crate) port: Option<u16>,
    /// Add a server that is already running: either an empty one in cluster mode that is in no cluster, or a
    /// node that was added to this cluster by other means. Shardlab never stops it.
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    pub(crate) existing: Option<SocketAddr>,
    #[command(flatten)]
    pub(crate) show: Show,
}

/// `del-node`
#[derive(Debug, Args)]
pub(crate) struct DelNodeArgs {
    /// A node's name, port or id prefix.
    #[arg(value_name = "NODE")]
    pub(crate) node: String,
    /// Delete it even if its keys are lost, or if nodes that are down cannot forget it.
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) show: Show,
}

/// `scale`
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("size").required(true).multiple(true))]
pub(crate) struct ScaleArgs {
    /// Number of masters; they get equal shares of the slots.
    #[arg(long, value_name = "N", group = "size")]
    pub(crate) masters: Option<usize>,
    /// Replicas of each master [default: unchanged; a new master gets as many as the master with the fewest].
    #[arg(long, value_name = "M", group = "size")]
    pub(crate) replicas: Option<usize>,
    #[command(flatten)]
    pub(crate) show: Show,
}

/// What is shown, and whether that is all.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Show {
    /// Show what would be done, but do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) json: Json,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let expected = "expected HOST:PORT, such as `127.0.0.1:7007`";
    let is_like_one = text
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if !is_like_one {
        return Err(expected.to_owned());
    }
    let mut found = text.to_socket_addrs().ok();
    let found = found.as_mut().and_then(Iterator::next);
    found.ok_or_else(|| format!("the host is not known; {expected}"))
}
