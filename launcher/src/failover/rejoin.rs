//! A killed master that is started again.

use crate::cluster::follow;
use crate::error::Error;
use crate::node::Node;
use crate::wire::view::HostPort;

/// A killed master that is started again, at the latest when this is dropped.
#[derive(Debug, Default)]
pub(super) struct Rejoin<'a> {
    node: Option<&'a Node>,
    /// Whom it is to follow from its start on.
    master: Option<HostPort>,
}

impl<'a> Rejoin<'a> {
    /// Of this node.
    pub(super) fn of(node: &'a Node) -> Self {
        Self {
            node: Some(node),
            master: None,
        }
    }

    /// Has it follow the new master, where nobody would tell it otherwise.
    pub(super) fn follows(&mut self, master: HostPort) {
        self.master = Some(master);
    }

    /// Starts it, once.
    ///
    /// # Errors
    /// Its config cannot be written, or it cannot be started.
    pub(super) fn now(&mut self) -> Result<(), Error> {
        let Some(node) = self.node.take() else {
            return Ok(());
        };
        if let Some(master) = &self.master {
            follow(node, Some(master))?;
        }
        node.start_without_waiting()
    }
}

impl Drop for Rejoin<'_> {
    fn drop(&mut self) {
        // The error that ended the failover is the one to tell.
        let _ = self.now();
    }
}
