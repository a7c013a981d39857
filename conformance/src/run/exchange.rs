//! Commands and their replies: `n1> …` and `n1<`.

use shardlab::machine::wait::Deadline;
use shardlab::wire::client::ClientError;
use shardlab::wire::resp::{Frame, Protocol, encode_command};

use crate::pattern::{Known, Match, Mismatch, Received, judge};
use crate::system::{Cause, Target, choose, command_name};
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
    /// Refused or lost, and what that shows.
    Lost(String, Option<Cause>),
    /// Bytes that make no frame.
    Garbage(ClientError),
}

impl<T: Target> Session<'_, T> {
    /// Sends a pipeline in one write, reads the replies, then judges them in order.
    pub(super) async fn pipeline(&mut self, pipeline: &Pipeline) -> Outcome {
        let connection = &pipeline.connection.value;
        let mut bytes = Vec::new();
        let mut commands = Vec::new();
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
            bytes.extend_from_slice(&encode_command(&arguments));
            commands.push(arguments);
        }
        let mut lost = match self.send(connection, &bytes).await {
            Ok(()) => None,
            Err(error) => Some((error.to_string(), Cause::of_error(&error))),
        };
        let mut replies = Vec::with_capacity(pipeline.exchanges.len());
        for (exchange, words) in pipeline.exchanges.iter().zip(&commands) {
            let protocol = protocol_after(words);
            if let Some(protocol) = protocol {
                self.set_protocol(connection, protocol);
            }
            let reply = if let Some((error, cause)) = &lost {
                Reply::Lost(error.clone(), cause.clone())
            } else {
                let name = command_name(words);
                self.reply(connection, &name, &exchange.expected, Wanted::Reply)
                    .await
            };
            if let (Some(_), Reply::Frame(frame)) = (protocol, &reply)
                && frame.as_error().is_some()
            {
                // The server stays with what it spoke before, which a new connection does, too.
                self.set_protocol(connection, Protocol::Resp2);
            }
            let ends = match &reply {
                Reply::Frame(_) | Reply::Pending => None,
                Reply::Lost(error, cause) => Some((error.clone(), cause.clone())),
                Reply::Silence(error) | Reply::Garbage(error) => {
                    Some((error.to_string(), Cause::of_error(error)))
                }
            };
            lost = lost.or(ends);
            replies.push(reply);
        }
        let before = self.captures.clone();
        let exchanges = pipeline.exchanges.iter().zip(&commands);
        for ((exchange, words), reply) in exchanges.zip(replies) {
            let prompt = exchange.command.span;
            let judged = self.judge(connection, prompt, words, &exchange.expected, reply);
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
        let reply = self.reply(connection, "", expected, Wanted::Push).await;
        self.judge(connection, connection.span, &[], expected, reply)
    }

    async fn reply(
        &mut self,
        connection: &Connection,
        command: &str,
        expected: &Expected,
        push: Wanted,
    ) -> Reply {
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
                self.soon_for(command)
            },
            if a_push { Wanted::Push } else { push },
        );
        match self.read(connection, push, deadline).await {
            Ok(frame) => {
                self.patience.answered(command);
                Reply::Frame(frame)
            }
            Err(ClientError::Timeout { unread: 0, .. }) if may_wait => Reply::Pending,
            Err(error @ ClientError::Timeout { unread: 0, .. }) => {
                // A reply that came now would be taken for the next command's.
                self.close(connection);
                self.patience.in_vain(command);
                Reply::Silence(error)
            }
            Err(error @ (ClientError::Protocol { .. } | ClientError::Timeout { .. })) => {
                self.patience.in_vain(command);
                Reply::Garbage(error)
            }
            Err(error) => {
                let cause = Cause::of_error(&error);
                if cause.is_some() {
                    self.patience.in_vain(command);
                }
                Reply::Lost(error.to_string(), cause)
            }
        }
    }

    /// Expects a reply that has departed, if one can say in place of what. It counts as matched then.
    fn expects(&mut self, words: &[Vec<u8>], expected: &Expected, frame: &Frame) -> bool {
        let facts = NodeFactsOf(self.target);
        let known = Known {
            facts: &facts,
            captures: &self.captures,
        };
        let server = self.target.server();
        let mending = self.mending.as_ref();
        let found = mending.and_then(|it| it.of(words, expected, frame, (server, known)));
        let Some((mended, here)) = found else {
            return false;
        };
        let received = Received::Frame(frame);
        let verdict = judge(&here, received, None, &facts, &mut self.captures);
        let matches = !matches!(verdict, Match::No(_));
        if let Some(mending) = self.mending.as_mut().filter(|_| matches) {
            mending.mended.push(mended);
        }
        matches
    }

    fn judge(
        &mut self,
        connection: &Connection,
        prompt: Span,
        words: &[Vec<u8>],
        expected: &Expected,
        reply: Reply,
    ) -> Outcome {
        let received = match &reply {
            Reply::Frame(frame) => Received::Frame(frame),
            Reply::Pending | Reply::Silence(_) | Reply::Garbage(_) => Received::Pending,
            Reply::Lost(..) => Received::NoConnection,
        };
        let facts = NodeFactsOf(self.target);
        let server = self.target.server();
        let verdict = judge(expected, received, server, &facts, &mut self.captures);
        if let (Match::No(_), Reply::Frame(frame)) = (&verdict, &reply)
            && self.expects(words, expected, frame)
        {
            return Ok(());
        }
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
        let cause = match reply {
            Reply::Garbage(error) => {
                mismatch.received = error.to_string();
                Cause::of_error(&error)
            }
            Reply::Silence(error) => {
                mismatch.received = format!("no reply: {error}");
                Some(Cause::Silent)
            }
            Reply::Lost(error, cause) => {
                mismatch.received = format!("no connection: {error}");
                cause
            }
            Reply::Frame(frame) => Cause::of_reply(words, &outcomes(self.target, expected), &frame),
            Reply::Pending => None,
        };
        let mut difference = difference(mismatch, Some(prompt), node);
        let is_over = self.patience.is_over(&command_name(words));
        if is_over && cause == Some(Cause::Silent) {
            let words = "other commands were left without an answer, too, so the wait was short";
            difference.notes.push(words.to_owned());
        }
        difference.is_final = match &cause {
            Some(Cause::Missing(_) | Cause::NoResp | Cause::OtherType) => true,
            Some(Cause::Silent | Cause::Closes) => is_over,
            None => false,
        };
        difference.cause = cause;
        Err(difference)
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
