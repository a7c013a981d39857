//! A run as it goes on: a line for each case, and on a terminal what runs now.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::time::Instant;

use shardlab_conformance::report::terminal;
use shardlab_conformance::run::result::{CaseResult, RunResult};
use shardlab_conformance::run::{Event, Runner};
use shardlab_conformance::suite::Case;

use crate::term;

/// What has been seen so far.
pub(super) struct Live {
    begun: Instant,
    all: usize,
    /// Whether standard output gets a line for each case.
    lines: bool,
    seen: RefCell<Seen>,
}

#[derive(Default)]
struct Seen {
    ended: Vec<CaseResult>,
    failed: usize,
    running: Vec<String>,
}

impl Live {
    pub(super) fn new(all: usize, lines: bool) -> Self {
        Self {
            begun: Instant::now(),
            all,
            lines,
            seen: RefCell::default(),
        }
    }

    /// Shows what has happened.
    pub(super) fn hear(&self, event: Event<'_>) {
        let mut seen = self.seen.borrow_mut();
        match event {
            Event::Begun { id } => seen.running.push(id.to_owned()),
            Event::Ended(result) => {
                seen.running.retain(|id| *id != result.id.as_str());
                seen.failed += usize::from(result.verdict.fails());
                if self.lines {
                    term::status("");
                    term::data(&terminal::line(result));
                }
                seen.ended.push(result.clone());
            }
        }
        if seen.ended.len() == self.all {
            term::status("");
        } else {
            term::status(&self.status(&seen));
        }
    }

    /// As in `37/241, 2 failed; now MOV-05, ASK-03`.
    fn status(&self, seen: &Seen) -> String {
        let mut text = format!("{}/{}", seen.ended.len(), self.all);
        if seen.failed > 0 {
            let _ = write!(text, ", {} failed", seen.failed);
        }
        if !seen.running.is_empty() {
            let _ = write!(text, "; now {}", seen.running.join(", "));
        }
        text
    }

    /// What a run that was interrupted has come to.
    pub(super) fn so_far(&self, runner: &Runner, chosen: &[Case]) -> RunResult {
        term::status("");
        let mut cases = self.seen.borrow().ended.clone();
        cases.sort_by_key(|result| {
            chosen
                .iter()
                .position(|case| case.id() == result.id.as_str())
        });
        RunResult {
            target: runner.subject().describe(),
            options: runner.subject().options(),
            cases,
            elapsed: self.begun.elapsed(),
            least: None,
            is_interrupted: true,
        }
    }
}
