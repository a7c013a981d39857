//! What a transcript does, step by step.

use std::fmt;

use crate::transcript::span::Spanned;

use super::{Comment, Expected, Header, NodeField, NodeName, Template, Variant};

/// A whole file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript {
    /// Above the first blank line.
    pub header: Header,
    /// Below it.
    pub body: Block,
    /// `-- name --`, at the end.
    pub files: Vec<Spanned<EmbeddedFile>>,
}

/// Steps that stand together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Block {
    /// In order.
    pub steps: Vec<Step>,
    /// Comments below the last step.
    pub trailing: Vec<Comment>,
}

/// One step and the comments above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// In order.
    pub comments: Vec<Comment>,
    /// What is done. The span is the whole step's, without the comments.
    pub kind: Spanned<StepKind>,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepKind {
    /// `n1> GET a` and its reply.
    Send(Pipeline),
    /// `n1<`: one more frame, a push or the reply of a command that was pending.
    Read {
        /// From where.
        connection: Spanned<Connection>,
        /// What it is to be.
        expected: Expected,
    },
    /// `n1>> …`: bytes out, as they stand.
    RawSend {
        /// To where.
        connection: Spanned<Connection>,
        /// No wildcards, no captures.
        bytes: RawBytes,
    },
    /// `n1<< …`: bytes in, as they stand.
    RawExpect {
        /// From where.
        connection: Spanned<Connection>,
        /// What they are to be.
        outcome: RawOutcome,
    },
    /// `within 3T`: the block must succeed once before the period is over; it is run again as
    /// a whole.
    Within(Spanned<Period>, Block),
    /// `for 2T`: the block must succeed at every attempt until the period is over.
    For(Spanned<Period>, Block),
    /// `! kill -9 n2`
    Act(Action),
    /// `? F > E`
    Assert(Assertion),
    /// `[redis>=7.0]` and an indented block, `[*]` and another: the first that admits the
    /// server is run. An empty block is written `(nothing)`.
    Choose(Vec<Variant<Block>>),
}

/// `n1`, or `n1/name`. A connection is opened at its first use and is one of RESP2 until
/// `HELLO 3` is sent on it. It is dropped with its node's process.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Connection {
    /// To this node.
    pub node: NodeName,
    /// Which of several; none is the node's default connection.
    pub name: Option<String>,
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            None => write!(f, "{}", self.node),
            Some(name) => write!(f, "{}/{name}", self.node),
        }
    }
}

/// Commands that are sent in one write; the replies come in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    /// Where to.
    pub connection: Spanned<Connection>,
    /// At least one.
    pub exchanges: Vec<Exchange>,
}

/// A command and what it is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// What is sent.
    pub command: Spanned<Command>,
    /// What is to come back.
    pub expected: Expected,
}

/// The words after a prompt, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// In order.
    pub words: Vec<Spanned<Word>>,
}

/// A part of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// One argument. No wildcards, captures or alternatives in it.
    Argument(Template),
    /// `{0..5460}`: one argument for each number, both ends included. `first <= last`.
    Range {
        /// The first number.
        first: u32,
        /// The last number.
        last: u32,
    },
}

impl Word {
    /// The most arguments that a range may stand for: every slot.
    pub const MAX_RANGE: u32 = 16384;
}

/// How long, as a number of node timeouts (`3T`) or of milliseconds (`500ms`, `2s`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Period {
    /// Thousandths of the topology's `cluster-node-timeout`: `1.5T` is 1500.
    Timeouts(u32),
    /// Milliseconds.
    Millis(u32),
}

/// What is written after `n1>>`, or after `n1<<`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RawBytes {
    /// On the prompt's line, each byte as written: `*1\r\n$4\r\nPING\r\n`.
    Line(Template),
    /// Below it, a line for each line, as `\r\n` ends them on the wire.
    Lines {
        /// Without their ends.
        lines: Vec<Spanned<Template>>,
        /// `(no newline)`: the last line has no end.
        no_newline: bool,
    },
}

/// What can come of waiting for bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RawOutcome {
    /// These, whole: a byte more on the wire is a difference.
    Bytes(RawBytes),
    /// `(no connection)`: the server closes it.
    NoConnection,
}

/// What is done to the cluster instead of being sent to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// `! kill -9 n2`: the signal to the process.
    Kill(Signal, Vec<Spanned<NodeName>>),
    /// `! pause n2`: SIGSTOP; connections stay open.
    Pause(Vec<Spanned<NodeName>>),
    /// `! resume n2`: SIGCONT.
    Resume(Vec<Spanned<NodeName>>),
    /// `! stop n2`: SIGTERM, and waits until the process has ended; data is kept.
    Stop(Vec<Spanned<NodeName>>),
    /// `! start n2`: returns when the process is there; readiness is asked for with `within`.
    Start(Vec<Spanned<NodeName>>),
    /// `! restart n2`: stop, then start.
    Restart(Vec<Spanned<NodeName>>),
    /// `! cut n1 r1 from n2 n3`: nothing passes between the two sides, bus nor replication.
    Cut(Vec<Spanned<NodeName>>, Vec<Spanned<NodeName>>),
    /// `! heal`: every cut is undone.
    Heal,
    /// `! add-node n4`, `! add-node r1b`: a bare node with this new name is started.
    AddNode(Spanned<NodeName>),
    /// `! config n1 maxmemory 1mb`: a directive is set without a client's help.
    Config {
        /// Where.
        node: Spanned<NodeName>,
        /// The directive.
        directive: Spanned<String>,
        /// Its new value.
        value: Spanned<String>,
    },
}

/// A signal that `! kill` can send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Signal {
    /// 1
    Hup,
    /// 2: Ctrl-C in the server's terminal.
    Int,
    /// 3
    Quit,
    /// 6
    Abrt,
    /// 9
    Kill,
    /// 11
    Segv,
    /// 15: a request to shut down.
    Term,
}

impl Signal {
    /// Every signal, with its number on Linux and macOS and its name without `SIG`.
    pub const ALL: [(Self, u8, &'static str); 7] = [
        (Self::Hup, 1, "HUP"),
        (Self::Int, 2, "INT"),
        (Self::Quit, 3, "QUIT"),
        (Self::Abrt, 6, "ABRT"),
        (Self::Kill, 9, "KILL"),
        (Self::Segv, 11, "SEGV"),
        (Self::Term, 15, "TERM"),
    ];
}

/// A relation that must hold between captures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// Left of the sign.
    pub left: Spanned<Expression>,
    /// The sign.
    pub comparison: Comparison,
    /// Right of it.
    pub right: Spanned<Expression>,
}

/// A term, and perhaps integers added to it and taken from it: `E + 1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// The first.
    pub first: Spanned<Term>,
    /// The others, from left to right.
    pub rest: Vec<(Arithmetic, Spanned<Term>)>,
}

/// A value in an assertion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// `E`: what was captured.
    Captured(String),
    /// `42`
    Integer(i64),
    /// `"connected"`
    String(Vec<u8>),
    /// `<n1.id>`
    Node {
        /// Whose.
        node: NodeName,
        /// Which fact.
        field: NodeField,
    },
}

/// What joins two terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arithmetic {
    /// `+`
    Plus,
    /// `-`
    Minus,
}

/// The sign of an assertion. Two values that are both integers are compared as such, others
/// byte for byte; greater and less is only for integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// Every sign, the longer ones before their prefixes.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Equal, "=="),
        (Self::NotEqual, "!="),
        (Self::LessOrEqual, "<="),
        (Self::GreaterOrEqual, ">="),
        (Self::Less, "<"),
        (Self::Greater, ">"),
    ];
}

/// A file that a node finds in its folder: `-- n1/nodes.conf --`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddedFile {
    /// A node's name, `/`, a file's name.
    pub name: String,
    /// Up to the next such line or the end of the transcript.
    pub content: String,
}
