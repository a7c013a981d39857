//! The options of the commands by which nodes come and go.

use std::net::{SocketAddr, ToSocketAddrs as _};

use clap::Args;

use super::common::Json;

/// `add-node`
#[derive(Debug, Args)]
pub(crate) struct AddNodeArgs {
    /// A node of the shard in which the new one becomes a replica [default: a master without slots].
    #[arg(long, value_name = "NODE")]
    pub(crate) replica_of: Option<String>,
    /// Its client port [default: the next one behind the cluster's that is free].
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..), conflicts_with = "existing")]
    pub(crate) port: Option<u16>,
    /// A server that is already running: in cluster mode, alone and without data, or a node that others have
    /// added to the cluster, as what it is. Shardlab never ends it.
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    pub(crate) existing: Option<SocketAddr>,
    #[command(flatten)]
    pub(crate) show: Show,
}

/// `del-node`
#[derive(Debug, Args)]
pub(crate) struct DelNodeArgs {
    /// A name, a port or the beginning of an id.
    #[arg(value_name = "NODE")]
    pub(crate) node: String,
    /// Also if its keys are lost, or nodes that are down go on remembering it.
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) show: Show,
}

/// `scale`
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("size").required(true).multiple(true))]
pub(crate) struct ScaleArgs {
    /// Number of masters; the slots are dealt out evenly among them.
    #[arg(long, value_name = "N", group = "size")]
    pub(crate) masters: Option<usize>,
    /// Replicas of each master [default: those that it has; for a new one as many as the fewest].
    #[arg(long, value_name = "M", group = "size")]
    pub(crate) replicas: Option<usize>,
    #[command(flatten)]
    pub(crate) show: Show,
}

/// What is shown, and whether that is all.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Show {
    /// Show what would be done, and do nothing.
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
