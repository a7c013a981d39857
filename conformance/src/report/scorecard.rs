//! What a run comes to: areas by levels, what was not run and how to run it, and the last line.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use shardlab::machine::text::counted;

use crate::run::result::{CaseResult, RunResult, Verdict};
use crate::transcript::ast::Level;

const LEVELS: [Level; 3] = [Level::Must, Level::Should, Level::May];

/// What the signs in a table mean.
pub(super) const LEGEND: &str = "✓ passed, ✗ departed, – skipped, ! could not be run";

/// How many cases of one kind came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Score {
    /// The claim holds, or need not.
    pub passed: usize,
    /// It departs; also as is known, or against what is known.
    pub departed: usize,
    /// It was not run.
    pub skipped: usize,
    /// It could not be run.
    pub broken: usize,
}

impl Score {
    pub(super) fn add(&mut self, verdict: &Verdict) {
        *match verdict {
            Verdict::Pass | Verdict::Otherwise(_) => &mut self.passed,
            Verdict::Departs(_) | Verdict::Known { .. } | Verdict::Fixed { .. } => {
                &mut self.departed
            }
            Verdict::Skipped(_) => &mut self.skipped,
            Verdict::Broken(_) => &mut self.broken,
        } += 1;
    }

    /// How many there are.
    pub(super) fn all(&self) -> usize {
        self.passed + self.departed + self.skipped + self.broken
    }

    /// As in `12✓ 1✗ 3–`.
    pub(super) fn cell(self) -> String {
        let parts = [
            (self.passed, '✓'),
            (self.departed, '✗'),
            (self.skipped, '–'),
            (self.broken, '!'),
        ];
        let parts: Vec<_> = parts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, sign)| format!("{count}{sign}"))
            .collect();
        parts.join(" ")
    }
}

/// Scores by area, in the order of the run, each with one for every level.
pub fn scores(run: &RunResult) -> Vec<(&str, [Score; 3])> {
    let mut rows: Vec<(&str, [Score; 3])> = Vec::new();
    for case in &run.cases {
        let place = rows.iter().position(|(area, _)| *area == case.area);
        let place = place.unwrap_or_else(|| {
            rows.push((&case.area, <[Score; 3]>::default()));
            rows.len() - 1
        });
        let level = LEVELS.iter().position(|level| *level == case.level);
        let score = rows.get_mut(place).zip(level);
        if let Some(score) = score.and_then(|((_, scores), level)| scores.get_mut(level)) {
            score.add(&case.verdict);
        }
    }
    rows
}

/// The table of areas and levels.
pub fn table(run: &RunResult) -> String {
    let mut rows: Vec<[String; 4]> = vec![["", "must", "should", "may"].map(str::to_owned)];
    let mut all = [Score::default(); 3];
    for (area, scores) in scores(run) {
        let [must, should, may] = scores.map(Score::cell);
        rows.push([area.to_owned(), must, should, may]);
    }
    for case in &run.cases {
        if let Some(place) = LEVELS.iter().position(|level| *level == case.level)
            && let Some(score) = all.get_mut(place)
        {
            score.add(&case.verdict);
        }
    }
    let [must, should, may] = all.map(Score::cell);
    rows.push(["all".to_owned(), must, should, may]);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let _ = write!(line, "{cell:<width$}   ", width = width(column));
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text.push_str(LEGEND);
    text
}

/// Why cases were skipped, how many for each reason, and what runs them.
pub fn not_run(run: &RunResult) -> String {
    let mut text = String::new();
    for (kind, count) in skipped(run) {
        let _ = write!(text, "skipped {count}: {kind}");
        if let Some(advice) = advice(kind) {
            let _ = write!(text, "; {advice}");
        }
        text.push('\n');
    }
    text
}

/// What cases that were skipped for a reason can be run with.
fn advice(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "need admin rights"
        | "need CONFIG SET"
        | "need process control"
        | "need sentinels"
        | "need another topology"
        | "need a cluster that the suite has started"
        | "need the right to change more than their keys" => {
            "`--server PROGRAM` starts clusters for them, if you have the program"
        }
        "would change keys of yours" | "would see keys of yours" => {
            "an empty cluster of the same server takes them"
        }
        _ => return None,
    })
}

/// How many cases were skipped for each reason, the most frequent first.
fn skipped(run: &RunResult) -> Vec<(&'static str, usize)> {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for case in &run.cases {
        if let Verdict::Skipped(skip) = &case.verdict {
            *kinds.entry(skip.kind).or_default() += 1;
        }
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    kinds
}

/// What it comes to: "ran 142, skipped 24: 20 need process control, 4 since-version".
pub fn summary(run: &RunResult) -> String {
    let count = |wanted: fn(&Verdict) -> bool| run.count(wanted);
    let mut parts = Vec::new();
    for (number, word) in [
        (count(|verdict| matches!(verdict, Verdict::Pass)), "passed"),
        (
            count(|verdict| matches!(verdict, Verdict::Departs(_))),
            "departed",
        ),
        (
            count(|verdict| matches!(verdict, Verdict::Otherwise(_))),
            "otherwise (allowed)",
        ),
        (
            count(|verdict| matches!(verdict, Verdict::Known { .. })),
            "known to depart",
        ),
        (
            count(|verdict| matches!(verdict, Verdict::Fixed { .. })),
            "fixed (listed as known, but passed)",
        ),
        (
            count(|verdict| matches!(verdict, Verdict::Broken(_))),
            "broken (could not be run)",
        ),
    ] {
        if number > 0 {
            parts.push(format!("{number} {word}"));
        }
    }
    let mut text = format!("{}: ran {}", run.target, run.ran());
    if !parts.is_empty() {
        let _ = write!(text, ": {}", parts.join(", "));
    }
    let skipped = skipped(run);
    if !skipped.is_empty() {
        let all: usize = skipped.iter().map(|(_, count)| count).sum();
        let kinds = skipped
            .iter()
            .map(|(kind, count)| format!("{count} {kind}"));
        let kinds: Vec<_> = kinds.collect();
        let _ = write!(text, "; skipped {all}: {}", kinds.join(", "));
    }
    let _ = write!(text, " ({:.1} s)", run.elapsed.as_secs_f64());
    text
}

/// What somebody who only sees that nothing departs should know.
pub fn warning(run: &RunResult) -> Option<String> {
    let shortfall = run.shortfall()?;
    let fails = run.count(Verdict::fails);
    Some(if fails == 0 {
        format!("NOT GREEN, although nothing departs: {shortfall}")
    } else {
        format!("{} failed, and {shortfall}", counted(fails, "case"))
    })
}

/// The cases of a run by area, for reports that have a part for each.
pub(super) fn by_area(run: &RunResult) -> Vec<(&str, Vec<&CaseResult>)> {
    let mut areas: Vec<(&str, Vec<&CaseResult>)> = Vec::new();
    for case in &run.cases {
        match areas.iter_mut().find(|(area, _)| *area == case.area) {
            Some((_, cases)) => cases.push(case),
            None => areas.push((&case.area, vec![case])),
        }
    }
    areas
}
