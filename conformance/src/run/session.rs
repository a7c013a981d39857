//! What a case has open while it runs: connections by name, captured values, the wire's memory.

use std::collections::{HashMap, VecDeque};

use shardlab::machine::wait::Deadline;
use shardlab::wire::client::ClientError;
use shardlab::wire::resp::{Frame, Protocol, Value};

use crate::pattern::{Captures, Facts, Known, Mismatch};
use crate::system::{Link, NOWHERE, Target};
use crate::transcript::Span;
use crate::transcript::ast::{Connection, NodeField, NodeName};

use super::mending::Mending;
use super::result::{Difference, Tolerated};
use super::wire::{Direction, Wire};
use super::{Limits, Patience};

/// More pushes than this are not kept while a reply is waited for, nor more bytes of them. In memory they
/// may take fifty times as many.
const MOST_PUSHES: usize = 1 << 12;
const MOST_PUSHED: usize = 1 << 18;

/// The outcome of a step; boxed, since it is large and rare.
pub(super) type Outcome = Result<(), Box<Difference>>;

/// A case under way.
pub(super) struct Session<'a, T: Target> {
    pub(super) target: &'a T,
    pub(super) limits: &'a Limits,
    pub(super) patience: &'a Patience,
    pub(super) captures: Captures,
    pub(super) tolerated: Vec<Tolerated>,
    pub(super) wire: Wire,
    /// When the case must have ended.
    pub(super) deadline: Deadline,
    links: HashMap<Connection, Open<T::Link>>,
    /// Whether replies that depart are expected from now on.
    pub(super) mending: Option<Mending<'a>>,
}

/// A connection in use.
struct Open<L> {
    link: L,
    /// Pushes that came while a reply was waited for.
    pushed: VecDeque<Frame>,
}

impl<L> Open<L> {
    fn pushed_bytes(&self) -> usize {
        self.pushed.iter().map(|push| push.raw.len()).sum()
    }
}

/// Facts of the target's nodes.
pub(super) struct NodeFactsOf<'a, T>(pub(super) &'a T);

impl<T: Target> Facts for NodeFactsOf<'_, T> {
    fn fact(&self, node: NodeName, field: NodeField) -> Option<String> {
        self.0.node(node)?.field(field)
    }
}

impl<'a, T: Target> Session<'a, T> {
    pub(super) fn new(
        target: &'a T,
        limits: &'a Limits,
        patience: &'a Patience,
        deadline: Deadline,
    ) -> Self {
        Self {
            target,
            limits,
            patience,
            captures: Captures::new(),
            tolerated: Vec::new(),
            wire: Wire::new(),
            deadline,
            links: HashMap::new(),
            mending: None,
        }
    }

    /// Resolves what is to be sent.
    pub(super) fn known<R>(&self, resolve: impl FnOnce(Known<'_>) -> R) -> R {
        resolve(Known {
            facts: &NodeFactsOf(self.target),
            captures: &self.captures,
        })
    }

    /// The deadline of the next step on the wire.
    pub(super) fn soon(&self) -> Deadline {
        self.deadline.at_most(self.limits.read)
    }

    /// The deadline of the reply to a command.
    pub(super) fn soon_for(&self, command: &str) -> Deadline {
        let read = self.patience.of(command, self.limits.read);
        self.deadline.at_most(read)
    }

    /// Sends bytes; opens the connection if this is its first use.
    pub(super) async fn send(
        &mut self,
        connection: &Connection,
        bytes: &[u8],
    ) -> Result<(), ClientError> {
        let deadline = self.soon();
        self.open(connection, deadline).await?;
        self.wire.bytes(connection, Direction::Sent, bytes);
        let sent = match self.links.get_mut(connection) {
            Some(open) => open.link.send(bytes, deadline).await,
            None => Ok(()),
        };
        self.noted(connection, sent)
    }

    /// Reads a frame. A push that is not wanted is kept for a later read.
    pub(super) async fn read(
        &mut self,
        connection: &Connection,
        push: Wanted,
        deadline: Deadline,
    ) -> Result<Frame, ClientError> {
        self.open(connection, deadline).await?;
        loop {
            let Some(open) = self.links.get_mut(connection) else {
                continue;
            };
            if push == Wanted::Push
                && let Some(frame) = open.pushed.pop_front()
            {
                return Ok(frame);
            }
            let read = open.link.read(deadline).await;
            if let Err(ClientError::Timeout { unread, .. } | ClientError::Closed { unread, .. }) =
                &read
                && *unread > 0
                && let Ok(part) = open.link.read_bytes(*unread, deadline).await
            {
                // A reply that breaks off is shown as far as it goes.
                self.wire.bytes(connection, Direction::Received, &part);
            }
            let frame = self.noted(connection, read)?;
            self.wire.bytes(connection, Direction::Received, &frame.raw);
            match (frame.plain(), push, self.links.get_mut(connection)) {
                // Pushes without an end would let no timer come to its turn.
                (Value::Push(_), Wanted::Reply, Some(open))
                    if open.pushed.len() == MOST_PUSHES
                        || open.pushed_bytes() > MOST_PUSHED
                        || deadline.passed() =>
                {
                    let address = self.target.node(connection.node);
                    let late = ClientError::Timeout {
                        address: address.map_or(NOWHERE, |node| node.address),
                        unread: frame.raw.len(),
                    };
                    return self.noted(connection, Err(late));
                }
                (Value::Push(_), Wanted::Reply, Some(open)) => open.pushed.push_back(frame),
                _ => return Ok(frame),
            }
        }
    }

    /// Reads what bytes there are.
    pub(super) async fn read_bytes(
        &mut self,
        connection: &Connection,
        limit: usize,
        deadline: Deadline,
    ) -> Result<Vec<u8>, ClientError> {
        self.open(connection, deadline).await?;
        let read = match self.links.get_mut(connection) {
            Some(open) => open.link.read_bytes(limit, deadline).await,
            None => return Ok(Vec::new()),
        };
        let bytes = self.noted(connection, read)?;
        self.wire.bytes(connection, Direction::Received, &bytes);
        Ok(bytes.to_vec())
    }

    /// What the replies on a connection are decoded as from now on.
    pub(super) fn set_protocol(&mut self, connection: &Connection, protocol: Protocol) {
        if let Some(open) = self.links.get_mut(connection) {
            open.link.set_protocol(protocol);
        }
    }

    /// Closes a connection; its next use opens it anew.
    pub(super) fn close(&mut self, connection: &Connection) {
        self.links.remove(connection);
    }

    /// Closes all connections to a node.
    pub(super) fn close_node(&mut self, node: NodeName) {
        self.links.retain(|connection, _| connection.node != node);
    }

    async fn open(
        &mut self,
        connection: &Connection,
        deadline: Deadline,
    ) -> Result<(), ClientError> {
        if self.links.contains_key(connection) {
            return Ok(());
        }
        let connected = self.target.connect(connection.node, deadline).await;
        let link = self.noted(connection, connected)?;
        let pushed = VecDeque::new();
        self.links.insert(connection.clone(), Open { link, pushed });
        Ok(())
    }

    /// Writes an error down; a connection that broke is closed. One that only timed out without
    /// a byte may be read on.
    fn noted<R>(
        &mut self,
        connection: &Connection,
        result: Result<R, ClientError>,
    ) -> Result<R, ClientError> {
        match &result {
            Ok(_) | Err(ClientError::Timeout { unread: 0, .. }) => {}
            Err(error) => {
                self.wire.happened(connection, error.to_string());
                self.close(connection);
            }
        }
        result
    }
}

/// A difference that a comparison has found.
pub(super) fn difference(
    mismatch: Mismatch,
    prompt: Option<Span>,
    node: Option<NodeName>,
) -> Box<Difference> {
    Box::new(Difference {
        prompt,
        notes: mismatch.note.into_iter().collect(),
        level: mismatch.level,
        node,
        ..Difference::at(mismatch.span, mismatch.expected, mismatch.received)
    })
}

/// A difference that no comparison has found.
pub(super) fn stumble(
    span: Span,
    node: Option<NodeName>,
    expected: impl Into<String>,
    received: impl Into<String>,
) -> Box<Difference> {
    Box::new(Difference {
        node,
        ..Difference::at(span, expected, received)
    })
}

/// Whether a read is for a push, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A reply: pushes that come before it are kept for later.
    Reply,
    /// Whatever comes next, first of all a push that was kept.
    Push,
}
