//! A run as Markdown, for a pull request or the summary of a job.

use std::fmt::Write as _;

use shardlab::machine::text::counted;

use super::Report;
use super::groups::groups;
use super::scorecard::{self, scores};

/// The whole run: what it comes to, areas by levels, then each departure once.
pub fn markdown(report: &Report<'_>) -> String {
    let run = report.run;
    let sign = if run.holds() { "✅" } else { "❌" };
    let mut text = format!("## {sign} {}\n\n", escaped(&scorecard::summary(run)));
    if let Some(warning) = scorecard::warning(run) {
        let _ = writeln!(text, "> **{}**\n", escaped(&warning));
    }
    text.push_str("| Area | must | should | may |\n|---|---|---|---|\n");
    for (area, scores) in scores(run) {
        let [must, should, may] = scores.map(scorecard::Score::cell);
        let _ = writeln!(text, "| {area} | {must} | {should} | {may} |");
    }
    let _ = writeln!(text, "\n{}", scorecard::LEGEND);
    let not_run = scorecard::not_run(run);
    for (number, line) in not_run.lines().enumerate() {
        let gap = if number == 0 { "\n" } else { "" };
        let _ = writeln!(text, "{gap}- {line}");
    }
    let groups = groups(run);
    if !groups.is_empty() {
        text.push_str("\n### Departures\n");
    }
    for group in groups {
        if let Some(cause) = &group.cause {
            let count = counted(group.cases.len(), "case");
            let _ = writeln!(text, "\n#### {}: {count}\n", escaped(cause));
            for case in &group.cases {
                let _ = writeln!(text, "- `{}` {}", case.id, escaped(&case.title));
            }
        }
        let shown = group.cases.first().filter(|_| !group.is_plain);
        let Some(case) = shown else { continue };
        let body = report.picture(case).or_else(|| case.verdict.message());
        let title = escaped(&format!("{} {}", case.id, case.title));
        let body = body.unwrap_or_default();
        let mut fence = "```".to_owned();
        while body.contains(&fence) {
            fence.push('`');
        }
        let _ = writeln!(
            text,
            "\n<details><summary>{title}</summary>\n\n{fence}text\n{body}\n{fence}\n\n</details>"
        );
    }
    text
}

/// Text in which no sign means anything to Markdown or HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\n' | '\r' => escaped.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' => {
                escaped.push('\\');
                escaped.push(sign);
            }
            sign => escaped.push(sign),
        }
    }
    escaped
}
