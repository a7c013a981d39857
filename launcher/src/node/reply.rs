//! A reply that is waited for: until a deadline, or as long as the node answers anybody.

use std::pin::pin;
use std::time::Duration;

use tokio::time::timeout;

use super::{Endpoint, Node};
use crate::error::Error;
use crate::machine::wait::Deadline;
use crate::wire::client::{ClientError, Connection, REPLY_TIMEOUT};
use crate::wire::resp::{Frame, Limits};

/// How long a reply is waited for.
#[derive(Debug, Clone, Copy)]
pub enum Patience {
    /// Until then.
    Until(Deadline),
    /// As long as the node answers a PING on another connection, which is sent after five seconds
    /// of silence, again and again: BLPOP, WAIT and scripts may take any time.
    WhileAlive,
}

impl From<Deadline> for Patience {
    fn from(deadline: Deadline) -> Self {
        Self::Until(deadline)
    }
}

impl Patience {
    /// When a step must be done that never takes long.
    pub(crate) fn step(self) -> Deadline {
        match self {
            Self::Until(deadline) => deadline,
            Self::WhileAlive => Deadline::after(REPLY_TIMEOUT),
        }
    }
}

impl Node {
    /// Sends one command on a fresh connection and gives the reply, which may be an error reply and of any
    /// size up to [`Limits::default`].
    ///
    /// # Errors
    /// [`Error::Client`] when patience ends.
    pub async fn ask<A: AsRef<[u8]>>(
        &self,
        command: &[A],
        patience: Patience,
    ) -> Result<Frame, Error> {
        let endpoint = self.endpoint();
        let asked = async {
            let mut connection = endpoint.connect(patience.step()).await?;
            connection = connection.with_limits(Limits::default());
            endpoint.reply(&mut connection, command, patience).await
        };
        asked.await.map_err(|source| self.failed(source))
    }
}

impl Endpoint {
    /// Sends a command on a connection to this node, and waits for the reply.
    ///
    /// # Errors
    /// As [`Connection::call`]; [`ClientError::Timeout`] when patience ends.
    pub(crate) async fn reply<A: AsRef<[u8]>>(
        &self,
        connection: &mut Connection,
        command: &[A],
        patience: Patience,
    ) -> Result<Frame, ClientError> {
        let deadline = match patience {
            Patience::Until(deadline) => deadline,
            Patience::WhileAlive => Deadline::after(Duration::MAX),
        };
        let mut call = pin!(connection.call(command, deadline));
        loop {
            if let Ok(reply) = timeout(REPLY_TIMEOUT, &mut call).await {
                return reply;
            }
            if let (Patience::WhileAlive, Err(error)) =
                (patience, self.ping(Deadline::after(REPLY_TIMEOUT)).await)
            {
                // The reply may have come meanwhile.
                let last = timeout(Duration::ZERO, &mut call).await;
                return last.unwrap_or(Err(error));
            }
        }
    }

    /// Whether it answers at all; an error is an answer (BUSY, LOADING, NOAUTH).
    pub(crate) async fn ping(&self, deadline: Deadline) -> Result<(), ClientError> {
        let asked = async {
            let mut connection = self.connect(deadline).await?;
            connection.call(&["PING"], deadline).await
        };
        match asked.await {
            Ok(_) | Err(ClientError::Auth { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
