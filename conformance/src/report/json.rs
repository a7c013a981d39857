//! The reports for programs; docs/json.md says what their keys mean.

use serde::Serialize;

use crate::pattern::Server;
use crate::run::WireEvent;
use crate::run::result::{Attempts, CaseResult, Difference, RunResult, Verdict};
use crate::suite::Case;
use crate::system::Cause;

/// A whole run. `cases` are those that were run, to tell lines from places.
pub fn run(run: &RunResult, cases: &[Case]) -> impl Serialize {
    let of = |result: &CaseResult| {
        let source = cases.iter().find(|case| case.id() == result.id.as_str());
        CaseReport::of(result, source.map_or("", |case| case.source.as_str()))
    };
    RunReport {
        target: run.target.clone(),
        verdict: if run.holds() { "pass" } else { "fail" },
        ran: run.ran(),
        shortfall: run.shortfall(),
        interrupted: run.is_interrupted,
        elapsed_ms: milliseconds(run.elapsed),
        cases: run.cases.iter().map(of).collect(),
    }
}

/// The catalogue.
pub fn list(cases: &[Case]) -> impl Serialize {
    ListReport {
        cases: cases.iter().map(Entry::of).collect(),
    }
}

#[derive(Serialize)]
struct RunReport {
    target: String,
    verdict: &'static str,
    ran: usize,
    shortfall: Option<String>,
    interrupted: bool,
    elapsed_ms: f64,
    cases: Vec<CaseReport>,
}

#[derive(Serialize)]
struct CaseReport {
    id: String,
    name: String,
    title: String,
    level: &'static str,
    needs: &'static str,
    path: String,
    server: Option<ServerReport>,
    verdict: &'static str,
    reason: Option<String>,
    skipped_because: Option<String>,
    known_at: Option<String>,
    elapsed_ms: f64,
    difference: Option<DifferenceReport>,
    tolerated: Vec<DifferenceReport>,
}

impl CaseReport {
    fn of(result: &CaseResult, source: &str) -> Self {
        let (reason, kind) = match &result.verdict {
            Verdict::Skipped(skip) => (Some(&skip.reason), Some(skip.kind)),
            Verdict::Known { reason, .. }
            | Verdict::Fixed { reason, .. }
            | Verdict::Broken(reason) => (Some(reason), None),
            _ => (None, None),
        };
        let difference = |found: &Difference| DifferenceReport::of(found, source);
        let tolerated = result.tolerated.iter();
        Self {
            id: result.id.as_str().to_owned(),
            name: format!("{}::{}", result.area, result.claim),
            title: result.title.clone(),
            level: result.level.word(),
            needs: result.needs.word(),
            path: result.path.clone(),
            server: result.server.as_ref().map(ServerReport::of),
            verdict: result.verdict.word(),
            reason: reason.cloned(),
            skipped_because: kind.map(|kind| kind.to_lowercase().replace(' ', "-")),
            known_at: match &result.verdict {
                Verdict::Fixed { place, .. } => Some(place.clone()),
                _ => None,
            },
            elapsed_ms: milliseconds(result.elapsed),
            difference: result.verdict.difference().map(difference),
            tolerated: tolerated.map(|one| difference(&one.difference)).collect(),
        }
    }
}

#[derive(Serialize)]
struct ServerReport {
    product: String,
    version: String,
}

impl ServerReport {
    fn of(server: &Server) -> Self {
        let [major, minor, patch] = server.version.numbers;
        Self {
            product: server.product.clone(),
            version: format!("{major}.{minor}.{patch}"),
        }
    }
}

#[derive(Serialize)]
struct DifferenceReport {
    line: usize,
    column: usize,
    expected: String,
    received: String,
    cause: Option<&'static str>,
    missing_command: Option<String>,
    notes: Vec<String>,
    attempts: Option<AttemptsReport>,
    node: Option<String>,
    wire: Vec<WireReport>,
    log: Vec<String>,
}

impl DifferenceReport {
    fn of(difference: &Difference, source: &str) -> Self {
        let place = difference.span.position(source);
        Self {
            line: place.line,
            column: place.column,
            expected: difference.expected.clone(),
            received: difference.received.clone(),
            cause: difference.cause.as_ref().map(Cause::word),
            missing_command: match &difference.cause {
                Some(Cause::Missing(command)) => Some(command.clone()),
                _ => None,
            },
            notes: difference.notes.clone(),
            attempts: difference.attempts.as_ref().map(AttemptsReport::of),
            node: difference.node.map(|node| node.to_string()),
            wire: difference.wire.iter().map(WireReport::of).collect(),
            log: difference.log.clone(),
        }
    }
}

#[derive(Serialize)]
struct AttemptsReport {
    block: String,
    count: u32,
    elapsed_ms: f64,
    slack_ms: f64,
    closest: Option<String>,
}

impl AttemptsReport {
    fn of(attempts: &Attempts) -> Self {
        Self {
            block: attempts.block.clone(),
            count: attempts.count,
            elapsed_ms: milliseconds(attempts.elapsed),
            slack_ms: milliseconds(attempts.slack),
            closest: attempts.closest.clone(),
        }
    }
}

#[derive(Serialize)]
struct WireReport {
    at_ms: f64,
    connection: String,
    direction: &'static str,
    text: String,
}

impl WireReport {
    fn of(event: &WireEvent) -> Self {
        Self {
            at_ms: milliseconds(event.at),
            connection: event.connection.clone(),
            direction: event.direction.word(),
            text: event.text.clone(),
        }
    }
}

#[derive(Serialize)]
struct ListReport<'a> {
    cases: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    name: String,
    title: &'a str,
    level: &'static str,
    needs: &'static str,
    topology: String,
    spec: Vec<&'a str>,
    source: Vec<&'a str>,
    path: &'a str,
}

impl<'a> Entry<'a> {
    fn of(case: &'a Case) -> Self {
        let header = &case.transcript.header;
        let (spec, source) = (header.spec.iter(), header.source.iter());
        Self {
            id: header.id.value.as_str(),
            name: case.name(),
            title: &header.title.value,
            level: header.level.value.word(),
            needs: header.needs.value.word(),
            topology: header.topology.value.to_string(),
            spec: spec.map(|spec| spec.value.as_str()).collect(),
            source: source.map(|source| source.value.as_str()).collect(),
            path: &case.path,
        }
    }
}

fn milliseconds(duration: std::time::Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
