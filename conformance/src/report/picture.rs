//! Pictures: the place in a transcript where a server departs, both sides, and what helps to understand it.

use crate::diagnose::{Diagnosis, Severity, Style};
use crate::pattern::Strength;
use crate::run::result::{CaseResult, Difference, Tolerated, Verdict};
use crate::suite::Case;
use crate::system::describe;

/// Characters of a log's line that are shown.
const LOG_WIDTH: usize = 140;

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
pub(super) fn tolerated(result: &CaseResult, case: &Case, style: Style) -> Vec<String> {
    let draw = |tolerated: &Tolerated| {
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
pub(super) fn shorten(line: &str) -> String {
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
