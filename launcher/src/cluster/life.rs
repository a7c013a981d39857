//! Stopping, starting, removing: what happens to a cluster's processes, folders and record.

use std::fs::File;
use std::time::{Duration, Instant};

use super::climbing::default_timeout;
use super::{Cluster, at_exit};
use crate::config::boot_values::{Method, final_settings};
use crate::error::Error;
use crate::ladder::{Rung, Standing};
use crate::machine::signal::Signal;
use crate::machine::wait::Deadline;
use crate::node::{Node, Temporaries};
use crate::plan::{Boot, Plan, Role};
use crate::state::ports::{self, ReservedPorts};
use crate::state::{Lock, Phase, is_owner, remove_own_files};

/// How long a node may take to save its data when it is stopped.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

impl Cluster {
    /// As [`Cluster::stop`], under a lock that the caller has.
    ///
    /// # Errors
    /// The cluster's start was interrupted, a node does not exist or is not ours, or does not end
    /// within 30 seconds.
    pub async fn stop_locked(
        &mut self,
        lock: &Lock,
        nodes: &[String],
    ) -> Result<Vec<String>, Error> {
        self.refuse_unfinished()?;
        let mut stopped = self.chosen_of_ours(nodes)?;
        stopped.retain(|name| self.node(name).is_ok_and(|node| node.process().is_some()));
        let links = self.links().await;
        // Written down before: those that are told to end are not taken for running ones afterwards.
        self.record.stopping.clone_from(&stopped);
        self.remember(lock, self.record.phase)?;
        self.stop_those(&stopped).await?;
        self.record.stopping.clear();
        self.keep_links(&links, &stopped)?;
        let phase = if self.is_running() {
            Phase::Up
        } else {
            Phase::Stopped
        };
        self.remember(lock, phase)?;
        Ok(stopped)
    }

    /// As [`Cluster::start`], under a lock that the caller has: waits for a rung of the caller's choice,
    /// `timeout` at the most, and tells of each look at the nodes.
    ///
    /// # Errors
    /// The cluster's start was interrupted, a node does not exist or is not ours, a port is taken, a
    /// server dies, or the cluster is not ready in time: then the nodes that were started keep running.
    pub async fn start_locked(
        &mut self,
        lock: &Lock,
        nodes: &[String],
        rung: Rung,
        timeout: Option<Duration>,
        mut observe: impl FnMut(&[Standing]),
    ) -> Result<Vec<String>, Error> {
        self.refuse_unfinished()?;
        self.finish_stop(lock).await?;
        let mut all = Vec::new();
        loop {
            let (started, result) = self
                .start_idle(lock, nodes, rung, timeout, &mut observe)
                .await;
            all.extend(started);
            match result {
                // It ran when it was looked at, and was on its way out.
                Err(Error::Died { node, .. }) if self.was_left_alone(&node, &all, nodes) => {}
                result => return result.map(|()| all),
            }
        }
    }

    /// As [`Cluster::restart`], under a lock that the caller has.
    ///
    /// # Errors
    /// As [`Cluster::restart`].
    pub async fn restart_locked(
        &mut self,
        lock: &Lock,
        nodes: &[String],
        rung: Rung,
        timeout: Option<Duration>,
        observe: impl FnMut(&[Standing]),
    ) -> Result<Vec<String>, Error> {
        self.stop_locked(lock, nodes).await?;
        self.start_locked(lock, nodes, rung, timeout, observe).await
    }

    /// Whether a node that has died is one of the chosen ones and was not started here.
    fn was_left_alone(&self, node: &str, started: &[String], chosen: &[String]) -> bool {
        let chosen = self.chosen(chosen).unwrap_or_default();
        chosen.iter().any(|chosen| chosen.name() == node)
            && started.iter().all(|started| started != node)
    }

    /// One attempt of [`Cluster::start`]: the names of the nodes that were to be started, and what
    /// became of it.
    async fn start_idle(
        &mut self,
        lock: &Lock,
        nodes: &[String],
        rung: Rung,
        timeout: Option<Duration>,
        observe: impl FnMut(&[Standing]),
    ) -> (Vec<String>, Result<(), Error>) {
        let mut started = match self.chosen_of_ours(nodes) {
            Ok(chosen) => chosen,
            Err(error) => return (Vec::new(), Err(error)),
        };
        started.retain(|name| {
            self.node(name)
                .is_ok_and(|node| !node.may_answer() && is_startable(node))
        });
        let result = self
            .start_those(&started, lock, rung, timeout, observe)
            .await;
        (started, result)
    }

    async fn start_those(
        &mut self,
        started: &[String],
        lock: &Lock,
        rung: Rung,
        timeout: Option<Duration>,
        observe: impl FnMut(&[Standing]),
    ) -> Result<(), Error> {
        let since = Instant::now();
        let timeout = timeout.unwrap_or_else(|| default_timeout(self.nodes.len()));
        let plan: Vec<_> = self
            .nodes
            .iter()
            .filter(|node| started.iter().any(|name| name == node.name()))
            .map(|node| node.plan().clone())
            .collect();
        ports::check(&Plan { nodes: plan }, &self.record.options.bind, &self.home)?;
        // What is changed is changed on all nodes or on none: a lone returning node must behave as the
        // user configured it.
        let ours = self.nodes.iter().filter(|node| node.is_ours());
        let whole = started.len() == ours.count();
        let arguments = if whole {
            self.boot_arguments(Method::Restart)
        } else {
            Vec::new()
        };
        let deadline = Deadline::after(timeout.saturating_sub(since.elapsed()));
        self.follow_the_master(deadline).await?;
        self.set_failover_right(deadline).await?;
        if whole {
            // Written down before: whoever finds it so after a launcher that was killed sets it right.
            self.record.boot_settings = true;
            self.remember(lock, self.record.phase)?;
        }
        let unbent = self.unbent_when_dropped(whole);
        let spawned = self
            .spawn_in_order(started, &arguments, lock, Phase::Up, deadline)
            .await;
        if spawned.is_err() {
            // Those that run are as the user configured them; the one that died cannot be told.
            let _ = self.set_right(lock).await;
            unbent.settled();
            return spawned;
        }
        let formed = self.record.options.boot != Boot::None;
        // One that was started and has died already is told of on the way up.
        let is_started = |node: &Node| started.iter().any(|name| name == node.name());
        let all_run = self
            .nodes
            .iter()
            .all(|node| node.may_answer() || is_started(node));
        // A node that is coming or going keeps the others from being formed.
        let settled = self.nodes.iter().all(|node| node.stage().is_member());
        // Whether it was started now or ran already: ready means ready.
        if all_run {
            let rung = if formed && settled {
                rung.min(Rung::highest(self.record.options.shape))
            } else {
                Rung::Listening
            };
            let climbed = self
                .climb_watched(rung, None, since, timeout, observe)
                .await;
            // The nodes go on running even if they are late, as the user configured them.
            let set_right = self.set_right(lock).await;
            unbent.settled();
            let right = self.set_failover_right(deadline).await;
            self.climb = climbed?;
            set_right?;
            right?;
        } else if !started.is_empty() {
            self.set_failover_right(deadline).await?;
        }
        Ok(())
    }

    /// Ends nodes with their data.
    async fn stop_those(&self, names: &[String]) -> Result<(), Error> {
        let chosen = self
            .nodes
            .iter()
            .filter(|node| names.iter().any(|name| name == node.name()));
        // Sentinels first: they must not take for a failure what is none.
        let (sentinels, data): (Vec<_>, Vec<_>) =
            chosen.partition(|node| node.plan().role == Role::Sentinel);
        stop_all(&sentinels).await?;
        stop_all(&data).await
    }

    /// Sees those end that an interrupted `stop` has told to: a server that waits for its replicas, or
    /// writes its data, may go on for seconds and answers meanwhile.
    async fn finish_stop(&mut self, lock: &Lock) -> Result<(), Error> {
        let names = std::mem::take(&mut self.record.stopping);
        if names.is_empty() {
            return Ok(());
        }
        self.stop_those(&names).await?;
        self.remember(lock, self.record.phase)
    }

    /// The values that all nodes are to have at last, which they get if the start ends before they have
    /// them.
    fn unbent_when_dropped(&self, whole: bool) -> Temporaries {
        let options = &self.record.options;
        let settings = final_settings(options, &self.record.server, Method::Restart);
        let ours = self.nodes_with_data().filter(|node| node.is_ours());
        let ours = ours.filter(|_| whole && self.is_configurable());
        Temporaries::until_dropped(ours.map(Node::endpoint), &settings)
    }

    /// Ends what a start has changed, this one or one that was killed, on the nodes that run.
    pub(crate) async fn set_right(&mut self, lock: &Lock) -> Result<(), Error> {
        if self.record.boot_settings {
            self.restore_those(Method::Restart, |node| node.process().is_some())
                .await?;
            self.record.boot_settings = false;
            self.remember(lock, self.record.phase)?;
        }
        Ok(())
    }

    /// Removes the cluster with its data: processes, folders, record, lock.
    ///
    /// # Errors
    /// A process does not end, or a folder cannot be removed; calling it again continues.
    pub async fn remove(mut self, lock: Lock) -> Result<(), Error> {
        self.kill_all(&lock).await?;
        lock.remove()
    }

    /// Removes everything but the lock, so that a start can be tried again: for what a start that
    /// failed or was interrupted has left.
    ///
    /// # Errors
    /// A process does not end, or a folder cannot be removed.
    pub async fn clear(mut self, lock: &Lock) -> Result<(), Error> {
        self.kill_all(lock).await?;
        lock.forget()
    }

    pub(crate) fn arm(&mut self, owner: Option<File>, reserved: ReservedPorts) {
        self.armed = true;
        if let Some(owner) = &owner {
            at_exit::remember(&self.home, &self.record.name, owner);
        }
        self.owner = owner;
        self.reserved = reserved;
    }

    /// Keeps the cluster running when this value is dropped.
    pub fn detach(&mut self) {
        self.armed = false;
        at_exit::forget(&self.home, &self.record.name);
        self.reserved = ReservedPorts::default();
    }

    /// Writes `cluster.json` with the processes as they are.
    pub(crate) fn remember(&mut self, lock: &Lock, phase: Phase) -> Result<(), Error> {
        self.record.phase = phase;
        self.record.nodes = self.nodes.iter().map(Node::record).collect();
        lock.write(&self.record)
    }

    /// The shape's peculiarity was repaired.
    pub(crate) fn forget_shape(&mut self, lock: &Lock) -> Result<(), Error> {
        self.record.options.shape = None;
        lock.write(&self.record)
    }

    /// Records the processes as they are, for callers that started or killed nodes one by one. A process
    /// that is not recorded is found by its working folder, which takes longer.
    ///
    /// # Errors
    /// The record cannot be written.
    pub fn remember_processes(&mut self, lock: &Lock) -> Result<(), Error> {
        self.remember(lock, self.record.phase)
    }

    /// Ends all servers at once; their folders stay.
    pub(crate) async fn kill_nodes(&self) -> Result<(), Error> {
        // Before any is told: a cluster of another container keeps all of its nodes.
        self.nodes.iter().try_for_each(Node::refuse_unseen)?;
        // All are told before any is waited for.
        self.nodes.iter().for_each(Node::send_kill);
        for node in self.nodes.iter().filter(|node| node.is_ours()) {
            node.kill().await?;
        }
        Ok(())
    }

    async fn kill_all(&mut self, lock: &Lock) -> Result<(), Error> {
        self.nodes.iter().try_for_each(Node::refuse_unseen)?;
        // Whoever comes after an interruption goes on. A disk that is full keeps nobody from removing.
        let _ = self.remember(lock, Phase::Removing);
        self.armed = false;
        at_exit::forget(&self.home, &self.record.name);
        self.kill_nodes().await?;
        self.remove_folders()
    }

    /// Whoever holds the lock and finds a start under way finds what a killed launcher has left: its
    /// nodes may have each other's roles, and what the boot changes is changed.
    ///
    /// # Errors
    /// [`Error::Unfinished`], if it is so; [`Error::HalfRemoved`], if it was a removal;
    /// [`Error::State`], if somebody has moved or copied the cluster's folder.
    pub fn refuse_unfinished(&self) -> Result<(), Error> {
        self.record.refuse_displaced(&self.folder())?;
        match self.record.phase {
            Phase::Starting => Err(Error::Unfinished(self.record.name.clone())),
            Phase::Removing => Err(Error::HalfRemoved(self.record.name.clone())),
            Phase::Up | Phase::Stopped => Ok(()),
        }
    }

    /// Whether another command has removed this cluster, which belonged to this process.
    pub fn is_removed(&self) -> bool {
        let folder = self.home.folder(&self.record.name);
        self.owner
            .as_ref()
            .is_some_and(|owner| !is_owner(owner, &folder))
    }

    /// Learns of the nodes that another command has added or deleted since.
    fn take_in_record(&mut self) {
        // A record that cannot be read tells of no nodes; ours are known.
        let Ok(Some(there)) = self.home.record(&self.record.name) else {
            return;
        };
        for record in there.nodes {
            if self
                .nodes
                .iter()
                .all(|node| node.name() != record.plan.name)
            {
                self.admit(record);
            }
        }
    }

    /// Kills and removes on the calling thread.
    pub(super) fn destroy(&mut self) {
        if self.is_removed() {
            // Somebody may have started another cluster of that name in the same folders.
            self.nodes.iter().for_each(Node::send_kill_to_own);
            return;
        }
        self.take_in_record();
        self.nodes.iter().for_each(Node::send_kill);
        self.nodes.iter().for_each(Node::wait_gone_blocking);
        let _ = self.remove_folders();
        let _ = remove_own_files(&self.home.folder(&self.record.name));
        self.owner = None;
        self.home.remove_if_empty();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.armed {
            at_exit::forget(&self.home, &self.record.name);
            self.destroy();
        }
    }
}

/// Ends nodes. All are told before any is waited for: they write their data at the same time.
async fn stop_all(nodes: &[&Node]) -> Result<(), Error> {
    for node in nodes {
        // A paused one keeps it for later, and others may wait for it meanwhile.
        let _ = node.resume();
        let _ = node.signal(Signal::TERM);
    }
    for node in nodes {
        node.stop(STOP_TIMEOUT).await?;
    }
    Ok(())
}

/// Whether there is something to start: the folder of a node that is joining may not be there yet.
fn is_startable(node: &Node) -> bool {
    node.stage().is_member() || node.config_path().is_file()
}
