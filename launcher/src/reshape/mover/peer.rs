//! A node at one end of a move, and a connection to it.

use std::sync::Arc;
use std::time::Duration;

use super::passing::passes;
use crate::client::{ClientError, Connection, REPLY_TIMEOUT};
use crate::error::Error;
use crate::node::Endpoint;
use crate::reshape::MoveError;
use crate::resp::{Frame, encode_command, escape};
use crate::slots::Slot;
use crate::wait::{self, Deadline};

/// How long a node may take for a pipeline of orders: it may be busy with a large MIGRATE, and it
/// writes its nodes.conf to the disk.
const ORDERS_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a node may refuse for a reason that passes by itself.
const PASSING: Duration = Duration::from_secs(20);
const ROUND: Duration = Duration::from_millis(50);

/// A node that takes part in a move.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) endpoint: Endpoint,
    /// Its node id.
    pub(super) id: String,
}

impl Peer {
    pub(super) fn name(&self) -> &str {
        &self.endpoint.name
    }

    fn refused(&self, command: String, error: &[u8]) -> Error {
        MoveError::Refused {
            node: self.endpoint.name.clone(),
            command,
            reply: escape(error),
        }
        .into()
    }

    fn failed(&self, source: ClientError) -> Error {
        Error::Client {
            node: self.endpoint.name.clone(),
            source,
        }
    }
}

/// A connection to a node that takes part in a move.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) peer: Arc<Peer>,
    connection: Connection,
}

impl Session {
    pub(super) async fn open(peer: &Arc<Peer>) -> Result<Self, Error> {
        let connection = peer.endpoint.connect(Deadline::after(REPLY_TIMEOUT)).await;
        Ok(Self {
            peer: Arc::clone(peer),
            connection: connection.map_err(|source| peer.failed(source))?,
        })
    }

    /// Sends commands in one write and gives as many replies, errors among them. As long as some
    /// are refused for a reason that [passes], all are sent again: they must be of a kind that can be
    /// repeated.
    pub(super) async fn ask<A: AsRef<[u8]>>(
        &mut self,
        commands: &[Vec<A>],
        patience: Duration,
    ) -> Result<Vec<Frame>, Error> {
        let passing = Deadline::after(PASSING);
        loop {
            let replies = self.ask_once(commands, patience).await?;
            let refused = replies.iter().filter_map(Frame::as_error).any(passes);
            if !refused || passing.passed() {
                return Ok(replies);
            }
            wait::next_round(ROUND, passing).await;
        }
    }

    async fn ask_once<A: AsRef<[u8]>>(
        &mut self,
        commands: &[Vec<A>],
        patience: Duration,
    ) -> Result<Vec<Frame>, Error> {
        let deadline = Deadline::after(patience);
        let mut requests = Vec::new();
        for command in commands {
            requests.extend_from_slice(&encode_command(command));
        }
        let sent = self.connection.send(&requests, deadline).await;
        sent.map_err(|source| self.peer.failed(source))?;
        let mut replies = Vec::with_capacity(commands.len());
        for _ in commands {
            let reply = self.connection.read(deadline).await;
            replies.push(reply.map_err(|source| self.peer.failed(source))?);
        }
        Ok(replies)
    }

    /// The same question about each of some slots. An error is never taken for an answer: a slot whose
    /// keys cannot be told is not one without keys.
    pub(super) async fn ask_slots(
        &mut self,
        slots: &[Slot],
        question: &[&str],
        more: &[&str],
    ) -> Result<Vec<Frame>, Error> {
        let replies = self.try_slots(slots, question, more).await?;
        for (reply, slot) in replies.iter().zip(slots) {
            if let Some(error) = reply.as_error() {
                let command = about(&[*slot], question, more).concat().join(" ");
                return Err(self.peer.refused(command, error));
            }
        }
        Ok(replies)
    }

    /// As [`Session::ask_slots`], but the node may refuse.
    pub(super) async fn try_slots(
        &mut self,
        slots: &[Slot],
        question: &[&str],
        more: &[&str],
    ) -> Result<Vec<Frame>, Error> {
        self.ask(&about(slots, question, more), ORDERS_TIMEOUT)
            .await
    }

    /// The same order for each of some slots, `CLUSTER SETSLOT <slot> <order…>`, all of which the
    /// node must obey.
    pub(super) async fn set_slots(&mut self, slots: &[Slot], order: &[&str]) -> Result<(), Error> {
        let obeyed = self.ask_slots(slots, &["CLUSTER", "SETSLOT"], order);
        obeyed.await.map(drop)
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
