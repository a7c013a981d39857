//! What is done to the processes of somebody's nodes, and whether it can be seen.

use std::ops::ControlFlow;
use std::time::Duration;

use shardlab::machine::wait::{Deadline, until};
use shardlab::wire::client::ClientError;

use crate::transcript::ast::{NodeName, Signal};

use super::control::{Down, action, place};
use super::found::Attached;
use super::{Deed, NodeFacts, Target as _};

/// Between two looks at a node.
const PAUSE: Duration = Duration::from_millis(20);

impl Attached {
    /// What is done to processes, and went wrong, since this was asked last.
    pub fn trouble(&self) -> Option<String> {
        self.control()?.state().trouble.take()
    }

    /// Whether a node's process was ended or frozen.
    pub fn is_down(&self, name: NodeName) -> bool {
        let node = self.node(name);
        let down = |node: &NodeFacts| {
            let control = self.control()?;
            control.state().down.get(&node.address).copied()
        };
        node.and_then(down).is_some()
    }

    /// Lets a node's process run again.
    ///
    /// # Errors
    /// That is not possible.
    pub async fn wake(&self, name: NodeName) -> Result<(), String> {
        let (Some(control), Some(node)) = (self.control(), self.node(name)) else {
            return Err("without `--control` no process can be started".to_owned());
        };
        let down = control.state().down.get(&node.address).copied();
        let deed = match down {
            Some(Down::Frozen) => Deed::Resume,
            Some(Down::Ended) | None => Deed::Start,
        };
        self.control_node(deed, name).await?;
        self.settled(deed, name).await
    }

    pub(super) async fn control_node(&self, deed: Deed, name: NodeName) -> Result<(), String> {
        let (Some(control), Some(node)) = (self.control(), self.node(name)) else {
            return Err("its processes are not ours".to_owned());
        };
        let mark = |down: Option<Down>| {
            let mut state = control.state();
            match down {
                Some(down) => state.down.insert(node.address, down),
                None => state.down.remove(&node.address),
            };
        };
        // Before anything is done: it may be interrupted.
        match deed {
            Deed::Pause => mark(Some(Down::Frozen)),
            Deed::Kill(signal) if ends(signal) => mark(Some(Down::Ended)),
            Deed::Stop => mark(Some(Down::Ended)),
            Deed::Kill(_) | Deed::Resume | Deed::Start => {}
        }
        let done = control.run(deed, node).await;
        if done.is_ok() && matches!(deed, Deed::Resume | Deed::Start) {
            mark(None);
        }
        self.noted(done)
    }

    /// Waits until a node answers, or does not.
    pub(super) async fn settled(&self, deed: Deed, name: NodeName) -> Result<(), String> {
        let (Some(control), Some(node)) = (self.control(), self.node(name)) else {
            return Ok(());
        };
        let is_up = match deed {
            Deed::Kill(signal) if !ends(signal) => return Ok(()),
            Deed::Kill(_) | Deed::Pause | Deed::Stop => false,
            Deed::Resume | Deed::Start => true,
        };
        let deadline = Deadline::after(control.patience);
        // A node that is frozen shows it by its silence.
        let look = control.patience / 20;
        let settled = until(deadline, PAUSE, async || {
            if self.answers(name, look).await == is_up {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        let settled = settled.await.map_err(|()| {
            let (action, _) = action(deed);
            let state = if is_up {
                "does not answer"
            } else {
                "still answers"
            };
            let seconds = control.patience.as_secs();
            format!("{} {state} {seconds} s after `{action}`", place(node))
        });
        self.noted(settled)
    }

    fn noted(&self, done: Result<(), String>) -> Result<(), String> {
        if let (Some(control), Err(reason)) = (self.control(), &done) {
            control.state().trouble.get_or_insert(reason.clone());
        }
        done
    }

    async fn answers(&self, name: NodeName, patience: Duration) -> bool {
        let deadline = Deadline::after(patience);
        let asked = async {
            let mut link = self.connect(name, deadline).await?;
            link.call(&["PING"], deadline).await
        };
        // Whoever loads its data, or refuses a login, is there.
        matches!(asked.await, Ok(_) | Err(ClientError::Auth { .. }))
    }
}

/// Whether a signal ends a server; they ignore SIGHUP.
fn ends(signal: Signal) -> bool {
    signal != Signal::Hup
}
