//! What a command is to be answered with.

use crate::transcript::span::Spanned;

use super::{Level, Template, Variant};

/// The answer to one command, perhaps another one for other products.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// The same for every server.
    Always(Answer),
    /// `[redis>=7.0 valkey]` … `[*]` …: the first that admits the server.
    Variants(Vec<Variant<Answer>>),
}

/// One or more outcomes, joined by `(or)`: the server may choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// At least one.
    pub outcomes: Vec<Spanned<Outcome>>,
}

/// What can come of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A frame like this one.
    Reply(Pattern),
    /// `(pending)`: nothing yet. After a command: it blocks, `n1<` reads the reply later. After
    /// `n1<`: still nothing.
    Pending,
    /// `(no connection)`: refused, or lost before the reply was whole.
    NoConnection,
}

/// A frame that is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// What stands in front of it.
    pub marks: Marks,
    /// Type and value.
    pub shape: Shape,
}

/// `(should)`, `(may)`, `(must)`, `(exact)` in front of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    /// How strong this part of the claim is; the case's level if not given.
    pub level: Option<Level>,
    /// For errors: the whole text decides, not only the code.
    pub exact: bool,
}

/// Type and value of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// `...` or `<any>` alone: any frame that is not an error.
    Any,
    /// `OK`: a simple string.
    SimpleString(Template),
    /// `"OK"`: a bulk string.
    BulkString(Template),
    /// `(error) MOVED 15495 <n3>`: a simple error, or a bulk error. The code (first word)
    /// decides, after MOVED, ASK and REDIRECT every field; other text may differ unless the
    /// pattern is marked exact. A pattern that is only a code says nothing about the text.
    Error(Template),
    /// `(integer) 1`
    Integer(Template),
    /// `(double) 1.5`
    Double(Template),
    /// `(big number) 3492890328409238509324850943850943825024385`
    BigNumber(Template),
    /// `(true)`, `(false)`; `(boolean)` is either.
    Boolean(Option<bool>),
    /// `(nil)`: any of the three nulls.
    Nil,
    /// `(nil array)`: `*-1`, and RESP3's one null.
    NilArray,
    /// Lines with a margin: a bulk or verbatim string.
    Text(Text),
    /// `1) …`; no items: `(empty array)`.
    Array(Rule, Vec<Spanned<Item>>),
    /// `1~ …`, in any order; no items: `(empty set)`.
    Set(Rule, Vec<Spanned<Item>>),
    /// `(push)`, then items as of an array.
    Push(Rule, Vec<Spanned<Item>>),
    /// `1# "key" => value`, keys in any order; no entries: `(empty hash)`.
    Map(Rule, Vec<Spanned<Entry>>),
}

/// How the parts of a pattern relate to the parts of the frame. Sets and maps have no order:
/// there [`Rule::Whole`] and [`Rule::AnyOrder`] are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Rule {
    /// These, in this order; `...` stands for any number.
    #[default]
    Whole,
    /// `(any order)`: these and no others, in any order.
    AnyOrder,
    /// `(has)`: each of these is there; others may be.
    Has,
    /// `(lacks)`: none of these is there.
    Lacks,
}

impl Rule {
    /// The line above the parts, without parentheses; [`Rule::Whole`] has none.
    pub const fn word(self) -> Option<&'static str> {
        match self {
            Self::Whole => None,
            Self::AnyOrder => Some("any order"),
            Self::Has => Some("has"),
            Self::Lacks => Some("lacks"),
        }
    }

    /// The same for what has no order.
    #[must_use]
    pub const fn unordered(self) -> Self {
        match self {
            Self::Whole => Self::AnyOrder,
            rule => rule,
        }
    }
}

/// A part of an array, a set or a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// `...`: any number of elements. Only under [`Rule::Whole`].
    Rest,
    /// An element.
    One(Pattern),
}

/// An entry of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Before the arrow.
    pub key: Spanned<Pattern>,
    /// After it.
    pub value: Spanned<Pattern>,
}

/// A string as lines. `\r\n` and `\n` are the same here; only raw steps tell them apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Which of the wire's strings will do.
    pub kind: TextKind,
    /// How the lines relate to the received ones. [`Rule::Has`] and [`Rule::Lacks`] look at
    /// each line by itself.
    pub rule: Rule,
    /// The lines, without their ends.
    pub lines: Vec<Spanned<TextLine>>,
    /// `(no newline)`: the last line has no end. Only under [`Rule::Whole`] and
    /// [`Rule::AnyOrder`].
    pub no_newline: bool,
}

/// The strings that a text may be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TextKind {
    /// A bulk string or a verbatim string.
    #[default]
    Either,
    /// `(verbatim)`: a bulk string will not do. With three letters, this format only.
    Verbatim(Option<String>),
}

/// A line of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextLine {
    /// `...`: any number of lines. Only under [`Rule::Whole`].
    Rest,
    /// `| cluster_state:ok`
    Line {
        /// `(should) | …`, `(may) | …`
        level: Option<Level>,
        /// After the margin.
        text: Template,
    },
}
