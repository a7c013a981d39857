//! What a user of the library does to nodes by name. Each verb that changes the record takes the
//! cluster's lock itself, as every command of the program does; those named `…_locked` are for who has it.

use std::time::Duration;

use super::Cluster;
use crate::error::Error;
use crate::ladder::Rung;
use crate::machine::wait::Deadline;
use crate::state::Lock;

/// How long a method waits for another command that holds the cluster's lock.
pub const LOCK_PATIENCE: Duration = Duration::from_secs(60);

impl Cluster {
    /// Takes the cluster's lock; waits for another command that holds it.
    ///
    /// # Errors
    /// [`Error::Busy`]: the other command does not end in time.
    pub async fn lock(&self, patience: Duration) -> Result<Lock, Error> {
        self.home()
            .lock(self.name(), Deadline::after(patience))
            .await
    }

    /// Stops nodes with SIGTERM and keeps their data; all nodes if `nodes` is empty. Returns the names of
    /// those that were running.
    ///
    /// # Errors
    /// The cluster's start was interrupted, a node does not exist or is not ours, or does not end
    /// within 30 seconds; another command keeps the lock for [`LOCK_PATIENCE`].
    pub async fn stop(&mut self, nodes: &[&str]) -> Result<Vec<String>, Error> {
        let lock = self.lock(LOCK_PATIENCE).await?;
        self.stop_locked(&lock, &owned(nodes)).await
    }

    /// Starts those of the named nodes, or of all, that are not running, with their data. Waits for
    /// [`Rung::Ready`] if all nodes of a formed cluster are running then. Returns the names of those that
    /// were started.
    ///
    /// # Errors
    /// The cluster's start was interrupted, a node does not exist or is not ours, a port is taken, a
    /// server dies, or the cluster is not ready within 30 seconds and a second for every four nodes: then
    /// the nodes that were started keep running. Another command keeps the lock for [`LOCK_PATIENCE`].
    pub async fn start(&mut self, nodes: &[&str]) -> Result<Vec<String>, Error> {
        let lock = self.lock(LOCK_PATIENCE).await?;
        let nodes = owned(nodes);
        self.start_locked(&lock, &nodes, Rung::Ready, None, |_| {})
            .await
    }

    /// Stops nodes with SIGTERM and starts them again with their data, all at once; those that are not
    /// running are started. All nodes if `nodes` is empty. Waits as [`Cluster::start`] does, and
    /// returns the names.
    ///
    /// # Errors
    /// As [`Cluster::stop`] and [`Cluster::start`]; what has been stopped by then,
    /// [`Cluster::start`] starts.
    pub async fn restart(&mut self, nodes: &[&str]) -> Result<Vec<String>, Error> {
        let lock = self.lock(LOCK_PATIENCE).await?;
        let nodes = owned(nodes);
        self.restart_locked(&lock, &nodes, Rung::Ready, None, |_| {})
            .await
    }

    /// Deletes nodes.conf and the data of nodes, of all nodes if `nodes` is empty; config, log, folder and
    /// ports are kept. Running nodes are killed first (SIGKILL, since their data is discarded) and run again
    /// afterwards, empty and with new ids; the others stay stopped. Returns the names of those that were
    /// wiped.
    ///
    /// If all nodes are wiped, they are not a cluster any more, as if they had been started with
    /// [`Boot::None`](crate::plan::Boot::None). If only some are wiped, the others are not told, and
    /// consider them failed. Without cluster mode the links are in the configs, and remain.
    ///
    /// # Errors
    /// The cluster's start was interrupted, a node does not exist or is not ours, a file cannot be
    /// removed, or a node does not answer after its start; calling it again continues. Another command
    /// keeps the lock for [`LOCK_PATIENCE`].
    pub async fn wipe(&mut self, nodes: &[&str]) -> Result<Vec<String>, Error> {
        let lock = self.lock(LOCK_PATIENCE).await?;
        self.wipe_locked(&lock, &owned(nodes)).await
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
