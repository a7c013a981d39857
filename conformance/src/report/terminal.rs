//! The report for people: a line for each case, and a picture for each departure.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style as Colour};
use shardlab::machine::text::counted;

use crate::diagnose::{Diagnosis, Severity, Style};
use crate::pattern::Strength;
use crate::run::result::{CaseResult, Difference, Verdict};
use crate::suite::Case;
use crate::system::{Cause, describe};
use crate::transcript::ast::Level;

use super::Report;
use super::groups::{Group, groups};

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
        Verdict::Known { reason, .. } => {
            let _ = write!(line, " {DIM}– {reason}{DIM:#}");
        }
        Verdict::Fixed { reason, place } => {
            let _ = write!(line, " {DIM}– {reason}{DIM:#}; delete {place}");
        }
        Verdict::Broken(reason) => {
            let _ = write!(line, " {DIM}– {}{DIM:#}", first_line(reason));
        }
        Verdict::Departs(difference) => {
            let told = match &difference.cause {
                Some(cause) if *cause != Cause::OtherType => cause.to_string(),
                _ => difference.sentence(),
            };
            let _ = write!(line, " {DIM}– {}{DIM:#}", shorten(first_line(&told)));
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

/// What departs or could not be run: a picture for each departure, but one for all that have the same cause.
pub fn departures(report: &Report<'_>, style: Style) -> Vec<String> {
    let groups = groups(report.run);
    groups
        .iter()
        .map(|group| drawn(report, group, style))
        .collect()
}

fn drawn(report: &Report<'_>, group: &Group<'_>, style: Style) -> String {
    let picture = |result: &CaseResult| {
        let case = report.case(result)?;
        picture(result, case, &(report.rerun)(case), style)
    };
    let first = group.cases.first();
    let Some(cause) = &group.cause else {
        let drawn = first.and_then(|first| picture(first).or_else(|| Some(line(first))));
        return drawn.unwrap_or_default();
    };
    let count = counted(group.cases.len(), "case");
    let mut text = format!("{BAD}error:{BAD:#} {cause}: {count}\n");
    for result in &group.cases {
        let _ = write!(text, "  {:<7} ", result.id);
        let place = report.place(result).filter(|_| !group.is_plain);
        let _ = match (place, result.verdict.difference()) {
            (Some((path, place)), Some(difference)) => {
                writeln!(
                    text,
                    "{path}:{} expected {}",
                    place.line, difference.expected
                )
            }
            _ => writeln!(text, "{}", result.title),
        };
    }
    match first
        .filter(|_| !group.is_plain)
        .and_then(|first| picture(first))
    {
        Some(picture) => format!("{text}\nthe first of them:\n{picture}"),
        None => text,
    }
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

/// The pictures of what a run does not fail by: known departures, what may be otherwise, and what differs in
/// cases that pass.
pub fn asides(report: &Report<'_>, style: Style) -> Vec<String> {
    let mut pictures = Vec::new();
    for result in &report.run.cases {
        let Some(case) = report.case(result) else {
            continue;
        };
        pictures.extend(tolerated(result, case, style));
        if let Verdict::Known { .. } | Verdict::Otherwise(_) = &result.verdict {
            pictures.extend(picture(result, case, &(report.rerun)(case), style));
        }
    }
    pictures
}

/// The pictures of what is not held against the server.
fn tolerated(result: &CaseResult, case: &Case, style: Style) -> Vec<String> {
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

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
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
