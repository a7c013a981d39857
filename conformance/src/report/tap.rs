//! A run as TAP 14, the Test Anything Protocol.

use std::fmt::Write as _;

use crate::run::result::{CaseResult, Verdict};

use super::Report;

/// The whole run; each departure with its picture in a YAML block.
pub fn tap(report: &Report<'_>) -> String {
    let cases = &report.run.cases;
    let mut text = format!("TAP version 14\n1..{}\n", cases.len());
    for (number, case) in (1..).zip(cases) {
        let (word, directive) = result(&case.verdict);
        let title = escaped(&format!("{} {}", case.id, case.title));
        let _ = write!(text, "{word} {number} - {title}");
        if let Some((kind, reason)) = directive {
            let _ = write!(text, " # {kind} {}", escaped(&reason));
        }
        text.push('\n');
        text.push_str(&diagnostics(report, case));
    }
    if report.run.is_interrupted {
        text.push_str("Bail out! The run was interrupted.\n");
    }
    text
}

/// `ok` or not, and the directive behind it.
fn result(verdict: &Verdict) -> (&'static str, Option<(&'static str, String)>) {
    match verdict {
        Verdict::Pass | Verdict::Otherwise(_) => ("ok", None),
        Verdict::Skipped(skip) => ("ok", Some(("SKIP", skip.reason.clone()))),
        // What is known to fail is to be done, and does not fail the run.
        Verdict::Known { reason, .. } => ("not ok", Some(("TODO", reason.clone()))),
        Verdict::Departs(_) | Verdict::Fixed { .. } | Verdict::Broken(_) => ("not ok", None),
    }
}

/// The YAML block of a case that is not as it should be.
fn diagnostics(report: &Report<'_>, case: &CaseResult) -> String {
    let message = match &case.verdict {
        Verdict::Skipped(_) => None,
        verdict => verdict.message(),
    };
    let Some(message) = message else {
        return String::new();
    };
    let mut text = format!("  ---\n  message: {}\n", quoted(&message));
    let _ = writeln!(text, "  severity: {}", severity(&case.verdict));
    let _ = writeln!(text, "  level: {}", case.level.word());
    if let Some((path, place)) = report.place(case) {
        let _ = writeln!(text, "  at:\n    file: {}", quoted(path));
        let _ = writeln!(
            text,
            "    line: {}\n    column: {}",
            place.line, place.column
        );
    }
    if let Some(picture) = report.picture(case) {
        text.push_str("  picture: |2\n");
        for line in picture.lines() {
            let _ = writeln!(text, "    {line}");
        }
    }
    text.push_str("  ...\n");
    text
}

const fn severity(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Departs(_) | Verdict::Fixed { .. } => "fail",
        Verdict::Known { .. } => "todo",
        _ => "error",
    }
}

/// A string in YAML; what is quoted in JSON is.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A description, in which `#` would begin a directive.
fn escaped(text: &str) -> String {
    let line = text.replace(['\n', '\r'], " ");
    line.replace('\\', "\\\\").replace('#', "\\#")
}
