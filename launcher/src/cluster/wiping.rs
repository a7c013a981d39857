//! Undoing a cluster, as people do by hand: nodes.conf and the data are removed, the configs kept.

use super::Cluster;
use crate::builder::default_timeout;
use crate::error::Error;
use crate::node::Node;
use crate::plan::Boot;
use crate::reshape::Journal;
use crate::state::{Lock, Phase};
use crate::wait::Deadline;

impl Cluster {
    /// Makes nodes of ours forget everything, all of them if `nodes` is empty: nodes.conf and data are
    /// removed, config, log, folder and ports kept. Those that ran are killed first (SIGKILL, since
    /// their data is thrown away) and run again afterwards, bare, under new ids; the others stay
    /// stopped. Returns the names of those that were wiped.
    ///
    /// A cluster that is wiped as a whole is one of bare nodes from then on, as if it had been started
    /// with [`Boot::None`]. Of a few nodes the others are not told: to them these are nodes that have
    /// failed, until they are forgotten. Without cluster mode the links are in the configs, and stay.
    ///
    /// # Errors
    /// The cluster's start was interrupted, a node does not exist or is not ours, a file cannot be
    /// removed, or a node does not answer after its start. Whoever tries again goes on.
    pub async fn wipe(&mut self, lock: &Lock, nodes: &[String]) -> Result<Vec<String>, Error> {
        self.refuse_unfinished()?;
        let names = self.chosen_of_ours(nodes)?;
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
            self.node(name)?.start()?;
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
