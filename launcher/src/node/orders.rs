//! Orders to a node, all of which it must obey.

use std::time::Duration;

use super::Node;
use crate::client::{Connection, REPLY_TIMEOUT};
use crate::error::Error;
use crate::resp::Frame;
use crate::server::Identity;
use crate::view::{self, NodeLine};
use crate::wait::{Deadline, next_round, retry};

/// A connection to a node that must obey: one that is booted, mended, comes or goes.
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
        let shown = words.iter().take(3).copied().collect::<Vec<_>>();
        self.node.accepted(&shown.join(" "), reply)
    }

    /// Sends commands in one write, as [`Node::obey`].
    ///
    /// # Errors
    /// As [`Node::obey`].
    pub(crate) async fn give_all<A: AsRef<str>>(
        &mut self,
        commands: &[Vec<A>],
    ) -> Result<Vec<Frame>, Error> {
        self.node.obey(&mut self.connection, commands).await
    }

    /// Has the node forget another one. If it knows none with this id any more (it has heard of it by
    /// gossip, or a handshake has timed out; "Unknown node" in all versions), that is as good.
    ///
    /// # Errors
    /// As [`Orders::give`].
    pub(crate) async fn forget(&mut self, id: &str) -> Result<(), Error> {
        match self.give(&["CLUSTER", "FORGET", id]).await {
            Err(Error::Reply { reply, .. }) if reply.contains("Unknown node") => Ok(()),
            told => told.map(drop),
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

impl Node {
    /// What another node is told so that it gets to know this one.
    pub(crate) fn meet_command(&self, server: &Identity) -> Vec<String> {
        let address = self.address();
        let mut command = vec![
            "CLUSTER".to_owned(),
            "MEET".to_owned(),
            address.ip().to_string(),
            address.port().to_string(),
        ];
        // Older servers have no third argument and take the bus port for granted.
        if server.cluster_port_setting() {
            command.extend(self.bus_port().map(|port| port.to_string()));
        }
        command
    }

    /// Sends commands in one write, so that the node carries them out one after the other without
    /// listening to anybody else in between (as long as they fit into one read), and gives the replies.
    ///
    /// # Errors
    /// The node does not answer within five seconds, or refuses a command: the first one that it
    /// refused is told, those after it have been carried out all the same.
    pub(crate) async fn obey<A: AsRef<str>>(
        &self,
        connection: &mut Connection,
        commands: &[Vec<A>],
    ) -> Result<Vec<Frame>, Error> {
        let words: Vec<Vec<&str>> = commands
            .iter()
            .map(|command| command.iter().map(AsRef::as_ref).collect())
            .collect();
        let words: Vec<&[&str]> = words.iter().map(Vec::as_slice).collect();
        let replies = connection
            .pipeline(&words, Deadline::after(REPLY_TIMEOUT))
            .await
            .map_err(|source| self.failed(source))?;
        replies
            .into_iter()
            .zip(&words)
            .map(|(reply, command)| self.accepted(&command.join(" "), reply))
            .collect()
    }

    /// The reply, if the node has not refused the command.
    ///
    /// # Errors
    /// It has.
    pub(crate) fn accepted(&self, command: &str, reply: Frame) -> Result<Frame, Error> {
        match reply.as_error() {
            None => Ok(reply),
            Some(error) => Err(self.answered(command, error)),
        }
    }

    /// The error of an answer that is none.
    pub(crate) fn answered(&self, command: &str, reply: &[u8]) -> Error {
        Error::Reply {
            node: self.name().to_owned(),
            command: command.to_owned(),
            reply: crate::resp::escape(reply),
        }
    }
}
