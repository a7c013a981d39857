//! What nodes are ordered and asked in a [`Session`], with typed replies.

use std::time::Duration;

use super::{Node, Session};
use crate::error::Error;
use crate::machine::wait::{Deadline, Rounds};
use crate::wire::resp::Frame;
use crate::wire::slots::Slot;
use crate::wire::view::{self, NodeId, NodeLine};

impl Session {
    /// Has the node forget another one. If it knows none with this id any more (it has heard of it by
    /// gossip, or a handshake has timed out; "Unknown node" in all versions), that is as good.
    ///
    /// # Errors
    /// As [`Session::give`].
    pub(crate) async fn forget(&mut self, id: &NodeId) -> Result<(), Error> {
        match self.give(&["CLUSTER", "FORGET", id]).await {
            Err(Error::Reply { reply, .. }) if reply.contains("Unknown node") => Ok(()),
            told => told.map(drop),
        }
    }

    /// Has the node replicate the master with this id, once gossip has told it of that one.
    ///
    /// # Errors
    /// As [`Session::give`].
    pub(crate) async fn replicate(
        &mut self,
        master: &NodeId,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let mut rounds = Rounds::until(deadline, Duration::from_millis(5));
        loop {
            let known = self
                .nodes()
                .await?
                .iter()
                .any(|line| line.id == *master && !line.shakes_hands());
            if known || !rounds.next().await {
                return self.give(&["CLUSTER", "REPLICATE", master]).await.map(drop);
            }
        }
    }

    /// The node's id.
    ///
    /// # Errors
    /// As [`Session::give`].
    pub(crate) async fn id(&mut self) -> Result<NodeId, Error> {
        let command = ["CLUSTER", "MYID"];
        let reply = self.give(&command).await?;
        let id = reply.as_text().and_then(|id| str::from_utf8(id).ok());
        let id = id.and_then(NodeId::new);
        id.ok_or_else(|| self.refused(&command, &reply.raw))
    }

    /// The nodes that this one knows.
    ///
    /// # Errors
    /// As [`Session::give`].
    pub(crate) async fn nodes(&mut self) -> Result<Vec<NodeLine>, Error> {
        Ok(view::nodes(&self.give(&["CLUSTER", "NODES"]).await?).unwrap_or_default())
    }

    /// The same order for each of some slots, `CLUSTER SETSLOT <slot> <order…>`.
    ///
    /// # Errors
    /// As [`Session::give_all`].
    pub(crate) async fn set_slots(&mut self, slots: &[Slot], order: &[&str]) -> Result<(), Error> {
        let orders = about(slots, &["CLUSTER", "SETSLOT"], order);
        self.give_all(&orders).await.map(drop)
    }

    /// As [`Session::set_slots`], but the node may refuse.
    ///
    /// # Errors
    /// As [`Session::ask`].
    pub(crate) async fn try_set_slots(
        &mut self,
        slots: &[Slot],
        order: &[&str],
    ) -> Result<(), Error> {
        let orders = about(slots, &["CLUSTER", "SETSLOT"], order);
        self.ask(&orders).await.map(drop)
    }

    /// Opens slots towards the node with this id that both say they own, as after an interruption between the
    /// two orders that give a slot away. Meanwhile this one may have heard by gossip that it owns one no more,
    /// and refuses to give it away; then it is open as one that comes from there.
    ///
    /// # Errors
    /// As [`Session::give_all`], of a slot that can be opened neither way, as by a node that has become the
    /// other one's replica with its last slot; whoever asks again then finds nothing left to move.
    pub(crate) async fn open_slots(&mut self, slots: &[Slot], id: &NodeId) -> Result<(), Error> {
        let orders = |way| about(slots, &["CLUSTER", "SETSLOT"], &[way, id]);
        let (leaving, arriving) = (orders("MIGRATING"), orders("IMPORTING"));
        let replies = self.ask(&[&leaving[..], &arriving[..]].concat()).await?;
        let (mut left, mut came) = (replies.iter(), replies.iter().skip(leaving.len()));
        for order in &leaving {
            let (left, came) = (left.next(), came.next());
            if came.is_none_or(|reply| reply.as_error().is_some()) {
                self.accepted(order, left.cloned())?;
            }
        }
        Ok(())
    }

    /// The same question about each of some slots. An error is never taken for an answer: a slot whose
    /// keys cannot be told is not one without keys.
    ///
    /// # Errors
    /// As [`Session::give_all`].
    pub(crate) async fn ask_slots(
        &mut self,
        slots: &[Slot],
        question: &[&str],
        more: &[&str],
    ) -> Result<Vec<Frame>, Error> {
        self.give_all(&about(slots, question, more)).await
    }
}

fn about(slots: &[Slot], before: &[&str], after: &[&str]) -> Vec<Vec<String>> {
    slots
        .iter()
        .map(|slot| {
            let before = before.iter().map(|word| (*word).to_owned());
            let after = after.iter().map(|word| (*word).to_owned());
            before.chain([slot.to_string()]).chain(after).collect()
        })
        .collect()
}

impl Node {
    /// What another node is told so that it gets to know this one.
    pub(crate) fn meet_command(&self) -> Vec<String> {
        let address = self.address();
        let mut command = vec![
            "CLUSTER".to_owned(),
            "MEET".to_owned(),
            address.ip().to_string(),
            address.port().to_string(),
        ];
        // Without it the usual distance is taken for granted (`clusterCommand`, cluster.c, since Redis 4.0).
        command.extend(self.bus_port().map(|port| port.to_string()));
        command
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
            reply: crate::wire::resp::escape(reply),
        }
    }
}
