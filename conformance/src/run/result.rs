//! What came of a run, as plain data; every report is a function of it.

use std::time::Duration;

use shardlab::machine::text::counted;

use crate::pattern::{Server, Strength};
use crate::suite::{Case, Mended};
use crate::system::Cause;
use crate::transcript::Span;
use crate::transcript::ast::{CaseId, Level, Needs, NodeName};

use super::WireEvent;

/// A whole run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunResult {
    /// What was tested, for people.
    pub target: String,
    /// The options that mean the same target in a later run, word by word.
    pub options: Vec<String>,
    /// Each selected case, in the order of the catalogue.
    pub cases: Vec<CaseResult>,
    /// From the first case to the last.
    pub elapsed: Duration,
    /// How many cases must be tried, if the user says so.
    pub least: Option<usize>,
    /// Whether the run was ended from outside; cases that had not ended are not in it.
    pub is_interrupted: bool,
}

/// One case.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseResult {
    /// `MOV-01`
    pub id: CaseId,
    /// The folder.
    pub area: String,
    /// The file's name without its ending.
    pub claim: String,
    /// The claim as a sentence.
    pub title: String,
    /// How strong it is.
    pub level: Level,
    /// The rights that it needs.
    pub needs: Needs,
    /// The transcript, as a user would name it.
    pub path: String,
    /// What the server is, if it is known.
    pub server: Option<Server>,
    /// What came of it.
    pub verdict: Verdict,
    /// Differences that are not held against the server.
    pub tolerated: Vec<Tolerated>,
    /// How long it took, without the boot of a cluster.
    pub elapsed: Duration,
    /// What replies that departed would be expected as, if that was asked for.
    pub mended: Vec<Mended>,
}

impl CaseResult {
    /// A case and what came of it, in no time.
    pub fn new(case: &Case, verdict: Verdict) -> Self {
        let header = &case.transcript.header;
        Self {
            id: header.id.value.clone(),
            area: case.area.clone(),
            claim: case.claim.clone(),
            title: header.title.value.clone(),
            level: header.level.value,
            needs: header.needs.value,
            path: case.path.clone(),
            server: None,
            verdict,
            tolerated: Vec::new(),
            elapsed: Duration::ZERO,
            mended: Vec::new(),
        }
    }
}

/// What came of a case.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The claim holds.
    Pass,
    /// It does not.
    Departs(Box<Difference>),
    /// It does not, and need not: the case is a `may`.
    Otherwise(Box<Difference>),
    /// It does not, as the list of known departures says.
    Known {
        /// What departs.
        difference: Box<Difference>,
        /// The list's words.
        reason: String,
    },
    /// It holds, although the list of known departures says otherwise: the entry is to go.
    Fixed {
        /// The list's words.
        reason: String,
        /// The line that can go, as in `known/keydb.txt:1`.
        place: String,
    },
    /// It was not run.
    Skipped(Skip),
    /// It could not be run, and the server is not to blame.
    Broken(String),
}

impl Verdict {
    /// The word in reports.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Departs(_) => "departs",
            Self::Otherwise(_) => "otherwise",
            Self::Known { .. } => "known",
            Self::Fixed { .. } => "fixed",
            Self::Skipped(_) => "skipped",
            Self::Broken(_) => "broken",
        }
    }

    /// Whether the run fails by it.
    pub const fn fails(&self) -> bool {
        matches!(
            self,
            Self::Departs(_) | Self::Fixed { .. } | Self::Broken(_)
        )
    }

    /// What is not as it should be, in a sentence.
    pub fn message(&self) -> Option<String> {
        match self {
            Self::Pass | Self::Otherwise(_) => None,
            Self::Departs(difference) => Some(difference.sentence()),
            Self::Known { reason, .. } | Self::Broken(reason) => Some(reason.clone()),
            Self::Fixed { reason, place } => Some(format!(
                "it holds, and is known to depart ({reason}): delete {place}"
            )),
            Self::Skipped(skip) => Some(skip.reason.clone()),
        }
    }

    /// What differs, if something does.
    pub fn difference(&self) -> Option<&Difference> {
        match self {
            Self::Departs(difference)
            | Self::Otherwise(difference)
            | Self::Known { difference, .. } => Some(difference),
            _ => None,
        }
    }
}

/// Why a case was not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip {
    /// What such cases have in common, as in "need process control".
    pub kind: &'static str,
    /// Why this one.
    pub reason: String,
}

/// A difference that is not held against the server.
#[derive(Debug, Clone, PartialEq)]
pub struct Tolerated {
    /// Why not.
    pub strength: Strength,
    /// What differs.
    pub difference: Difference,
}

/// What is not as it was expected, where, and what is known about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The expected line.
    pub span: Span,
    /// The prompt that it belongs to.
    pub prompt: Option<Span>,
    /// What was expected, as in "expected …".
    pub expected: String,
    /// What there was instead; may have several lines.
    pub received: String,
    /// What a reader should know.
    pub notes: Vec<String>,
    /// The level that the line is marked with; the case's counts otherwise.
    pub level: Option<Level>,
    /// The block that was repeated, if it stands in one.
    pub attempts: Option<Attempts>,
    /// The node that was talked to.
    pub node: Option<NodeName>,
    /// The last events on the wire.
    pub wire: Vec<WireEvent>,
    /// The last lines of that node's log.
    pub log: Vec<String>,
    /// What it shows of the server as a whole.
    pub cause: Option<Cause>,
    /// Whether another attempt would come to the same.
    pub is_final: bool,
}

/// How often a block was tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempts {
    /// `within 3T`
    pub block: String,
    /// `within`: never succeeded. `for`: succeeded until it did not.
    pub kind: BlockKind,
    /// How often it was run.
    pub count: u32,
    /// For how long.
    pub elapsed: Duration,
    /// What was added to the period of `within`.
    pub slack: Duration,
    /// What `T` is, and from where.
    pub node_timeout: String,
    /// The attempt that came furthest, if that is not the last one.
    pub closest: Option<String>,
}

/// Which kind of block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockKind {
    /// Must succeed once.
    Within,
    /// Must succeed every time.
    For,
}

impl Attempts {
    /// As in "not within 3T and 5 s of slack (11.1 s, 130 attempts, T = 2 s from CONFIG GET …)".
    pub fn describe(&self) -> String {
        let Self {
            block,
            count,
            slack,
            node_timeout,
            ..
        } = self;
        let seconds = self.elapsed.as_secs_f64();
        match self.kind {
            BlockKind::Within => {
                let attempts = counted(u64::from(*count), "attempt");
                let slack = match slack.as_secs_f64() {
                    0.0 => String::new(),
                    slack => format!(" and {slack} s of slack"),
                };
                format!("not {block}{slack} ({seconds:.1} s, {attempts}, T = {node_timeout})")
            }
            BlockKind::For => {
                format!(
                    "`{block}` broke after {seconds:.2} s, attempt {count} (T = {node_timeout})"
                )
            }
        }
    }
}

impl Difference {
    /// A difference of which no more is known.
    pub fn at(span: Span, expected: impl Into<String>, received: impl Into<String>) -> Self {
        Self {
            span,
            prompt: None,
            expected: expected.into(),
            received: received.into(),
            notes: Vec::new(),
            level: None,
            attempts: None,
            node: None,
            wire: Vec::new(),
            log: Vec::new(),
            cause: None,
            is_final: false,
        }
    }

    /// "expected …, received …".
    pub fn sentence(&self) -> String {
        format!("expected {}, received {}", self.expected, self.received)
    }
}

impl RunResult {
    /// How many verdicts satisfy.
    pub fn count(&self, wanted: impl Fn(&Verdict) -> bool) -> usize {
        self.cases
            .iter()
            .filter(|case| wanted(&case.verdict))
            .count()
    }

    /// Cases that were run.
    pub fn ran(&self) -> usize {
        self.count(|verdict| !matches!(verdict, Verdict::Skipped(_)))
    }

    /// Whether every claim holds, and enough of them were put to the test.
    pub fn holds(&self) -> bool {
        self.count(Verdict::fails) == 0 && self.shortfall().is_none()
    }
}
