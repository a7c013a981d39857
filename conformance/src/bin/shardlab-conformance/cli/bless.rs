//! The arguments of `bless`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use shardlab_conformance::run::jobs_by_default;
use shardlab_conformance::suite::{Origin, Selection};

use super::tested::Tested;
use super::values::{factor, is_path};

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
    /// How many cases to run at once
    #[arg(long, short, value_name = "N", default_value_t = jobs_by_default(), value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) jobs: u8,
    /// Multiply every deadline by this factor
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor)]
    pub(crate) slow: f64,
    /// How long the whole run may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    timeout: u64,
}

impl Bless {
    /// Where the transcripts are that may be rewritten.
    pub(crate) fn origin(&self) -> Origin {
        let paths: Vec<_> = self
            .words
            .iter()
            .filter(|word| is_path(word))
            .cloned()
            .collect();
        let all = paths.len() == self.words.len();
        Origin::Paths(if all {
            paths
        } else {
            [paths, vec![self.fixtures.clone()]].concat()
        })
    }

    /// Which cases.
    pub(crate) fn selection(&self) -> Selection {
        let cases = self.words.iter().filter(|word| !is_path(word));
        Selection {
            cases: cases
                .map(|word| word.to_string_lossy().into_owned())
                .collect(),
            ..Selection::default()
        }
    }

    /// How long the whole run may take.
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}
