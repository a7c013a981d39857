//! Undoing a cluster, as people do by hand: nodes.conf and the data are removed, the configs kept.

use super::Cluster;
use super::climbing::default_timeout;
use crate::error::Error;
use crate::machine::wait::Deadline;
use crate::node::Node;
use crate::plan::Boot;
use crate::state::{Journal, Lock, Phase};

impl Cluster {
    /// As [`Cluster::wipe`], under a lock that the caller has.
    ///
    /// # Errors
    /// As [`Cluster::wipe`].
    pub async fn wipe_locked(
        &mut self,
        lock: &Lock,
        nodes: &[String],
    ) -> Result<Vec<String>, Error> {
        self.refuse_unfinished()?;
        let names = self.chosen_of_ours(nodes)?;
        for name in &names {
            self.refuse_others_folder(self.node(name)?)?;
        }
        let clustered = self.record.options.topology.is_cluster();
        let is_chosen = |node: &Node| names.iter().any(|name| name == node.name());
        if clustered
            && self
                .nodes
                .iter()
                .filter(|node| node.is_ours())
                .all(is_chosen)
        {
            // What was on its way is no more.
            Journal::remove(lock)?;
            self.record.options.boot = Boot::None;
            self.remember(lock, self.record.phase)?;
        }
        let mut ran = Vec::new();
        // All are told before any is waited for.
        for name in &names {
            let node = self.node(name)?;
            if node.process().is_some() {
                ran.push(name.clone());
            }
            node.send_kill();
        }
        for name in &names {
            let node = self.node(name)?;
            node.kill().await?;
            node.forget()?;
        }
        for name in &ran {
            self.node(name)?.start_without_waiting()?;
        }
        let phase = if self.is_running() {
            Phase::Up
        } else {
            Phase::Stopped
        };
        self.remember(lock, phase)?;
        let deadline = Deadline::after(default_timeout(ran.len()));
        for name in &ran {
            self.node(name)?.answer_ping(deadline).await?;
        }
        Ok(names)
    }
}
