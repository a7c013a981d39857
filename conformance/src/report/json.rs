//! The report for programs.

use serde::Serialize;
use serde_json::{Value, json};

use crate::run::result::{CaseResult, Difference, RunResult, Verdict};
use crate::suite::Case;
use crate::system::describe;

/// The number of this shape; it grows when a field changes its meaning or goes.
const SCHEMA: u32 = 1;

/// A whole run. `cases` are those that were run, to tell lines from places.
pub fn run(run: &RunResult, cases: &[Case]) -> Value {
    let of = |result: &CaseResult| {
        let source = cases.iter().find(|case| case.id() == result.id.as_str());
        case(result, source.map_or("", |case| case.source.as_str()))
    };
    json!({
        "schema": SCHEMA,
        "target": run.target,
        "holds": run.holds(),
        "ran": run.ran(),
        "elapsed_ms": millis(run.elapsed),
        "cases": run.cases.iter().map(of).collect::<Vec<_>>(),
    })
}

fn case(result: &CaseResult, source: &str) -> Value {
    let mut value = json!({
        "id": result.id.as_str(),
        "name": format!("{}::{}", result.area, result.claim),
        "title": result.title,
        "level": result.level.word(),
        "path": result.path,
        "server": result.server.as_ref().map(|server| describe(Some(server))),
        "verdict": result.verdict.word(),
        "elapsed_ms": millis(result.elapsed),
    });
    let mut add = |key: &str, more: Value| {
        if let Some(fields) = value.as_object_mut() {
            fields.insert(key.to_owned(), more);
        }
    };
    match &result.verdict {
        Verdict::Skipped(skip) => {
            add("reason", json!(skip.reason));
            add("skipped_because", json!(skip.kind));
        }
        Verdict::Known { reason, .. } | Verdict::Fixed { reason } | Verdict::Broken(reason) => {
            add("reason", json!(reason));
        }
        _ => {}
    }
    if let Some(found) = result.verdict.difference() {
        add("difference", difference(found, source));
    }
    if !result.tolerated.is_empty() {
        let each = result.tolerated.iter();
        let each = each.map(|tolerated| difference(&tolerated.difference, source));
        add("tolerated", each.collect());
    }
    value
}

fn difference(difference: &Difference, source: &str) -> Value {
    let place = difference.span.position(source);
    let wire = difference.wire.iter().map(|event| {
        json!({
            "at_ms": millis(event.at),
            "connection": event.connection,
            "direction": event.direction.sign().to_string(),
            "text": event.text,
        })
    });
    json!({
        "line": place.line,
        "column": place.column,
        "expected": difference.expected,
        "received": difference.received,
        "notes": difference.notes,
        "attempts": difference.attempts.as_ref().map(|attempts| json!({
            "block": attempts.block,
            "count": attempts.count,
            "elapsed_ms": millis(attempts.elapsed),
            "closest": attempts.closest,
        })),
        "node": difference.node.map(|node| node.to_string()),
        "wire": wire.collect::<Vec<_>>(),
        "log": difference.log,
    })
}

fn millis(duration: std::time::Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

/// The catalogue.
pub fn list(cases: &[Case]) -> Value {
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
    let entry = |case: &Case| {
        let header = &case.transcript.header;
        json!(Entry {
            id: header.id.value.as_str(),
            name: case.name(),
            title: &header.title.value,
            level: header.level.value.word(),
            needs: header.needs.value.word(),
            topology: header.topology.value.to_string(),
            spec: header.spec.iter().map(|spec| spec.value.as_str()).collect(),
            source: header
                .source
                .iter()
                .map(|source| source.value.as_str())
                .collect(),
            path: &case.path,
        })
    };
    json!({ "schema": SCHEMA, "cases": cases.iter().map(entry).collect::<Vec<_>>() })
}
