//! Breaking nodes by signals.
//!
//! None of this takes the cluster's lock or writes its record: a signal changes neither ports nor
//! folders, a process that is gone counts as one wherever the record is read, and whoever breaks a
//! node wants to do so while another command is at work. Processes are known by pid and start time,
//! so that a node which another command has replaced meanwhile is not hit.

use std::ops::ControlFlow;
use std::time::Duration;

use super::Cluster;
use crate::error::Error;
use crate::machine::signal::Signal;
use crate::machine::wait::{Deadline, until};
use crate::node::{Node, NodeError};

/// How long a server may take to end after a signal: at SIGTERM it saves its data, and waits for up to
/// ten seconds for its replicas (`shutdown-timeout`, Redis 7.0 and later).
const END_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the kernel may take to freeze or resume a process.
const FREEZE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a paused process is checked.
const LOOK: Duration = Duration::from_millis(20);

/// What a signal did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The server has ended.
    Ended,
    /// It was sent, and does not end a server.
    Sent,
    /// The node is paused, and gets it when it is resumed.
    Kept,
}

impl Cluster {
    /// Sends a signal to nodes, all at once; to all nodes if `nodes` is empty. If the signal ends a server,
    /// waits until they have ended.
    ///
    /// # Errors
    /// A node does not exist or does not run: then none is touched. One does not end within 30
    /// seconds, as when it refuses SIGTERM while it writes its first append-only file.
    pub async fn kill(
        &self,
        nodes: &[&str],
        signal: Signal,
    ) -> Result<Vec<(String, Effect)>, Error> {
        let chosen = self.chosen_running(nodes)?;
        let mut effects = Vec::with_capacity(chosen.len());
        for node in &chosen {
            // Only SIGKILL and SIGCONT reach a process that stands still.
            let reaches = matches!(signal, Signal::KILL | Signal::CONT);
            let kept = node.is_paused() && !reaches && signal != Signal::STOP;
            node.signal(signal)?;
            effects.push(match signal {
                _ if kept => Effect::Kept,
                deadly if deadly.is_deadly() => Effect::Ended,
                _ => Effect::Sent,
            });
        }
        for (node, effect) in chosen.iter().zip(&effects) {
            if *effect == Effect::Ended {
                node.wait_gone(signal, END_TIMEOUT).await?;
            }
        }
        let names = chosen.iter().map(|node| node.name().to_owned());
        Ok(names.zip(effects).collect())
    }

    /// Freezes nodes (SIGSTOP) until the returned value is dropped: their connections stay open, but they
    /// answer nothing. All nodes if `nodes` is empty.
    ///
    /// # Errors
    /// A node does not exist or does not run: then none is touched.
    pub async fn pause(&self, nodes: &[&str]) -> Result<Paused<'_>, Error> {
        let paused = Paused {
            nodes: self.chosen_running(nodes)?,
        };
        for node in &paused.nodes {
            node.pause()?;
        }
        for node in &paused.nodes {
            settled(node, true).await?;
        }
        Ok(paused)
    }

    /// Resumes paused nodes (SIGCONT), all of them if `nodes` is empty. Returns the names of those that
    /// were paused.
    ///
    /// # Errors
    /// A node that is named does not exist or does not run.
    pub async fn resume(&self, nodes: &[&str]) -> Result<Vec<String>, Error> {
        let mut chosen = if nodes.is_empty() {
            self.nodes.iter().collect()
        } else {
            self.chosen_running(nodes)?
        };
        chosen.retain(|node| node.is_paused());
        for node in &chosen {
            node.resume()?;
        }
        for node in &chosen {
            settled(node, false).await?;
        }
        Ok(chosen.iter().map(|node| node.name().to_owned()).collect())
    }

    fn chosen_running(&self, nodes: &[&str]) -> Result<Vec<&Node>, Error> {
        let mut chosen = self.chosen(nodes)?;
        if nodes.is_empty() {
            chosen.retain(|node| node.is_ours());
        }
        chosen.iter().try_for_each(|node| node.must_run())?;
        Ok(chosen)
    }
}

/// Waits until a node stands still, or until it does not: one that was told to end while it stood still
/// goes on, and ends.
async fn settled(node: &Node, still: bool) -> Result<(), Error> {
    until(
        Deadline::after(FREEZE_TIMEOUT),
        Duration::from_millis(1),
        || {
            std::future::ready(match node.process() {
                None if !still => ControlFlow::Break(Ok(())),
                None => ControlFlow::Break(Err(node.not_running())),
                Some(process) if process.is_stopped() == still => ControlFlow::Break(Ok(())),
                Some(_) => ControlFlow::Continue(()),
            })
        },
    )
    .await
    .unwrap_or_else(|()| {
        Err(Error::from(NodeError::Unmoved {
            node: node.name().to_owned(),
            port: node.plan().port,
            action: if still { "pause" } else { "resume" },
        }))
    })
}

/// Nodes that are paused until this is dropped.
#[derive(Debug)]
#[must_use = "dropped, it lets the nodes go on"]
pub struct Paused<'a> {
    nodes: Vec<&'a Node>,
}

impl Paused<'_> {
    /// Their names.
    pub fn names(&self) -> Vec<&str> {
        self.nodes.iter().map(|node| node.name()).collect()
    }

    /// Leaves them paused; [`Cluster::resume`] resumes them.
    pub fn keep(mut self) {
        self.nodes.clear();
    }

    /// Waits for this time, or until none of them is paused any more because another command resumed or
    /// killed them. Returns whether the time has passed.
    pub async fn hold(&self, time: Duration) -> bool {
        let left = until(Deadline::after(time), LOOK, || {
            std::future::ready(if self.nodes.iter().any(|node| node.is_paused()) {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            })
        });
        left.await.is_err()
    }
}

impl Drop for Paused<'_> {
    fn drop(&mut self) {
        for node in &self.nodes {
            // One that was killed meanwhile has nothing to go on with.
            let _ = node.resume();
        }
    }
}
