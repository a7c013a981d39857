//! A case asks the user for as much as its steps do.

use crate::transcript::ast::{Command, Needs, NodeRole, StepKind, Topology, Transcript, Word};
use crate::transcript::error::{Error, ErrorKind};

use super::walk::steps;

/// Subcommands of CLUSTER that change slots, epochs or membership.
const CHANGES: [&str; 18] = [
    "ADDSLOTS",
    "ADDSLOTSRANGE",
    "BUMPEPOCH",
    "CANCELSLOTMIGRATIONS",
    "DELSLOTS",
    "DELSLOTSRANGE",
    "FAILOVER",
    "FLUSHSLOT",
    "FLUSHSLOTS",
    "FORGET",
    "MEET",
    "MIGRATESLOTS",
    "MIGRATION",
    "REPLICATE",
    "RESET",
    "SAVECONFIG",
    "SET-CONFIG-EPOCH",
    "SETSLOT",
];

pub(super) fn lint(transcript: &Transcript) -> Vec<Error> {
    let needs = transcript.header.needs.value;
    let mut errors = Vec::new();
    let mut ask = |least: Needs, what: String, span| {
        if needs < least {
            errors.push(ErrorKind::NeedsMore(what, least.word()).at(span));
        }
    };
    let topology = &transcript.header.topology;
    if matches!(topology.value, Topology::Sentinel { .. }) {
        ask(
            Needs::Sentinel,
            "a topology with sentinels".to_owned(),
            topology.span,
        );
    }
    for (step, _) in steps(&transcript.body) {
        match &step.kind.value {
            StepKind::Act(_) => ask(Needs::Process, "an action".to_owned(), step.kind.span),
            StepKind::Send(pipeline) => {
                let sentinel = pipeline.connection.node.role == NodeRole::Sentinel;
                for exchange in &pipeline.exchanges {
                    if let Some((least, what)) = asked_by(&exchange.command).filter(|_| !sentinel) {
                        ask(least, what, exchange.command.span);
                    }
                }
            }
            _ => {}
        }
    }
    errors
}

/// What a command asks for that changes more than keys, and the words that say so.
fn asked_by(command: &Command) -> Option<(Needs, String)> {
    let mut words = command.words.iter().map(|word| match &word.value {
        Word::Argument(template) => template
            .literal()
            .map(|bytes| String::from_utf8_lossy(bytes).to_uppercase()),
        Word::Range { .. } => None,
    });
    let name = words.next()??;
    let subcommand = words.next().flatten().unwrap_or_default();
    let least = match (name.as_str(), subcommand.as_str()) {
        ("CONFIG", "SET" | "REWRITE") => Needs::Config,
        ("SHUTDOWN", _) => Needs::Process,
        ("CLUSTER", subcommand) if CHANGES.contains(&subcommand) => Needs::Admin,
        ("MIGRATE" | "FAILOVER" | "REPLICAOF" | "SLAVEOF", _) => Needs::Admin,
        _ => return None,
    };
    let what = match name.as_str() {
        "CONFIG" | "CLUSTER" => format!("`{name} {subcommand}`"),
        _ => format!("`{name}`"),
    };
    Some((least, what))
}
