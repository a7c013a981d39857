//! The transcripts that are run: those of this project, which every build carries, or a user's.

mod embedded;
mod load;
mod rewrite;
mod select;
mod skeleton;

use std::path::PathBuf;

use crate::transcript::Span;
use crate::transcript::ast::Transcript;

pub(crate) use embedded::KNOWN;
pub use load::{Broken, LoadError, check, files, load, parse_case};
pub use rewrite::{Mended, rewritten};
pub(crate) use select::glob;
pub use select::{Selection, SelectionError};
pub use skeleton::{header, skeleton};

/// One transcript, ready to be run.
#[derive(Debug, Clone)]
pub struct Case {
    /// The folder: `moved`.
    pub area: String,
    /// The file's name without its ending: `names_the_owner_of_the_slot`.
    pub claim: String,
    /// Where it stands, as a user would name it.
    pub path: String,
    /// Its text.
    pub source: String,
    /// Its meaning.
    pub transcript: Transcript,
}

impl Case {
    /// `area::claim`, the name of the test.
    pub fn name(&self) -> String {
        format!("{}::{}", self.area, self.claim)
    }

    /// The id in the header.
    pub fn id(&self) -> &str {
        self.transcript.header.id.value.as_str()
    }

    /// What stands at a place of its text.
    pub fn text(&self, span: Span) -> &str {
        self.source.get(span.start..span.end).unwrap_or_default()
    }
}

/// Where transcripts come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// This build.
    Embedded,
    /// These files, and all `.resp` files in these folders.
    Paths(Vec<PathBuf>),
}
