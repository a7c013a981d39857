//! The parts of a tree, in the order in which they are written.

use crate::transcript::ast::{
    Answer, Block, Entry, Expected, Item, Outcome, Pattern, Piece, RawBytes, Shape, Step, StepKind,
    Template, TextLine, Word,
};
use crate::transcript::span::Spanned;

/// Every step, blocks before what is in them, each with whether it is in a timed block.
pub(crate) fn steps(block: &Block) -> Vec<(&Step, bool)> {
    let mut all = Vec::new();
    collect(block, false, &mut all);
    all
}

fn collect<'a>(block: &'a Block, timed: bool, all: &mut Vec<(&'a Step, bool)>) {
    for step in &block.steps {
        all.push((step, timed));
        match &step.kind.value {
            StepKind::Within(_, block) | StepKind::For(_, block) => collect(block, true, all),
            StepKind::Choose(variants) => {
                for variant in variants {
                    collect(&variant.body, timed, all);
                }
            }
            _ => {}
        }
    }
}

/// The replies of one step, not of those in it.
pub(crate) fn replies(kind: &StepKind) -> Vec<&Expected> {
    match kind {
        StepKind::Send(pipeline) => pipeline
            .exchanges
            .iter()
            .map(|exchange| &exchange.expected)
            .collect(),
        StepKind::Read { expected, .. } => vec![expected],
        _ => Vec::new(),
    }
}

/// The templates of what a step sends.
pub(crate) fn sent(kind: &StepKind) -> Vec<&Template> {
    match kind {
        StepKind::Send(pipeline) => pipeline
            .exchanges
            .iter()
            .flat_map(|exchange| &exchange.command.words)
            .filter_map(|word| match &word.value {
                Word::Argument(template) => Some(template),
                Word::Range { .. } => None,
            })
            .collect(),
        StepKind::RawSend { bytes, .. } => raw(bytes),
        _ => Vec::new(),
    }
}

/// The templates of bytes.
pub(crate) fn raw(bytes: &RawBytes) -> Vec<&Template> {
    match bytes {
        RawBytes::Line(template) => vec![template],
        RawBytes::Lines { lines, .. } => lines.iter().map(|line| &line.value).collect(),
    }
}

/// The templates of a reply, in all its variants.
pub(crate) fn expected(expected: &Expected) -> Vec<&Template> {
    let answers: Vec<&Answer> = match expected {
        Expected::Always(answer) => vec![answer],
        Expected::Variants(variants) => variants.iter().map(|variant| &variant.body).collect(),
    };
    let mut templates = Vec::new();
    for outcome in answers.into_iter().flat_map(|answer| &answer.outcomes) {
        if let Outcome::Reply(reply) = &outcome.value {
            pattern(reply, &mut templates);
        }
    }
    templates
}

/// The templates of a pattern.
pub(crate) fn templates(of: &Pattern) -> Vec<&Template> {
    let mut templates = Vec::new();
    pattern(of, &mut templates);
    templates
}

fn pattern<'a>(of: &'a Pattern, templates: &mut Vec<&'a Template>) {
    match &of.shape {
        Shape::SimpleString(template)
        | Shape::BulkString(template)
        | Shape::Error(template)
        | Shape::Integer(template)
        | Shape::Double(template)
        | Shape::BigNumber(template) => templates.push(template),
        Shape::Text(text) => {
            for line in &text.lines {
                if let TextLine::Line { text, .. } = &line.value {
                    templates.push(text);
                }
            }
        }
        Shape::Array(_, items) | Shape::Set(_, items) | Shape::Push(_, items) => {
            for item in items {
                if let Item::One(item) = &item.value {
                    pattern(item, templates);
                }
            }
        }
        Shape::Map(_, entries) => {
            for entry in entries {
                let Entry { key, value } = &entry.value;
                pattern(key, templates);
                pattern(value, templates);
            }
        }
        Shape::Any | Shape::Boolean(_) | Shape::Nil | Shape::NilArray => {}
    }
}

/// The pieces of a template, those of alternatives included.
pub(crate) fn pieces(template: &Template) -> Vec<&Spanned<Piece>> {
    let mut all = Vec::new();
    for piece in &template.pieces {
        all.push(piece);
        if let Piece::OneOf(branches) = &piece.value {
            all.extend(branches.iter().flat_map(pieces));
        }
    }
    all
}
