//! Transcripts as text and as a tree. Pure: no files, no clock, no network.

pub mod ast;
mod coverage;
mod error;
mod lint;
mod parse;
mod print;
mod span;
mod suggest;

pub use error::{Error, ErrorKind, Vocabulary};
pub(crate) use lint::needs::{changes_more_than_keys, least_needs};
pub(crate) use lint::nodes::names;
pub(crate) use lint::walk::{expected, pieces, raw, replies, sent, steps, templates};
pub use lint::{check, lint, lint_ids, lint_path};
pub(crate) use parse::has_prompt;
pub use parse::{MAX_DEPTH, parse, parse_bytes, product_range};
pub(crate) use print::print_steps;
pub use print::{print, print_pattern, print_template};
pub use span::{MAX_SOURCE, Position, Span, Spanned};
