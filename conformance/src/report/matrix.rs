//! Several servers side by side, as one HTML page that needs nothing from anywhere else.

use serde::Serialize;

use crate::run::result::{CaseResult, RunResult};
use crate::suite::Case;
use crate::system::describe;

/// The page; what is shown stands in it as JSON.
const PAGE: &str = include_str!("matrix.html");

/// The whole page: runs of the same cases on several servers.
///
/// # Errors
/// It cannot be written as JSON.
pub fn matrix(runs: &[RunResult], cases: &[Case]) -> serde_json::Result<String> {
    let data = Data {
        servers: runs.iter().map(name).collect(),
        cases: cases.iter().map(|case| Row::of(case, runs)).collect(),
    };
    // Nothing in it ends the element that holds it.
    let data = serde_json::to_string(&data)?.replace('<', "\\u003c");
    Ok(PAGE.replacen("{{DATA}}", &data, 1))
}

/// What was tested: what the server says that it is, and the address of one that was running.
pub(super) fn name(run: &RunResult) -> String {
    let server = run.cases.iter().find_map(|case| case.server.as_ref());
    let described = describe(server);
    if server.is_none() || run.target.starts_with(&described) {
        return run.target.clone();
    }
    format!("{described} ({})", run.target)
}

#[derive(Serialize)]
struct Data<'a> {
    servers: Vec<String>,
    cases: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    area: &'a str,
    title: &'a str,
    level: &'static str,
    needs: &'static str,
    path: &'a str,
    spec: Vec<&'a str>,
    source: &'a str,
    results: Vec<Cell>,
}

#[derive(Serialize)]
struct Cell {
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    received: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
}

impl<'a> Row<'a> {
    fn of(case: &'a Case, runs: &[RunResult]) -> Self {
        let header = &case.transcript.header;
        let of_case = |run: &RunResult| {
            let result = run.cases.iter().find(|one| one.id.as_str() == case.id());
            result.map_or_else(Cell::none, |result| Cell::of(result, case))
        };
        Self {
            id: case.id(),
            area: &case.area,
            title: &header.title.value,
            level: header.level.value.word(),
            needs: header.needs.value.word(),
            path: &case.path,
            spec: header.spec.iter().map(|spec| spec.value.as_str()).collect(),
            source: &case.source,
            results: runs.iter().map(of_case).collect(),
        }
    }
}

impl Cell {
    fn of(result: &CaseResult, case: &Case) -> Self {
        let difference = result.verdict.difference();
        // A departure's message is what was expected and received.
        let has_reason = difference.is_none() || result.verdict.word() == "known";
        Self {
            verdict: result.verdict.word(),
            reason: result.verdict.message().filter(|_| has_reason),
            expected: difference.map(|found| found.expected.clone()),
            received: difference.map(|found| found.received.clone()),
            line: difference.map(|found| found.span.position(&case.source).line),
        }
    }

    /// A case that a run has not tried.
    const fn none() -> Self {
        Self {
            verdict: "none",
            reason: None,
            expected: None,
            received: None,
            line: None,
        }
    }
}
