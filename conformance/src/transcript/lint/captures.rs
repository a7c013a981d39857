//! Every captured value that is used has been asked for in a step above. What is captured in one
//! of several variants counts: the runner says when it is missing.

use std::collections::BTreeSet;

use crate::transcript::ast::{Expression, Piece, RawOutcome, StepKind, Template, Term, Transcript};
use crate::transcript::error::{Error, ErrorKind};
use crate::transcript::span::{Span, Spanned};

use super::walk::{expected, pieces, raw, replies, sent, steps};

pub(super) fn lint(transcript: &Transcript) -> Vec<Error> {
    let mut captured: BTreeSet<&str> = BTreeSet::new();
    let mut errors = Vec::new();
    for (step, _) in steps(&transcript.body) {
        let mut received: Vec<&Template> =
            replies(&step.kind).into_iter().flat_map(expected).collect();
        if let StepKind::RawExpect {
            outcome: RawOutcome::Bytes(bytes),
            ..
        } = &step.kind.value
        {
            received.extend(raw(bytes));
        }
        let mut uses = in_templates(&sent(&step.kind));
        uses.extend(in_templates(&received));
        if let StepKind::Assert(assertion) = &step.kind.value {
            uses.extend(in_expression(&assertion.left));
            uses.extend(in_expression(&assertion.right));
        }
        for (name, span) in uses {
            if !captured.contains(name) {
                errors.push(ErrorKind::Uncaptured(name.to_owned()).at(span));
            }
        }
        for piece in received.into_iter().flat_map(pieces) {
            if let Piece::Capture { name, .. } = &piece.value {
                captured.insert(name);
            }
        }
    }
    errors
}

fn in_templates<'a>(templates: &[&'a Template]) -> Vec<(&'a str, Span)> {
    templates
        .iter()
        .flat_map(|template| pieces(template))
        .filter_map(|piece| match &piece.value {
            Piece::Captured(name) => Some((name.as_str(), piece.span)),
            _ => None,
        })
        .collect()
}

fn in_expression(expression: &Spanned<Expression>) -> Vec<(&str, Span)> {
    let rest = expression.rest.iter().map(|(_, term)| term);
    std::iter::once(&expression.first)
        .chain(rest)
        .filter_map(|term| match &term.value {
            Term::Captured(name) => Some((name.as_str(), term.span)),
            _ => None,
        })
        .collect()
}
