//! Commands and their replies: `n1> …` and `n1<`.

use shardlab::machine::wait::Deadline;
use shardlab::wire::client::ClientError;
use shardlab::wire::resp::{Frame, Protocol, encode_command};

use crate::pattern::{Match, Mismatch, Received, judge};
use crate::system::{Target, choose};
use crate::transcript::ast::{Answer, Connection, Expected, Outcome as Wish, Pipeline, Shape};
use crate::transcript::{Span, Spanned};

use super::result::Tolerated;
use super::session::{NodeFactsOf, Outcome, Session, Wanted, difference, stumble};

/// What came of waiting for one reply.
enum Reply {
    Frame(Frame),
    /// Nothing, although it was waited for as long as a reply may take.
    Silence(ClientError),
    /// Nothing, as was to be seen.
    Pending,
    /// Refused or lost.
    Lost(String),
    /// Bytes that make no frame.
    Garbage(ClientError),
}

impl<T: Target> Session<'_, T> {
    /// Sends a pipeline in one write, reads the replies, then judges them in order.
    pub(super) async fn pipeline(&mut self, pipeline: &Pipeline) -> Outcome {
        let connection = &pipeline.connection.value;
        let mut bytes = Vec::new();
        let mut protocols = Vec::new();
        for exchange in &pipeline.exchanges {
            let arguments = self.known(|known| known.arguments(&exchange.command));
            let arguments = arguments.map_err(|error| {
                let span = exchange.command.span;
                let received = error.to_string();
                stumble(
                    span,
                    Some(connection.node),
                    "a command that can be sent",
                    received,
                )
            })?;
            protocols.push(protocol_after(&arguments));
            bytes.extend_from_slice(&encode_command(&arguments));
        }
        let mut lost = match self.send(connection, &bytes).await {
            Ok(()) => None,
            Err(error) => Some(error.to_string()),
        };
        let mut replies = Vec::with_capacity(pipeline.exchanges.len());
        for (exchange, protocol) in pipeline.exchanges.iter().zip(protocols) {
            if let Some(protocol) = protocol {
                self.set_protocol(connection, protocol);
            }
            let reply = match &lost {
                Some(error) => Reply::Lost(error.clone()),
                None => {
                    self.reply(connection, &exchange.expected, Wanted::Reply)
                        .await
                }
            };
            if let (Some(_), Reply::Frame(frame)) = (protocol, &reply)
                && frame.as_error().is_some()
            {
                // The server stays with what it spoke before, which a new connection does, too.
                self.set_protocol(connection, Protocol::Resp2);
            }
            let ends = match &reply {
                Reply::Frame(_) | Reply::Pending => None,
                Reply::Lost(error) => Some(error.clone()),
                Reply::Silence(error) | Reply::Garbage(error) => Some(error.to_string()),
            };
            lost = lost.or(ends);
            replies.push(reply);
        }
        let before = self.captures.clone();
        for (exchange, reply) in pipeline.exchanges.iter().zip(replies) {
            let prompt = exchange.command.span;
            let judged = self.judge(connection, prompt, &exchange.expected, reply);
            if judged.is_err() {
                self.captures = before;
                return judged;
            }
        }
        Ok(())
    }

    /// Reads one more frame.
    pub(super) async fn read_one(
        &mut self,
        connection: &Spanned<Connection>,
        expected: &Expected,
    ) -> Outcome {
        let reply = self.reply(connection, expected, Wanted::Push).await;
        self.judge(connection, connection.span, expected, reply)
    }

    async fn reply(&mut self, connection: &Connection, expected: &Expected, push: Wanted) -> Reply {
        let outcomes = outcomes(self.target, expected);
        let may_wait = outcomes
            .iter()
            .any(|outcome| matches!(outcome, Wish::Pending));
        let a_push = outcomes.iter().any(|outcome| match outcome {
            Wish::Reply(pattern) => matches!(pattern.shape, Shape::Push(..)),
            _ => false,
        });
        let (deadline, push) = (
            if may_wait {
                Deadline::after(self.limits.quiet)
            } else {
                self.soon()
            },
            if a_push { Wanted::Push } else { push },
        );
        match self.read(connection, push, deadline).await {
            Ok(frame) => Reply::Frame(frame),
            Err(ClientError::Timeout { unread: 0, .. }) if may_wait => Reply::Pending,
            Err(error @ ClientError::Timeout { unread: 0, .. }) => {
                // A reply that came now would be taken for the next command's.
                self.close(connection);
                Reply::Silence(error)
            }
            Err(error @ (ClientError::Protocol { .. } | ClientError::Timeout { .. })) => {
                Reply::Garbage(error)
            }
            Err(error) => Reply::Lost(error.to_string()),
        }
    }

    fn judge(
        &mut self,
        connection: &Connection,
        prompt: Span,
        expected: &Expected,
        reply: Reply,
    ) -> Outcome {
        let received = match &reply {
            Reply::Frame(frame) => Received::Frame(frame),
            Reply::Pending | Reply::Silence(_) | Reply::Garbage(_) => Received::Pending,
            Reply::Lost(_) => Received::NoConnection,
        };
        let facts = NodeFactsOf(self.target);
        let server = self.target.server();
        let verdict = judge(expected, received, server, &facts, &mut self.captures);
        let node = Some(connection.node);
        let mut mismatch = match (verdict, &reply) {
            (Match::No(mismatch), _) => *mismatch,
            // Garbage is no silence.
            (_, Reply::Garbage(_)) => Mismatch {
                span: prompt,
                expected: "no reply yet".to_owned(),
                received: String::new(),
                note: None,
                level: None,
            },
            (Match::Yes, _) => return Ok(()),
            (Match::Differs(departures), _) => {
                for departure in departures {
                    let difference = *difference(departure.mismatch, Some(prompt), node);
                    let tolerated = Tolerated {
                        strength: departure.strength,
                        difference,
                    };
                    // `for` would tell of the same one at every attempt.
                    let known =
                        |other: &Tolerated| other.difference.span == tolerated.difference.span;
                    if !self.tolerated.iter().any(known) {
                        self.tolerated.push(tolerated);
                    }
                }
                return Ok(());
            }
        };
        match reply {
            Reply::Garbage(error) => mismatch.received = error.to_string(),
            Reply::Silence(error) => mismatch.received = format!("no reply: {error}"),
            Reply::Lost(error) => mismatch.received = format!("no connection: {error}"),
            Reply::Frame(_) | Reply::Pending => {}
        }
        Err(difference(mismatch, Some(prompt), node))
    }
}

/// The outcomes of which the server may choose.
fn outcomes<'a>(target: &impl Target, expected: &'a Expected) -> Vec<&'a Wish> {
    let answers: Vec<&Answer> = match expected {
        Expected::Always(answer) => vec![answer],
        Expected::Variants(variants) => choose(target.server(), variants),
    };
    let each = answers.into_iter().flat_map(|answer| &answer.outcomes);
    each.map(|outcome| &outcome.value).collect()
}

/// What a connection speaks from the reply of this command on, if the command says so.
pub(super) fn protocol_after(arguments: &[Vec<u8>]) -> Option<Protocol> {
    let first = arguments.first()?;
    if first.eq_ignore_ascii_case(b"RESET") {
        return Some(Protocol::Resp2);
    }
    if !first.eq_ignore_ascii_case(b"HELLO") {
        return None;
    }
    match arguments.get(1)?.as_slice() {
        b"2" => Some(Protocol::Resp2),
        b"3" => Some(Protocol::Resp3),
        _ => None,
    }
}
