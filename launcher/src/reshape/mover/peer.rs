//! A node at one end of a move, and a connection to it.

use std::sync::Arc;
use std::time::Duration;

use crate::client::{ClientError, Connection, REPLY_TIMEOUT};
use crate::error::Error;
use crate::node::Endpoint;
use crate::reshape::MoveError;
use crate::resp::{Frame, encode_command, escape};
use crate::slots::Slot;
use crate::wait::Deadline;

/// How long a node may take for a pipeline of orders: it may be busy with a large MIGRATE, and it
/// writes its nodes.conf to the disk.
const ORDERS_TIMEOUT: Duration = Duration::from_secs(60);

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

    /// Sends commands in one write and gives as many replies, errors among them.
    pub(super) async fn ask<A: AsRef<[u8]>>(
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

    /// The same question about each of some slots.
    pub(super) async fn ask_slots(
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
        let commands = about(slots, &["CLUSTER", "SETSLOT"], order);
        let replies = self.ask(&commands, ORDERS_TIMEOUT).await?;
        for (reply, command) in replies.iter().zip(&commands) {
            if let Some(error) = reply.as_error() {
                return Err(MoveError::Refused {
                    node: self.peer.name().to_owned(),
                    command: command.join(" "),
                    reply: escape(error),
                }
                .into());
            }
        }
        Ok(())
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
