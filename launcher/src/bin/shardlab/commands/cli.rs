//! `cli`: redis-cli or valkey-cli on a node of the cluster.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use shardlab::{Cluster, Error};

use super::call::named;
use super::lab::Lab;

/// The programs, the first that is found is taken.
const PROGRAMS: [&str; 4] = ["valkey-cli", "redis-cli", "redict-cli", "keydb-cli"];

/// Becomes the client program; comes back only if it cannot be started.
pub(crate) async fn cli(lab: &Lab<'_>, args: &[OsString]) -> Result<u8, Error> {
    let cluster = lab.open_running()?;
    let named = match args.first().and_then(|first| first.to_str()) {
        Some(first) => named(&cluster, first)?,
        None => None,
    };
    let rest = if named.is_some() {
        args.get(1..)
    } else {
        args.get(..)
    }
    .unwrap_or_default();
    let topology = cluster.record().options.topology;
    let master = if named.is_none() && topology.has_one_master() {
        cluster.present_master().await
    } else {
        None
    };
    let running = || cluster.nodes().iter().find(|node| node.process().is_some());
    let node = named.or(master).or_else(running);
    let Some(node) = node else {
        return Err(Error::NotRunning(cluster.name().clone()));
    };
    let program = find(&cluster).ok_or(Error::NoClient)?;
    let mut command = Command::new(&program);
    let address = node.address();
    command.args([
        "-h",
        &address.ip().to_string(),
        "-p",
        &address.port().to_string(),
    ]);
    // On a node that is named one wants to see what it says, redirects included.
    if named.is_none() && topology.is_cluster() {
        command.arg("-c");
    }
    if let Some(password) = &cluster.record().options.password {
        command.env("REDISCLI_AUTH", password);
    }
    let source = command.args(rest).exec();
    Err(Error::Io {
        action: "start",
        path: program,
        source,
    })
}

/// On PATH, or beside the server.
fn find(cluster: &Cluster) -> Option<PathBuf> {
    let beside = cluster.record().program.parent()?;
    PROGRAMS.iter().find_map(|program| {
        which::which(program)
            .ok()
            .or_else(|| Some(beside.join(program)).filter(|path| path.is_file()))
    })
}
