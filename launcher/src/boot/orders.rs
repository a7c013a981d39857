//! Orders to one node, which must be obeyed.

use std::time::Duration;

use crate::client::{Connection, REPLY_TIMEOUT};
use crate::error::Error;
use crate::node::Node;
use crate::ready::retry;
use crate::resp::Frame;
use crate::view::{self, NodeLine};
use crate::wait::{Deadline, next_round};

/// A connection to a node that is being booted, or that joins or leaves.
pub(crate) struct Orders<'a> {
    node: &'a Node,
    connection: Connection,
    deadline: Deadline,
}

impl<'a> Orders<'a> {
    /// Connects, again and again until the node listens.
    ///
    /// # Errors
    /// It does not until the deadline.
    pub(crate) async fn open(node: &'a Node, deadline: Deadline) -> Result<Self, Error> {
        let endpoint = node.endpoint();
        let opened = retry(deadline, || endpoint.connect(deadline)).await;
        let connection = opened.map_err(|source| node.failed(source))?;
        Ok(Self {
            node,
            connection,
            deadline,
        })
    }

    /// The node.
    pub(crate) fn node(&self) -> &'a Node {
        self.node
    }

    /// Sends a command; again and again while the node is loading.
    ///
    /// # Errors
    /// The node does not answer, or answers with an error.
    pub(crate) async fn give<A: AsRef<str>>(&mut self, command: &[A]) -> Result<Frame, Error> {
        let words: Vec<&str> = command.iter().map(AsRef::as_ref).collect();
        let reply = loop {
            let reply = self
                .connection
                .call(&words, Deadline::after(REPLY_TIMEOUT))
                .await;
            let reply = reply.map_err(|source| self.node.failed(source))?;
            // A node that is started again listens before it has read its data.
            if reply.error_code() != Some("LOADING") || self.deadline.passed() {
                break reply;
            }
            next_round(Duration::from_millis(5), self.deadline).await;
        };
        match reply.as_error() {
            None => Ok(reply),
            Some(error) => Err(Error::Reply {
                node: self.node.name().to_owned(),
                command: words.iter().take(3).copied().collect::<Vec<_>>().join(" "),
                reply: crate::resp::escape(error),
            }),
        }
    }

    /// The node's id.
    ///
    /// # Errors
    /// As [`Orders::give`].
    pub(crate) async fn id(&mut self) -> Result<String, Error> {
        let reply = self.give(&["CLUSTER", "MYID"]).await?;
        Ok(String::from_utf8_lossy(reply.as_text().unwrap_or_default()).into_owned())
    }

    /// The nodes that this one knows.
    ///
    /// # Errors
    /// As [`Orders::give`].
    pub(crate) async fn nodes(&mut self) -> Result<Vec<NodeLine>, Error> {
        Ok(view::nodes(&self.give(&["CLUSTER", "NODES"]).await?).unwrap_or_default())
    }
}
