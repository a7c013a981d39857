//! The report for people: a line for each case, then each departure once.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style as Colour};
use shardlab::machine::text::counted;

use crate::diagnose::Style;
use crate::run::result::{CaseResult, Verdict};
use crate::system::Cause;
use crate::transcript::ast::Level;

use super::Report;
use super::groups::{Group, groups};
use super::picture::{picture, shorten, tolerated};

const GOOD: Colour = AnsiColor::Green.on_default();
const BAD: Colour = AnsiColor::Red.on_default().bold();
const ODD: Colour = AnsiColor::Yellow.on_default();
const DIM: Colour = Colour::new().dimmed();

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

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
