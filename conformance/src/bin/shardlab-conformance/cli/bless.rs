//! The arguments of `bless`.

use std::path::PathBuf;

use clap::Args;
use shardlab_conformance::suite::{Origin, Selection};

use super::pace::Pace;
use super::tested::Tested;
use super::values::{cases, paths};

const EXAMPLES: &str = "\
The differences are shown as a patch. Only what departs changes: placeholders that still match, comments and the
replies of other servers stay. Blocks, assertions and actions are yours to change.

Examples:
  shardlab-conformance bless my_case.resp
  shardlab-conformance bless my_case.resp --server redis@7.0 --write
  shardlab-conformance bless MOV-05 --fixtures fixtures";

/// Arguments of `bless`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Bless {
    /// Transcript files or folders, and cases by id or name of those in `--fixtures`
    #[arg(value_name = "PATH|CASE", required = true)]
    words: Vec<PathBuf>,
    /// The folder of cases that are named by id
    #[arg(long, value_name = "DIR", default_value = "fixtures")]
    fixtures: PathBuf,
    /// Change the files
    #[arg(long)]
    pub(crate) write: bool,
    #[command(flatten)]
    pub(crate) tested: Tested,
    #[command(flatten)]
    pub(crate) pace: Pace,
}

impl Bless {
    /// Where the transcripts are that may be rewritten.
    pub(crate) fn origin(&self) -> Origin {
        let mut paths = paths(&self.words);
        if paths.len() < self.words.len() {
            paths.push(self.fixtures.clone());
        }
        Origin::Paths(paths)
    }

    /// Which cases.
    pub(crate) fn selection(&self) -> Selection {
        Selection {
            cases: cases(&self.words).collect(),
            ..Selection::default()
        }
    }
}
