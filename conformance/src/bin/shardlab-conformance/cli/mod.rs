//! The command line of `shardlab-conformance`.

mod bless;
mod pace;
mod tested;
mod values;

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand};
use shardlab_conformance::suite::{Origin, Selection};
use shardlab_conformance::transcript::{ast, parse};

pub(crate) use bless::Bless;
pub(crate) use pace::Pace;
pub(crate) use tested::Tested;
use values::{cases, factor, paths};

/// Replay Redis Cluster transcripts against any server, and show exactly where it departs.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0   every case passes, or is known to depart
  1   a case departs or could not be run, or too few were run (--min)
  2   the command line or a transcript is wrong, or nothing is selected
  3   no server to start, or none at the address
  4   a running cluster could not be put back as it was
  70  a bug";

const EXAMPLES: &str = "\
Examples:
  shardlab-conformance run --server redis@6.2
  shardlab-conformance run --area moved,ask
  shardlab-conformance run MOV-05 ASK-01 --server redis
  shardlab-conformance run --attach 127.0.0.1:7001
  shardlab-conformance run my_case.resp";

const MATRIX_EXAMPLES: &str = "\
Examples:
  shardlab-conformance matrix --server valkey --server redis@7.0 --html matrix.html
  shardlab-conformance matrix --attach 127.0.0.1:7001 --level must --html matrix.html";

const RECORD_EXAMPLES: &str = "\
Type commands as into redis-cli. A line goes to the node of the last prompt, or to another: `n3> GET a`. A
line that ends in a backslash goes out together with the next one. `n1/ro> GET a` is a second connection,
`n1<` reads one more reply, `! kill -9 n2` acts on a process, `# why` is a comment. `exit` ends.

Examples:
  shardlab-conformance record my_case.resp
  shardlab-conformance record my_case.resp --topology \"3 masters\" --server redis@7.0
  shardlab-conformance record my_case.resp --attach 127.0.0.1:7001
  printf 'n1> SET a 1\\nn3> SET a 1\\n' | shardlab-conformance record my_case.resp";

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run transcripts against a server
    #[command(after_help = EXAMPLES)]
    Run(Box<Run>),
    /// Compare several servers on one page
    #[command(after_help = MATRIX_EXAMPLES)]
    Matrix(Matrix),
    /// List the transcripts
    List(List),
    /// Explain one transcript: its claim, its sources and its steps
    Explain(Explain),
    /// Write a new transcript to begin with
    New(New),
    /// Turn a live session into a transcript
    #[command(after_help = RECORD_EXAMPLES)]
    Record(Box<Record>),
    /// Expect what a server answers: rewrite the replies of transcripts that depart
    Bless(Box<Bless>),
    /// Look for mistakes in transcripts
    Check(Check),
    /// Format transcripts
    Fmt(Fmt),
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Transcript files or folders, and cases by id or name, such as `MOV-05` [default: the built-in transcripts]
    #[arg(value_name = "PATH|CASE")]
    words: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) tested: Tested,
    #[command(flatten)]
    pub(crate) select: Select,
    /// A list of known departures, one per line: `ID  PRODUCT<=VERSION  REASON` [default: the built-in list; none with `--attach`]
    #[arg(long, value_name = "FILE")]
    pub(crate) known: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) files: Files,
    /// How many cases must be tried for the run to pass [default: every client MUST that the server's version, its topology and the rights given allow, and at least half of all]
    #[arg(long, value_name = "N")]
    pub(crate) min: Option<usize>,
    #[command(flatten)]
    pub(crate) pace: Pace,
    /// Show differences in cases that pass, too
    #[arg(long, short)]
    pub(crate) verbose: bool,
    /// Print one JSON object; errors too, on standard error (docs/json.md)
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `matrix`.
#[derive(Debug, Args)]
pub(crate) struct Matrix {
    /// A server to start: a path, a program, `valkey`, `redis`, or a version such as `valkey@9.1`; may be repeated
    #[arg(long, value_name = "SPEC", required_unless_present_any = ["attach", "profile"])]
    pub(crate) server: Vec<String>,
    /// How to start a server that does not take Redis's configuration (docs/profiles.md); may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: Vec<PathBuf>,
    /// A running cluster; may be repeated
    #[arg(long, value_name = "HOST:PORT,…")]
    pub(crate) attach: Vec<String>,
    /// Write the page to this file
    #[arg(long, value_name = "FILE", required_unless_present = "markdown")]
    pub(crate) html: Option<PathBuf>,
    /// Write counts by area and each departure to this file, in Markdown
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,
    /// Do not download a server
    #[arg(long)]
    pub(crate) offline: bool,
    #[command(flatten)]
    pub(crate) selection: Select,
    #[command(flatten)]
    pub(crate) pace: Pace,
}

/// Reports that go to files.
#[derive(Debug, Args)]
pub(crate) struct Files {
    /// Write a `JUnit` XML report to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Write a TAP 14 report to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) tap: Option<PathBuf>,
    /// Write a Markdown summary to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,
    /// Write all departures of this run to this file, as a list for `--known`
    #[arg(long, value_name = "FILE")]
    pub(crate) write_known: Option<PathBuf>,
    /// Annotate departures for GitHub, on standard error
    #[arg(long, env = "GITHUB_ACTIONS", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(crate) annotations: bool,
}

/// Which transcripts.
#[derive(Debug, Args)]
pub(crate) struct Select {
    /// Only cases with these ids or names; `*` matches any text; may be repeated
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    case: Vec<String>,
    /// Only cases of these areas; may be repeated
    #[arg(long, value_name = "AREA", value_delimiter = ',')]
    area: Vec<String>,
    /// Only cases of this level and stronger ones
    #[arg(long, value_name = "LEVEL")]
    level: Option<ast::Level>,
    /// Take the transcripts from this folder [default: the built-in transcripts]
    #[arg(long, value_name = "DIR")]
    fixtures: Option<PathBuf>,
}

impl Select {
    /// Which cases.
    pub(crate) fn selection(&self) -> Selection {
        Selection {
            cases: self.case.clone(),
            areas: self.area.clone(),
            level: self.level,
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
    /// Print one JSON object; errors too, on standard error (docs/json.md)
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The id or name of a case
    #[arg(value_name = "CASE")]
    pub(crate) case: String,
    /// Take the transcripts from this folder [default: the built-in transcripts]
    #[arg(long, value_name = "DIR")]
    pub(crate) fixtures: Option<PathBuf>,
}

/// Arguments of `new`.
#[derive(Debug, Args)]
pub(crate) struct New {
    /// The file to write; its name is the claim, such as `mine/a_reader_is_redirected.resp`
    #[arg(value_name = "FILE")]
    pub(crate) path: PathBuf,
    /// The case's id, which never changes and is never used twice
    #[arg(long, value_name = "ID", default_value = "MINE-01")]
    pub(crate) id: String,
}

/// Arguments of `record`.
#[derive(Debug, Args)]
pub(crate) struct Record {
    /// The file to write; its name is the claim, in words [default: standard output]
    #[arg(value_name = "FILE")]
    pub(crate) path: Option<PathBuf>,
    /// The case's id, which never changes and is never used twice
    #[arg(long, value_name = "ID", default_value = "MINE-01")]
    pub(crate) id: String,
    /// The cluster to start, as a header says it (fixtures/README.md)
    #[arg(long, value_name = "TOPOLOGY", default_value_t, value_parser = topology, conflicts_with = "attach")]
    pub(crate) topology: ast::Topology,
    /// Replace the file if it exists
    #[arg(long)]
    pub(crate) overwrite: bool,
    #[command(flatten)]
    pub(crate) tested: Tested,
    /// Multiply every deadline by this factor
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor)]
    pub(crate) slow: f64,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Transcript files or folders [default: the built-in transcripts]
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

/// Arguments of `fmt`.
#[derive(Debug, Args)]
pub(crate) struct Fmt {
    /// Transcript files or folders
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Change nothing; exit with 1 if a file would change
    #[arg(long)]
    pub(crate) check: bool,
}

/// `3 masters, 1 replica each`
fn topology(text: &str) -> Result<ast::Topology, String> {
    let header = format!("id: NEW-01\ntitle: t\nlevel: may\nneeds: sentinel\ntopology: {text}\n");
    let parsed = parse(&header).map_err(|errors| {
        let error = errors.first();
        let help = error.and_then(|error| error.kind.help());
        let words = error.map(ToString::to_string).into_iter().chain(help);
        words.collect::<Vec<_>>().join("; ")
    })?;
    Ok(parsed.header.topology.value)
}

impl Run {
    /// Where the transcripts come from.
    pub(crate) fn origin(&self) -> Origin {
        self.select.origin(&paths(&self.words))
    }

    /// Which cases.
    pub(crate) fn selection(&self) -> Selection {
        let mut selection = self.select.selection();
        selection.cases.extend(cases(&self.words));
        selection
    }
}
