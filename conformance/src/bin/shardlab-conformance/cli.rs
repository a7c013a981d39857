//! The command line of `shardlab-conformance`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use shardlab_conformance::run::jobs_by_default;
use shardlab_conformance::suite::{Origin, Selection};
use shardlab_conformance::transcript::ast;

/// Replays Redis Cluster transcripts against any server and says exactly where it departs.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 every claim holds, 1 a departure, or every case was skipped, 2 bad use, a bad \
transcript, or nothing selected, 3 no server, or none at the address, 70 a bug.";

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs transcripts against a server
    Run(Run),
    /// Lists the transcripts
    List(List),
    /// Tells all about one transcript: claim, source, steps
    Explain(Explain),
    /// Looks for mistakes in transcripts
    Check(Check),
    /// Writes transcripts in their canonical form
    Fmt(Fmt),
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Transcripts, or folders of them, instead of those of this program
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// The server to start: a path, a program, `valkey`, `redis`, or `product@version`
    #[arg(long, value_name = "SPEC")]
    pub(crate) server: Option<String>,
    /// Fetches nothing
    #[arg(long)]
    pub(crate) offline: bool,
    /// Tests a running cluster, through clients only, and leaves no key behind
    #[arg(long, value_name = "HOST:PORT,…", conflicts_with_all = ["server", "offline"])]
    pub(crate) attach: Option<String>,
    /// What the running server is, instead of what it says of itself
    #[arg(long, value_name = "NAME", requires = "server_version")]
    pub(crate) product: Option<String>,
    /// The version of `--product`
    #[arg(long, value_name = "VERSION", requires = "product", value_parser = version)]
    pub(crate) server_version: Option<ast::Version>,
    #[command(flatten)]
    pub(crate) selection: Select,
    /// Known departures, one to a line: `ID  PRODUCT<=VERSION  REASON` [default: ours, with --server]
    #[arg(long, value_name = "FILE")]
    pub(crate) known: Option<PathBuf>,
    /// How many cases run at once
    #[arg(long, short, value_name = "N", default_value_t = jobs_by_default(), value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) jobs: u8,
    /// Makes every deadline so many times as long
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor)]
    pub(crate) slow: f64,
    /// How long the whole run may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    pub(crate) timeout: u64,
    /// Shows what differs in cases that pass, too
    #[arg(long, short)]
    pub(crate) verbose: bool,
    /// The result as one JSON object (docs/json.md), also of an error, on standard error
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which transcripts.
#[derive(Debug, Args)]
pub(crate) struct Select {
    /// Only these: ids or names, `*` stands for any text; may be given several times
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    case: Vec<String>,
    /// Only those of these areas
    #[arg(long, value_name = "AREA", value_delimiter = ',')]
    area: Vec<String>,
    /// Only those of this strength, and stronger ones
    #[arg(long, value_name = "LEVEL")]
    level: Option<Level>,
    /// Takes the transcripts from a folder instead of this program
    #[arg(long, value_name = "DIR")]
    fixtures: Option<PathBuf>,
}

/// How strong a claim is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Level {
    /// What client programs parse
    Must,
    /// What they should not depend on
    Should,
    /// What a server may choose
    May,
}

impl Select {
    /// Which cases.
    pub(crate) fn selection(&self) -> Selection {
        Selection {
            cases: self.case.clone(),
            areas: self.area.clone(),
            level: self.level.map(|level| match level {
                Level::Must => ast::Level::Must,
                Level::Should => ast::Level::Should,
                Level::May => ast::Level::May,
            }),
        }
    }

    /// Where they come from; `paths` were named besides.
    pub(crate) fn origin(&self, paths: &[PathBuf]) -> Origin {
        let all: Vec<_> = self.fixtures.iter().chain(paths).cloned().collect();
        if all.is_empty() {
            Origin::Embedded
        } else {
            Origin::Paths(all)
        }
    }
}

/// Arguments of `list`.
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) selection: Select,
    /// As one JSON object (docs/json.md)
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// Its id or name
    #[arg(value_name = "CASE")]
    pub(crate) case: String,
    /// Takes the transcripts from a folder instead of this program
    #[arg(long, value_name = "DIR")]
    pub(crate) fixtures: Option<PathBuf>,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Transcripts, or folders of them, instead of those of this program
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

/// Arguments of `fmt`.
#[derive(Debug, Args)]
pub(crate) struct Fmt {
    /// Transcripts, or folders of them
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Writes nothing; exit code 1 if a file is not in its canonical form
    #[arg(long)]
    pub(crate) check: bool,
}

fn version(text: &str) -> Result<ast::Version, String> {
    ast::Version::parse(text)
        .ok_or_else(|| format!("`{text}` is not a version; write `8.1` or `8.1.2`"))
}

fn factor(text: &str) -> Result<f64, String> {
    let factor = text
        .parse()
        .ok()
        .filter(|factor| (0.1..=100.0).contains(factor));
    factor.ok_or_else(|| "a factor lies between 0.1 and 100".to_owned())
}

impl Run {
    /// Where the transcripts come from.
    pub(crate) fn origin(&self) -> Origin {
        self.selection.origin(&self.paths)
    }

    /// How long the whole run may take.
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}
