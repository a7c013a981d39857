//! Bytes as they stand on the wire: `n1>> …` and `n1<< …`.

use bytes::BytesMut;
use shardlab::machine::wait::Deadline;
use shardlab::wire::client::ClientError;
use shardlab::wire::resp::{Decoder, Protocol};

use crate::pattern::{Match, RawReceived, judge_raw};
use crate::system::Target;
use crate::transcript::ast::{Connection, RawBytes, RawOutcome};
use crate::transcript::{Span, Spanned};

use super::exchange::protocol_after;
use super::session::{NodeFactsOf, Outcome, Session, difference, stumble};

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
        let deadline = self.soon();
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
                Ok(more) => bytes.extend(more),
                Err(ClientError::Timeout { .. }) => break,
                Err(_) if bytes.is_empty() => {
                    return self.judge_bytes(connection, outcome, span, RawReceived::NoConnection);
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

/// The commands in bytes that are sent, as far as they are whole; also inline ones.
pub(crate) fn requests(bytes: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let mut commands = Vec::new();
    let mut rest = BytesMut::from(bytes);
    while let Some(first) = rest.first() {
        if *first == b'*' {
            let Ok(Some(frame)) = Decoder::new(Protocol::Resp2).decode(&mut rest) else {
                break;
            };
            let words = frame.as_array().unwrap_or_default().iter();
            commands.push(
                words
                    .filter_map(|word| Some(word.as_text()?.to_vec()))
                    .collect(),
            );
        } else {
            let end = rest
                .iter()
                .position(|byte| *byte == b'\n')
                .map_or(rest.len(), |end| end + 1);
            let line = rest.split_to(end);
            let words = line
                .as_ref()
                .split(u8::is_ascii_whitespace)
                .filter(|word| !word.is_empty());
            commands.push(words.map(<[u8]>::to_vec).collect());
        }
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_found_in_both_forms() {
        let words = |text: &str| {
            text.split(' ')
                .map(|word| word.as_bytes().to_vec())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            requests(b"*2\r\n$3\r\nGET\r\n$1\r\na\r\nSET b 1\r\n*1\r\n$4\r\nPI"),
            [words("GET a"), words("SET b 1")]
        );
    }
}
