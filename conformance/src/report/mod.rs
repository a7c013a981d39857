//! Reports, each a function of what came of a run. None of them runs or prints anything.

mod areas;
mod baseline;
mod catalogue;
mod compatibility;
mod github;
mod groups;
pub mod json;
mod junit;
mod markdown;
mod matrix;
mod picture;
mod rerun;
pub mod scorecard;
mod tap;
pub mod terminal;

pub use baseline::known_list;
pub use catalogue::{explain, list};
pub use compatibility::compatibility;
pub use github::{annotations, without_commands};
pub use junit::junit;
pub use markdown::markdown;
pub use matrix::matrix;
pub use picture::picture;
pub use rerun::rerun;
pub use tap::tap;

use crate::diagnose::Style;
use crate::run::result::{CaseResult, RunResult};
use crate::suite::Case;
use crate::transcript::Position;

/// A run, and what is needed to show it.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "it holds a function")]
pub struct Report<'a> {
    /// What came of it.
    pub run: &'a RunResult,
    /// The transcripts.
    pub cases: &'a [Case],
    /// The command that runs just this case.
    pub rerun: &'a dyn Fn(&Case) -> String,
}

impl<'a> Report<'a> {
    /// The transcript of a case.
    pub fn case(&self, result: &CaseResult) -> Option<&'a Case> {
        self.cases
            .iter()
            .find(|case| case.id() == result.id.as_str())
    }

    /// Where a case departs.
    pub fn place(&self, result: &CaseResult) -> Option<(&'a str, Position)> {
        let (case, difference) = (self.case(result)?, result.verdict.difference()?);
        Some((&case.path, difference.span.position(&case.source)))
    }

    /// How it departs, without colours.
    pub fn picture(&self, result: &CaseResult) -> Option<String> {
        let case = self.case(result)?;
        picture(result, case, &(self.rerun)(case), Style::Plain)
    }
}
