//! Bytes as they stand on the wire: `n1>> …` and `n1<< …`.

use shardlab::machine::wait::Deadline;
use shardlab::wire::client::ClientError;

use crate::commands::requests;
use crate::pattern::{Match, RawReceived, judge_raw};
use crate::system::{Cause, Target};
use crate::transcript::ast::{Connection, RawBytes, RawOutcome};
use crate::transcript::{Span, Spanned};

use super::exchange::protocol_after;
use super::session::{NodeFactsOf, Outcome, Session, difference, stumble};

/// What all bytes are an answer to.
const RAW: &str = "bytes";

/// The most bytes that one step reads.
const MOST: usize = 4 << 20;

impl<T: Target> Session<'_, T> {
    /// Sends bytes. Whether the server takes them is for the next read to see.
    pub(super) async fn raw_send(
        &mut self,
        connection: &Spanned<Connection>,
        bytes: &RawBytes,
    ) -> Outcome {
        let node = Some(connection.node);
        let bytes = self.known(|known| known.raw(bytes)).map_err(|error| {
            stumble(
                connection.span,
                node,
                "bytes that can be sent",
                error.to_string(),
            )
        })?;
        // A server that closes on the first bytes may not let us write the last ones: only what
        // was never open is a difference here.
        if let Err(error @ ClientError::Connect { .. }) = self.send(connection, &bytes).await {
            let received = error.to_string();
            return Err(stumble(connection.span, node, "a connection", received));
        }
        if let Some(protocol) = requests(&bytes)
            .iter()
            .rev()
            .find_map(|words| protocol_after(words))
        {
            self.set_protocol(connection, protocol);
        }
        Ok(())
    }

    /// Reads until the bytes are those that are expected and no others follow, or nothing comes
    /// any more.
    pub(super) async fn raw_expect(
        &mut self,
        connection: &Spanned<Connection>,
        outcome: &RawOutcome,
        span: Span,
    ) -> Outcome {
        let deadline = self.soon_for(RAW);
        let mut bytes = Vec::new();
        let mut matched = false;
        loop {
            let patience = if matched {
                Deadline::after(self.limits.quiet).min(deadline)
            } else {
                deadline
            };
            let limit = MOST.saturating_sub(bytes.len()).max(1);
            match self.read_bytes(connection, limit, patience).await {
                Ok(more) => {
                    self.patience.answered(RAW);
                    bytes.extend(more);
                }
                Err(error) if bytes.is_empty() => {
                    self.patience.in_vain(RAW);
                    let silent = matches!(error, ClientError::Timeout { .. });
                    let received = if silent {
                        RawReceived::Bytes(&[])
                    } else {
                        RawReceived::NoConnection
                    };
                    let judged = self.judge_bytes(connection, outcome, span, received);
                    return judged.map_err(|mut difference| {
                        difference.cause = Cause::of_error(&error);
                        difference
                    });
                }
                Err(_) => break,
            }
            let trial = &mut self.captures.clone();
            let facts = NodeFactsOf(self.target);
            let received = RawReceived::Bytes(&bytes);
            matched = matches!(
                judge_raw(outcome, span, received, &facts, trial),
                Match::Yes
            );
            if bytes.len() >= MOST || deadline.passed() {
                break;
            }
        }
        self.judge_bytes(connection, outcome, span, RawReceived::Bytes(&bytes))
    }

    fn judge_bytes(
        &mut self,
        connection: &Spanned<Connection>,
        outcome: &RawOutcome,
        span: Span,
        received: RawReceived<'_>,
    ) -> Outcome {
        let facts = NodeFactsOf(self.target);
        match judge_raw(outcome, span, received, &facts, &mut self.captures) {
            Match::Yes | Match::Differs(_) => Ok(()),
            Match::No(mismatch) => Err(difference(
                *mismatch,
                Some(connection.span),
                Some(connection.node),
            )),
        }
    }
}
