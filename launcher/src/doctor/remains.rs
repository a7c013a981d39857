//! What is left of a cluster: its nodes' folders and the servers in them, whether or not its record says
//! so.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::config::cluster_folder;
use crate::error::Error;
use crate::machine::wait::{Deadline, until};
use crate::node::{FoundServer, servers};
use crate::state::{Home, LOCK_FILE, Name, configs_in, is_config_of, node_folders};

/// How long servers may take to write their data down.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a process may take to disappear after SIGKILL.
const KILL_TIMEOUT: Duration = Duration::from_secs(20);

/// Servers and folders of nodes in a cluster's folder.
#[derive(Debug, Default)]
pub(super) struct Remains {
    pub(super) folders: Vec<PathBuf>,
    pub(super) servers: Vec<FoundServer>,
}

impl Remains {
    pub(super) fn of(home: &Home, name: &Name) -> Self {
        let folder = home.folder(name);
        let servers = servers_of(&folder);
        let evident = |dir: &PathBuf| configs_in(dir).any(|config| is_config_of(&config, dir));
        let of_servers = servers.iter().map(|server| server.dir.clone());
        let mut folders: Vec<_> = node_folders(&folder)
            .chain(of_servers.filter(evident))
            .collect();
        folders.sort();
        folders.dedup();
        Self { folders, servers }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.folders.is_empty() && self.servers.is_empty()
    }

    /// Ends the servers: with their data written down, or at once.
    ///
    /// # Errors
    /// [`Error::State`] of one that does not end.
    pub(super) async fn end(&self, at_once: bool) -> Result<(), Error> {
        if !at_once {
            // A paused one keeps it for later.
            self.signal(Signal::SIGCONT);
            self.signal(Signal::SIGTERM);
            let _ = self.gone(STOP_TIMEOUT).await;
        }
        self.signal(Signal::SIGKILL);
        self.gone(KILL_TIMEOUT).await
    }

    fn signal(&self, signal: Signal) {
        for server in &self.servers {
            // Gone meanwhile is as good.
            let _ = server.process.signal(signal);
        }
    }

    async fn gone(&self, timeout: Duration) -> Result<(), Error> {
        let look = || {
            let left = self.servers.iter().find(|server| server.process.is_alive());
            std::future::ready(left.map_or(ControlFlow::Break(()), ControlFlow::Continue))
        };
        until(Deadline::after(timeout), Duration::from_millis(5), look)
            .await
            .map_err(|left| Error::State {
                path: left.dir.clone(),
                reason: format!("its server, pid {}, does not end", left.process.pid),
            })
    }
}

/// The servers that work in a cluster's folder, however deep, also if it has been removed; and those in a
/// folder whose config says that it is of this cluster.
pub(super) fn servers_of(folder: &Path) -> Vec<FoundServer> {
    let folder = resolved(folder);
    let mut found = servers();
    found.retain(|server| {
        server.dir.starts_with(&folder) && server.dir != folder
            || cluster_folder_of(server).is_some_and(|written| resolved(&written) == folder)
    });
    found
}

/// The folder of the cluster that the config in a server's folder was written for.
pub(super) fn cluster_folder_of(server: &FoundServer) -> Option<PathBuf> {
    // Beside another cluster's lock it is that one's, which was moved together with it.
    let lock = server.dir.parent().map(|parent| parent.join(LOCK_FILE));
    if lock.is_some_and(|lock| lock.symlink_metadata().is_ok()) {
        return None;
    }
    let mut configs = configs_in(&server.dir);
    configs.find_map(|config| cluster_folder(&config))
}

/// A path as the system names the folder, also if its last parts do not exist any more.
pub(super) fn resolved(folder: &Path) -> PathBuf {
    let there = folder
        .ancestors()
        .find_map(|ancestor| Some((ancestor, ancestor.canonicalize().ok()?)));
    match there {
        Some((ancestor, path)) => match folder.strip_prefix(ancestor) {
            Ok(rest) if !rest.as_os_str().is_empty() => path.join(rest),
            _ => path,
        },
        None => folder.to_owned(),
    }
}

/// The pids, as in "pid 4211" or "pids 4211, 4212".
pub(super) fn pids(servers: &[FoundServer]) -> String {
    let pids: Vec<_> = servers
        .iter()
        .map(|server| server.process.pid.to_string())
        .collect();
    let word = if pids.len() == 1 { "pid" } else { "pids" };
    format!("{word} {}", pids.join(", "))
}
