//! What servers hold, side by side in Markdown: the page `docs/compatibility.md`. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use shardlab::machine::text::counted;

use crate::run::result::{CaseResult, RunResult, Verdict};

use super::markdown::escaped;
use super::matrix::name;
use super::scorecard::{LEGEND, Score, by_area};

/// The page: runs of the same cases on several servers.
pub fn compatibility(runs: &[RunResult]) -> String {
    let servers: Vec<_> = runs.iter().map(|run| escaped(&name(run))).collect();
    let cases = runs.iter().map(|run| run.cases.len()).max();
    let mut text = format!(
        "# Compatibility\n\nWhat the {} of the suite found, run on {}. `just compatibility` writes this page.\n\n",
        counted(cases.unwrap_or_default(), "case"),
        counted(runs.len(), "server")
    );
    let _ = writeln!(text, "| Area | Cases | {} |", servers.join(" | "));
    let _ = writeln!(text, "|---|---|{}", "---|".repeat(servers.len()));
    for (area, counts) in areas(runs) {
        let cells: Vec<_> = counts.iter().map(|score| score.cell()).collect();
        let cases = counts.iter().map(Score::all).max().unwrap_or_default();
        let _ = writeln!(text, "| {area} | {cases} | {} |", cells.join(" | "));
    }
    let _ = writeln!(text, "\n{LEGEND}");
    part(&mut text, "Departures", runs, &servers, departure);
    part(&mut text, "Allowed differences", runs, &servers, difference);
    text.push_str("\n## Not run\n\n");
    for (run, server) in runs.iter().zip(&servers) {
        let _ = writeln!(text, "- {server}: {}", not_run(run));
    }
    text
}

/// How the cases of each area did, a score for each server.
fn areas(runs: &[RunResult]) -> Vec<(&str, Vec<Score>)> {
    let mut rows: Vec<(&str, Vec<Score>)> = Vec::new();
    for (server, run) in runs.iter().enumerate() {
        for (area, cases) in by_area(run) {
            let place = rows.iter().position(|(other, _)| *other == area);
            let place = place.unwrap_or_else(|| {
                rows.push((area, vec![Score::default(); runs.len()]));
                rows.len() - 1
            });
            let score = rows
                .get_mut(place)
                .and_then(|(_, scores)| scores.get_mut(server));
            if let Some(score) = score {
                for case in cases {
                    score.add(&case.verdict);
                }
            }
        }
    }
    rows
}

/// What is told of single cases, each once with the servers that it is told of.
fn part(
    text: &mut String,
    title: &str,
    runs: &[RunResult],
    servers: &[String],
    told: fn(&CaseResult) -> Option<String>,
) {
    let mut found: BTreeMap<(&str, String), (&CaseResult, Vec<&str>)> = BTreeMap::new();
    for (run, server) in runs.iter().zip(servers) {
        for case in &run.cases {
            if let Some(words) = told(case) {
                let (_, servers) = found
                    .entry((case.id.as_str(), words))
                    .or_insert((case, Vec::new()));
                servers.push(server);
            }
        }
    }
    let _ = writeln!(text, "\n## {title}\n");
    if found.is_empty() {
        text.push_str("None.\n");
    }
    for ((id, words), (case, servers)) in found {
        let _ = writeln!(
            text,
            "- `{id}` {} ({})  \n  {}: {}",
            escaped(&case.title),
            case.level.word(),
            servers.join(", "),
            escaped(&words)
        );
    }
}

fn departure(case: &CaseResult) -> Option<String> {
    let fails = case.verdict.fails() || matches!(case.verdict, Verdict::Known { .. });
    case.verdict.message().filter(|_| fails)
}

fn difference(case: &CaseResult) -> Option<String> {
    match &case.verdict {
        Verdict::Otherwise(difference) => Some(difference.sentence()),
        _ => None,
    }
}

/// Why cases were not run, and which.
fn not_run(run: &RunResult) -> String {
    let mut kinds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for case in &run.cases {
        if let Verdict::Skipped(skip) = &case.verdict {
            kinds.entry(skip.kind).or_default().push(case.id.as_str());
        }
    }
    if kinds.is_empty() {
        return "nothing; all cases were run".to_owned();
    }
    let told = kinds.into_iter().map(|(kind, ids)| {
        let why = match kind {
            "since-version" => "for other products or versions",
            kind => kind,
        };
        format!("{} {why}: {}", ids.len(), ids.join(", "))
    });
    told.collect::<Vec<_>>().join("; ")
}
