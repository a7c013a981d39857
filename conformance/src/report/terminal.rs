//! The report for people: a line for each case, by area, a picture for each departure, and what
//! it comes to.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style as Colour};

use crate::diagnose::{Diagnosis, Severity, Style};
use crate::pattern::Strength;
use crate::run::result::{CaseResult, Difference, RunResult, Verdict};
use crate::suite::Case;
use crate::system::describe;
use crate::transcript::ast::Level;

use super::areas::by_area;

const GOOD: Colour = AnsiColor::Green.on_default();
const BAD: Colour = AnsiColor::Red.on_default().bold();
const ODD: Colour = AnsiColor::Yellow.on_default();
const DIM: Colour = Colour::new().dimmed();

/// Characters of a log's line that are shown.
const LOG_WIDTH: usize = 140;

/// One line about a case: verdict, id, title, level where it is not `must`.
pub fn line(result: &CaseResult) -> String {
    let (colour, word) = match &result.verdict {
        Verdict::Pass => (GOOD, "pass"),
        Verdict::Departs(_) => (BAD, "departs"),
        Verdict::Otherwise(_) => (ODD, "otherwise"),
        Verdict::Known { .. } => (ODD, "known"),
        Verdict::Fixed { .. } => (BAD, "fixed"),
        Verdict::Skipped(_) => (DIM, "skipped"),
        Verdict::Broken(_) => (BAD, "broken"),
    };
    let mut line = format!(
        "{colour}{word:<9}{colour:#} {:<7} {}",
        result.id, result.title
    );
    if result.level != Level::Must {
        let _ = write!(line, " {DIM}({}){DIM:#}", result.level.word());
    }
    match &result.verdict {
        Verdict::Skipped(skip) => {
            let _ = write!(line, " {DIM}– {}{DIM:#}", skip.reason);
        }
        Verdict::Known { reason, .. } | Verdict::Fixed { reason } => {
            let _ = write!(line, " {DIM}– {reason}{DIM:#}");
        }
        Verdict::Broken(reason) => {
            let _ = write!(line, "\n          {reason}");
        }
        verdict => {
            if matches!(verdict, Verdict::Pass) && !result.tolerated.is_empty() {
                let _ = write!(line, " {DIM}– text differs{DIM:#}");
            }
            let _ = write!(line, " {DIM}{:.2} s{DIM:#}", result.elapsed.as_secs_f64());
        }
    }
    line
}

/// The whole report without the pictures: an area, its cases; then the next.
pub fn lines(run: &RunResult) -> String {
    by_area(
        run.cases
            .iter()
            .map(|case| (case.area.as_str(), line(case))),
    )
}

/// The picture of what differs, if something does: the place in the transcript, both sides, the
/// words of the specification, the wire, the node's log, and `rerun`, the command to see it again.
pub fn picture(result: &CaseResult, case: &Case, rerun: &str, style: Style) -> Option<String> {
    let difference = result.verdict.difference()?;
    let severity = match &result.verdict {
        Verdict::Departs(_) => Severity::Error,
        _ => Severity::Warning,
    };
    let mut diagnosis = diagnosis(difference, case, severity);
    diagnosis.title = format!(
        "{} [{}, {}]",
        result.title,
        result.level.word(),
        describe(result.server.as_ref())
    );
    let footer = &mut diagnosis.footer;
    let header = &case.transcript.header;
    footer.extend(header.note.iter().map(|note| ("note", note.value.clone())));
    footer.extend(header.spec.iter().map(|spec| ("spec", spec.value.clone())));
    footer.extend(
        header
            .source
            .iter()
            .map(|source| ("source", source.value.clone())),
    );
    if let Verdict::Known { reason, .. } = &result.verdict {
        footer.push(("known", reason.clone()));
    }
    if !difference.wire.is_empty() {
        let events: Vec<_> = difference.wire.iter().map(ToString::to_string).collect();
        footer.push(("wire", events.join("\n")));
    }
    if let (Some(node), false) = (difference.node, difference.log.is_empty()) {
        let lines = difference.log.iter().map(|line| shorten(line));
        let lines: Vec<_> = lines.collect();
        footer.push((
            "log",
            format!("the last lines of {node}\n{}", lines.join("\n")),
        ));
    }
    footer.push(("rerun", rerun.to_owned()));
    Some(diagnosis.render(style))
}

/// The pictures of what is not held against the server.
pub fn tolerated(result: &CaseResult, case: &Case, style: Style) -> Vec<String> {
    let draw = |tolerated: &crate::run::result::Tolerated| {
        let mut diagnosis = diagnosis(&tolerated.difference, case, Severity::Warning);
        diagnosis.title = match tolerated.strength {
            Strength::Text => "pass, but the text differs".to_owned(),
            Strength::Should => "pass, although it should be otherwise".to_owned(),
            Strength::May => "pass; it may be otherwise".to_owned(),
        };
        diagnosis.render(style)
    };
    result.tolerated.iter().map(draw).collect()
}

/// A line of a log as far as a reader looks.
fn shorten(line: &str) -> String {
    match line.char_indices().nth(LOG_WIDTH) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}

fn diagnosis<'a>(difference: &Difference, case: &'a Case, severity: Severity) -> Diagnosis<'a> {
    // Behind the caret goes what fits in a line.
    let (received, more) = difference
        .received
        .split_once('\n')
        .unwrap_or((&difference.received, ""));
    let mut footer = Vec::new();
    if !more.is_empty() {
        footer.push(("received", more.to_owned()));
    }
    if let Some(attempts) = &difference.attempts {
        footer.push(("note", attempts.describe()));
        if let Some(closest) = &attempts.closest {
            footer.push(("note", format!("the closest attempt: {closest}")));
        }
    }
    footer.extend(difference.notes.iter().map(|note| ("note", note.clone())));
    Diagnosis {
        severity,
        code: Some(case.id().to_owned()),
        title: String::new(),
        path: &case.path,
        source: &case.source,
        span: difference.span,
        label: format!("expected {}, received {received}", difference.expected),
        context: difference
            .prompt
            .filter(|prompt| *prompt != difference.span)
            .map(|prompt| (prompt, String::new()))
            .into_iter()
            .collect(),
        footer,
    }
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
    let mut skipped: BTreeMap<&str, usize> = BTreeMap::new();
    for case in &run.cases {
        if let Verdict::Skipped(skip) = &case.verdict {
            *skipped.entry(skip.kind).or_default() += 1;
        }
    }
    let mut text = format!("{}: ran {}", run.target, run.ran());
    if !parts.is_empty() {
        let _ = write!(text, ": {}", parts.join(", "));
    }
    if !skipped.is_empty() {
        let mut kinds: Vec<_> = skipped.iter().collect();
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let kinds: Vec<_> = kinds
            .iter()
            .map(|(kind, count)| format!("{count} {kind}"))
            .collect();
        let _ = write!(
            text,
            "; skipped {}: {}",
            skipped.values().sum::<usize>(),
            kinds.join(", ")
        );
    }
    let _ = write!(text, " ({:.1} s)", run.elapsed.as_secs_f64());
    text
}
