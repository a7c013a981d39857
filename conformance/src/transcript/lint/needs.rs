//! A case asks the user for as much as its steps do.

use crate::transcript::ast::{Command, Needs, NodeRole, StepKind, Topology, Transcript, Word};
use crate::transcript::error::{Error, ErrorKind};
use crate::transcript::span::Span;

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
    let asked = asked(transcript).into_iter();
    asked
        .filter(|(least, ..)| needs < *least)
        .map(|(least, what, span)| ErrorKind::NeedsMore(what, least.word()).at(span))
        .collect()
}

/// The least that a transcript must ask for.
pub(crate) fn least_needs(transcript: &Transcript) -> Needs {
    let asked = asked(transcript).into_iter().map(|(least, ..)| least);
    asked.max().unwrap_or(Needs::Client)
}

/// Whether a command changes slots, roles, settings or processes, of which other nodes hear later.
pub(crate) fn changes_more_than_keys(command: &Command) -> bool {
    asked_by(command).is_some()
}

/// What asks for more than an address, in words, and where it stands.
fn asked(transcript: &Transcript) -> Vec<(Needs, String, Span)> {
    let mut asked = Vec::new();
    let topology = &transcript.header.topology;
    if matches!(topology.value, Topology::Sentinel { .. }) {
        asked.push((
            Needs::Sentinel,
            "a topology with sentinels".to_owned(),
            topology.span,
        ));
    }
    for (step, _) in steps(&transcript.body) {
        match &step.kind.value {
            StepKind::Act(_) => {
                asked.push((Needs::Process, "an action".to_owned(), step.kind.span));
            }
            StepKind::Send(pipeline) if pipeline.connection.node.role != NodeRole::Sentinel => {
                asked.extend(pipeline.exchanges.iter().filter_map(|exchange| {
                    let (least, what) = asked_by(&exchange.command)?;
                    Some((least, what, exchange.command.span))
                }));
            }
            _ => {}
        }
    }
    asked
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
