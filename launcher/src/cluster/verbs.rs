//! What a user of the library does to nodes by name. Each verb that changes the record takes the
//! cluster's lock itself, as every command of the program does; those named `…_locked` are for who has it.

use std::time::Duration;

use super::Cluster;
use crate::error::Error;
use crate::ladder::Rung;
use crate::machine::wait::Deadline;
use crate::state::Lock;

/// How long a verb waits for another command that has the cluster's lock.
pub const LOCK_PATIENCE: Duration = Duration::from_secs(60);

impl Cluster {
    /// The right to change this cluster; waits for another command that has it.
    ///
    /// # Errors
    /// [`Error::Busy`]: the other one does not end in time.
    pub async fn lock(&self, patience: Duration) -> Result<Lock, Error> {
        self.home()
            .lock(self.name(), Deadline::after(patience))
            .await
    }

    /// Stops nodes with SIGTERM, keeping their data: all of ours if `nodes` is empty. Returns the names
    /// of those that ran.
    ///
    /// # Errors
    /// The cluster's start was interrupted, a node does not exist or is not ours, or does not end
    /// within 30 seconds; another command keeps the lock for [`LOCK_PATIENCE`].
    pub async fn stop(&mut self, nodes: &[&str]) -> Result<Vec<String>, Error> {
        let lock = self.lock(LOCK_PATIENCE).await?;
        self.stop_locked(&lock, &owned(nodes)).await
    }

    /// Starts the nodes that are not running, of those named or of all, with the data that they have,
    /// and waits for [`Rung::Ready`] if all nodes of a formed cluster run then. Returns the names of
    /// those that were started.
    ///
    /// # Errors
    /// The cluster's start was interrupted, a node does not exist or is not ours, a port is taken, a
    /// server dies, or the cluster is not ready within 30 seconds and a second for every four nodes: then
    /// the nodes that were started go on running. Another command keeps the lock for [`LOCK_PATIENCE`].
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

    /// Makes nodes of ours forget everything, all of them if `nodes` is empty: nodes.conf and data are
    /// removed, config, log, folder and ports kept. Those that ran are killed first (SIGKILL, since
    /// their data is thrown away) and run again afterwards, bare, under new ids; the others stay
    /// stopped. Returns the names of those that were wiped.
    ///
    /// A cluster that is wiped as a whole is one of bare nodes from then on, as if it had been started
    /// with [`Boot::None`](crate::plan::Boot::None). Of a few nodes the others are not told: to them these
    /// are nodes that have failed, until they are forgotten. Without cluster mode the links are in the
    /// configs, and stay.
    ///
    /// # Errors
    /// The cluster's start was interrupted, a node does not exist or is not ours, a file cannot be
    /// removed, or a node does not answer after its start. Whoever tries again goes on. Another command
    /// keeps the lock for [`LOCK_PATIENCE`].
    pub async fn wipe(&mut self, nodes: &[&str]) -> Result<Vec<String>, Error> {
        let lock = self.lock(LOCK_PATIENCE).await?;
        self.wipe_locked(&lock, &owned(nodes)).await
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
