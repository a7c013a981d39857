//! A session with a cluster, a command at a time, that becomes a transcript.

mod guest;
mod refusal;

use std::fmt;

use shardlab::machine::wait::Deadline;
use shardlab::wire::client::ClientError;
use shardlab::wire::resp::{Protocol, encode_command, escape};

use crate::binding::Names;
use crate::render::{Naming, notation};
use crate::system::attached::Permission;
use crate::system::{Target, command_name};
use crate::transcript::ast::{
    Answer, Block, Comment, Connection, Expected, NodeField, NodeName, Outcome, Period, Pipeline,
    Shape, Step, StepKind, Transcript,
};
use crate::transcript::{
    self, MAX_SOURCE, Span, Spanned, has_prompt, least_needs, parse, print_steps,
};

use guest::{Guest, elsewhere};
pub use refusal::Refusal;
use refusal::refusal;

use crate::run::exchange::protocol_after;
use crate::run::keys::{Waits, delete, existing};
use crate::run::mending::naming;
use crate::run::session::{Session, Wanted};
use crate::run::{Limits, Patience};

/// A header for steps that are read one by one.
const HEADER: &str = "id: REC-01\ntitle: t\nlevel: may\nneeds: sentinel\ntopology: any\n\n";

/// Bytes of a transcript that are kept free for its header.
const FOR_HEADER: usize = 4 << 10;

/// For how long a reply is waited for that depends on what was done before.
const SETTLING: Period = Period::Timeouts(5_000);

/// What has been sent so far, and what came back.
pub struct Recorder<'a, T: Target> {
    session: Session<'a, T>,
    naming: Naming,
    /// Of the last prompt: where a line without one goes.
    connection: Connection,
    comments: Vec<Comment>,
    steps: Vec<Step>,
    /// Of their text, in bytes.
    size: usize,
    /// Whether something was done of which the nodes hear bit by bit.
    is_settling: bool,
    /// On a cluster that is not ours.
    guest: Option<Guest>,
}

impl<T: Target> fmt::Debug for Recorder<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}

impl<'a, T: Target> Recorder<'a, T> {
    /// A session with the nodes of a target. On a cluster that is not ours (`guest`: what its user permits), no
    /// key that is there already is touched, and nothing is sent or done that changes more than keys.
    pub fn new(
        target: &'a T,
        names: &Names,
        limits: &'a Limits,
        patience: &'a Patience,
        guest: Option<Permission>,
    ) -> Self {
        let first = target.nodes().into_iter().min();
        Self {
            naming: naming(target, names),
            session: Session::new(target, limits, patience, Deadline::after(limits.case)),
            connection: Connection {
                node: first.unwrap_or(NodeName::master(1)),
                name: None,
            },
            comments: Vec::new(),
            steps: Vec::new(),
            size: 0,
            is_settling: false,
            guest: guest.map(Guest::new),
        }
    }

    /// Where a line without a prompt goes, as in `n1/ro`.
    pub fn connection(&self) -> String {
        self.connection.to_string()
    }

    /// How many steps there are.
    pub fn steps(&self) -> usize {
        self.steps.len()
    }

    /// Takes the lines of one step: a command, perhaps with a prompt, and those that are pipelined behind it.
    /// Gives the reply as the transcript shows it; nothing for a comment, or a prompt alone.
    ///
    /// # Errors
    /// The lines are no step, or not one that can be recorded.
    pub async fn step(&mut self, lines: &str) -> Result<String, Refusal> {
        let text = lines.trim();
        if let Some(comment) = text.strip_prefix('#') {
            self.comments.push(Comment {
                text: comment.trim().to_owned(),
                blank_after: false,
            });
            return Ok(String::new());
        }
        let text = self.named_prompt(text);
        if text.is_empty() || self.turned_to(&text)? {
            return Ok(String::new());
        }
        let kind = self.read(&text)?;
        self.session.deadline = Deadline::after(self.session.limits.case);
        let (kind, settles) = match kind.value {
            StepKind::Send(pipeline) => self.send(pipeline).await?,
            StepKind::Read { connection, .. } => {
                self.known(connection.node)?;
                self.connection = connection.value.clone();
                let outcome = self.outcome(&connection, &[], Wanted::Push).await?;
                let expected = always(outcome);
                let read = StepKind::Read {
                    connection,
                    expected,
                };
                (read, false)
            }
            StepKind::Act(_) if self.guest.is_some() => {
                return Err(elsewhere(
                    "this would act on a node that the session has not started",
                ));
            }
            StepKind::Act(action) => {
                let acted = self.session.act(&action, kind.span).await;
                acted.map_err(|difference| Refusal {
                    message: difference.received,
                    help: None,
                })?;
                (StepKind::Act(action), true)
            }
            _ => return Err(later()),
        };
        self.keep(kind, settles)
    }

    /// The steps as a transcript: below this header, with the rights that they need.
    pub fn transcript(&mut self, mut header: Transcript) -> Transcript {
        header.body = Block {
            steps: std::mem::take(&mut self.steps),
            trailing: std::mem::take(&mut self.comments),
        };
        header.header.needs.value = least_needs(&header);
        header
    }

    /// Deletes the keys that were not there before, on a cluster that is not ours.
    ///
    /// # Errors
    /// They cannot be deleted.
    pub async fn clean_up(&mut self) -> Result<(), String> {
        let Some(guest) = self.guest.take() else {
            return Ok(());
        };
        delete(self.session.target, &guest.own, self.waits())
            .await
            .map_err(|trouble| trouble.text)
    }

    fn waits(&self) -> Waits<'a> {
        Waits {
            limits: self.session.limits,
            patience: self.session.patience,
        }
    }

    /// The same with a node's name where a prompt of redis-cli has its address.
    fn named_prompt(&self, text: &str) -> String {
        for node in self.session.target.nodes() {
            let facts = self.session.target.node(node);
            let address = facts.and_then(|facts| facts.field(NodeField::Address));
            let rest = address.and_then(|address| text.strip_prefix(&format!("{address}>")));
            if let Some(rest) = rest {
                return format!("{node}>{rest}");
            }
        }
        text.to_owned()
    }

    /// A prompt with nothing behind it: the next lines go there.
    fn turned_to(&mut self, text: &str) -> Result<bool, Refusal> {
        let Some(name) = text.strip_suffix('>').filter(|_| has_prompt(text)) else {
            return Ok(false);
        };
        if name.ends_with('>') {
            return Ok(false);
        }
        let kind = self.read(&format!("{name}> PING"))?;
        if let StepKind::Send(pipeline) = kind.value {
            self.known(pipeline.connection.node)?;
            self.connection = pipeline.connection.value;
        }
        Ok(true)
    }

    /// The step that lines are.
    fn read(&self, text: &str) -> Result<Spanned<StepKind>, Refusal> {
        let is_bare = !has_prompt(text) && !text.starts_with('!');
        if is_written(text, is_bare) {
            return Err(later());
        }
        if is_bare && !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Err(refusal(
                "this is not a command",
                "replies are left out: they come from the server",
            ));
        }
        let prompt = if is_bare {
            format!("{}> ", self.connection)
        } else {
            String::new()
        };
        let mut source = format!("{HEADER}{prompt}{text}\n");
        let replies = if text.starts_with('!') {
            0
        } else {
            text.lines().count()
        };
        source.push_str(&"(pending)\n".repeat(replies));
        let parsed = parse(&source).map_err(|errors| match errors.into_iter().next() {
            Some(error) => Refusal {
                help: error.kind.help(),
                message: error.kind.to_string(),
            },
            None => refusal("this is not a step", "write a command, such as `GET a`"),
        })?;
        let mut steps = parsed.body.steps.into_iter();
        match (steps.next(), steps.next()) {
            (Some(step), None) => Ok(step.kind),
            _ => Err(refusal("this is more than one step", "write one at a time")),
        }
    }

    /// Whether the target has a node.
    fn known(&self, node: NodeName) -> Result<(), Refusal> {
        if node.each().is_none() && self.session.target.node(node).is_some() {
            return Ok(());
        }
        let names: Vec<_> = self.session.target.nodes();
        let mut names: Vec<_> = names.iter().map(ToString::to_string).collect();
        names.sort();
        Err(refusal(
            format!("`{node}` is not one node of this cluster"),
            &format!("its nodes are {}", names.join(", ")),
        ))
    }

    /// Sends a pipeline and reads the replies.
    async fn send(&mut self, mut pipeline: Pipeline) -> Result<(StepKind, bool), Refusal> {
        let connection = pipeline.connection.value.clone();
        self.known(connection.node)?;
        let (mut bytes, mut commands) = (Vec::new(), Vec::new());
        for exchange in &pipeline.exchanges {
            let arguments = self
                .session
                .known(|known| known.arguments(&exchange.command));
            let arguments = arguments.map_err(|error| Refusal {
                message: error.to_string(),
                help: None,
            })?;
            bytes.extend_from_slice(&encode_command(&arguments));
            commands.push(arguments);
        }
        self.guard(&commands).await?;
        self.connection = connection.clone();
        let sent = self.session.send(&connection, &bytes).await;
        let mut lost = sent.is_err();
        for (exchange, words) in pipeline.exchanges.iter_mut().zip(&commands) {
            let protocol = protocol_after(words);
            if let Some(protocol) = protocol {
                self.session.set_protocol(&connection, protocol);
            }
            let outcome = if lost {
                Outcome::NoConnection
            } else {
                self.outcome(&connection, words, of(words)).await?
            };
            lost |= matches!(outcome, Outcome::NoConnection);
            if protocol.is_some() && is_error(&outcome) {
                self.session.set_protocol(&connection, Protocol::Resp2);
            }
            self.naming.words(&mut exchange.command.value.words);
            exchange.expected = always(outcome);
        }
        let settles = pipeline
            .exchanges
            .iter()
            .any(|exchange| transcript::changes_more_than_keys(&exchange.command));
        Ok((StepKind::Send(pipeline), settles))
    }

    /// Refuses what a run would not do on a cluster that is not ours.
    async fn guard(&mut self, commands: &[Vec<Vec<u8>>]) -> Result<(), Refusal> {
        let Some(guest) = &self.guest else {
            return Ok(());
        };
        let (all, fresh) = guest.footprints(commands)?;
        let there = existing(self.session.target, &fresh, self.waits()).await;
        let there = there.map_err(|trouble| Refusal {
            message: trouble.text,
            help: None,
        })?;
        if let Some(key) = there.first() {
            return Err(refusal(
                format!("the key `{}` was there before this session", escape(key)),
                "use another key, so that a run of the transcript touches nothing of yours",
            ));
        }
        if let Some(guest) = &mut self.guest {
            guest.own = all;
        }
        Ok(())
    }

    /// What comes back.
    async fn outcome(
        &mut self,
        connection: &Connection,
        words: &[Vec<u8>],
        wanted: Wanted,
    ) -> Result<Outcome, Refusal> {
        let deadline = self.session.soon();
        match self.session.read(connection, wanted, deadline).await {
            Ok(frame) => Ok(Outcome::Reply(notation(words, &frame, &self.naming))),
            Err(ClientError::Timeout { unread: 0, .. }) => Ok(Outcome::Pending),
            Err(error @ (ClientError::Protocol { .. } | ClientError::Timeout { .. })) => {
                Err(Refusal {
                    message: error.to_string(),
                    help: None,
                })
            }
            Err(_) => Ok(Outcome::NoConnection),
        }
    }

    /// Keeps a step, in a block that waits for its reply if something was done before.
    fn keep(&mut self, kind: StepKind, settles: bool) -> Result<String, Refusal> {
        let typed = match &kind {
            StepKind::Send(pipeline) => pipeline.exchanges.len(),
            _ => 1,
        };
        let block = one(Vec::new(), kind.clone());
        let shown = print_steps(&block);
        let comments = std::mem::take(&mut self.comments);
        let waits = self.is_settling && !settles && !matches!(kind, StepKind::Read { .. });
        let kept = if waits {
            let period = Spanned::new(SETTLING, Span::default());
            one(comments, StepKind::Within(period, block))
        } else {
            one(comments, kind)
        };
        self.is_settling |= settles;
        let size = self.size + print_steps(&kept).len() + 1;
        if size > MAX_SOURCE - FOR_HEADER {
            return Err(refusal(
                format!(
                    "the transcript would be larger than {} KiB",
                    MAX_SOURCE >> 10
                ),
                "this step was sent and is not recorded",
            ));
        }
        self.size = size;
        self.steps.extend(kept.steps);
        let replies: Vec<_> = shown.lines().skip(typed).collect();
        Ok(replies.join("\n"))
    }
}

/// Whether a line is a part of a transcript that says what is to be, rather than what is done.
fn is_written(text: &str, is_bare: bool) -> bool {
    match text.split_once(['<', '>']) {
        Some((_, rest)) if !is_bare && !text.starts_with('!') => rest.starts_with(['<', '>']),
        _ => {
            is_bare
                && ["within ", "for ", "?", "["]
                    .iter()
                    .any(|begin| text.starts_with(begin))
        }
    }
}

fn later() -> Refusal {
    refusal(
        "only commands, `n1<` and actions are recorded",
        "write blocks, assertions and bytes into the file afterwards",
    )
}

fn one(comments: Vec<Comment>, kind: StepKind) -> Block {
    let kind = Spanned::new(kind, Span::default());
    Block {
        steps: vec![Step { comments, kind }],
        trailing: Vec::new(),
    }
}

fn always(outcome: Outcome) -> Expected {
    Expected::Always(Answer {
        outcomes: vec![Spanned::new(outcome, Span::default())],
    })
}

fn is_error(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Reply(pattern) if matches!(pattern.shape, Shape::Error(_)))
}

/// Whether a command is answered with a push.
fn of(words: &[Vec<u8>]) -> Wanted {
    if command_name(words).ends_with("SUBSCRIBE") {
        Wanted::Push
    } else {
        Wanted::Reply
    }
}

#[cfg(test)]
mod tests;
