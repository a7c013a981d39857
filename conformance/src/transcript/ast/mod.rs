//! The tree of a transcript: what `parse` makes, `print` writes, lints judge and the runner runs.
//!
//! Every node that an error may point at is [`Spanned`](super::span::Spanned). The tree holds
//! meaning, not layout: padding, blank lines and the spelling of an escape are gone, comments
//! are kept. `fixtures/README.md` shows how each node is written.

mod comment;
mod header;
mod node;
mod product;
mod reply;
mod step;
mod template;

pub use comment::Comment;
pub(crate) use header::EVENLY;
pub use header::{CaseId, Directive, Fit, Header, Level, Needs, Topology};
pub use node::{Each, NodeField, NodeName, NodeRole};
pub use product::{Condition, ProductRange, Products, Variant, Version};
pub use reply::{
    Answer, Entry, Expected, Item, Marks, Outcome, Pattern, Rule, Shape, Text, TextKind, TextLine,
};
pub use step::{
    Action, Arithmetic, Assertion, Block, Command, Comparison, Connection, EmbeddedFile, Exchange,
    Expression, Period, Pipeline, RawBytes, RawOutcome, Signal, Step, StepKind, Term, Transcript,
    Word,
};
pub use template::{Class, Count, Piece, Template};
