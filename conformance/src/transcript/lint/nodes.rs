//! Every node that is named is one of the topology.

use std::collections::BTreeSet;

use crate::transcript::ast::{
    Action, Expression, NodeName, Piece, RawOutcome, StepKind, Template, Term, Transcript,
};
use crate::transcript::error::{Error, ErrorKind};
use crate::transcript::span::{Span, Spanned};

use super::walk::{expected, pieces, raw, replies, sent, steps};

pub(super) fn lint(transcript: &Transcript) -> Vec<Error> {
    let topology = transcript.header.topology.value;
    let mut added = BTreeSet::new();
    let mut errors = Vec::new();
    for (step, _) in steps(&transcript.body) {
        if let StepKind::Act(Action::AddNode(node)) = &step.kind.value {
            added.insert(node.value);
        }
        for node in named(&step.kind) {
            if !topology.has(node.value) && !added.contains(&node.value) {
                let kind = ErrorKind::UnknownNode(node.to_string(), topology.to_string());
                errors.push(kind.at(node.span));
            }
        }
    }
    errors
}

/// The names that stand anywhere in a transcript.
pub(crate) fn names(transcript: &Transcript) -> BTreeSet<NodeName> {
    let steps = steps(&transcript.body);
    let each = steps.iter().flat_map(|(step, _)| named(&step.kind));
    each.map(|node| node.value).collect()
}

/// The nodes that a step names.
fn named(kind: &StepKind) -> Vec<Spanned<NodeName>> {
    let mut templates: Vec<&Template> = sent(kind);
    templates.extend(replies(kind).into_iter().flat_map(expected));
    let mut nodes = Vec::new();
    match kind {
        StepKind::Send(pipeline) => nodes.push(of(pipeline.connection.node, &pipeline.connection)),
        StepKind::Read { connection, .. } | StepKind::RawSend { connection, .. } => {
            nodes.push(of(connection.node, connection));
        }
        StepKind::RawExpect {
            connection,
            outcome,
        } => {
            nodes.push(of(connection.node, connection));
            if let RawOutcome::Bytes(bytes) = outcome {
                templates.extend(raw(bytes));
            }
        }
        StepKind::Act(action) => nodes.extend(acted_on(action)),
        StepKind::Assert(assertion) => {
            nodes.extend(terms(&assertion.left));
            nodes.extend(terms(&assertion.right));
        }
        StepKind::Within(..) | StepKind::For(..) | StepKind::Choose(_) => {}
    }
    let in_templates =
        templates
            .into_iter()
            .flat_map(pieces)
            .filter_map(|piece| match piece.value {
                Piece::Node { node, .. } => Some(Spanned::new(node, piece.span)),
                _ => None,
            });
    nodes.extend(in_templates);
    nodes
}

fn of<T>(node: NodeName, place: &Spanned<T>) -> Spanned<NodeName> {
    Spanned::new(node, place.span)
}

fn acted_on(action: &Action) -> Vec<Spanned<NodeName>> {
    match action {
        Action::Kill(_, nodes)
        | Action::Pause(nodes)
        | Action::Resume(nodes)
        | Action::Stop(nodes)
        | Action::Start(nodes)
        | Action::Restart(nodes) => nodes.clone(),
        Action::Cut(one, other) => [one.as_slice(), other].concat(),
        Action::Config { node, .. } => vec![*node],
        Action::Heal | Action::AddNode(_) => Vec::new(),
    }
}

fn terms(expression: &Spanned<Expression>) -> Vec<Spanned<NodeName>> {
    let node = |term: &Spanned<Term>| {
        let span: Span = term.span;
        match term.value {
            Term::Node { node, .. } => Some(Spanned::new(node, span)),
            _ => None,
        }
    };
    let rest = expression.rest.iter().filter_map(|(_, term)| node(term));
    node(&expression.first).into_iter().chain(rest).collect()
}
