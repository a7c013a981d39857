//! Both sides of a difference, in words.

use shardlab::wire::resp::{Frame, Value};

use crate::render::render;
use crate::transcript::ast::{NodeField, Pattern, Piece, Shape, Template};
use crate::transcript::{Spanned, print_pattern, print_template};

use super::environment::Known;

/// What a pattern asks for: on one line, placeholders resolved as far as they are known.
pub(super) fn wanted(pattern: &Pattern, known: Known<'_>) -> String {
    let text = |kind: &str, template: &Template| {
        format!("{kind} `{}`", print_template(&resolved(template, known)))
    };
    match &pattern.shape {
        Shape::Any => "any reply that is not an error".to_owned(),
        Shape::SimpleString(template) => text("the simple string", template),
        Shape::BulkString(template) => text("the bulk string", template),
        Shape::Error(template) => text("the error", template),
        Shape::Integer(template) => text("the integer", template),
        Shape::Double(template) => text("the double", template),
        Shape::BigNumber(template) => text("the big number", template),
        Shape::Boolean(Some(value)) => format!("the boolean `{value}`"),
        Shape::Boolean(None) => "a boolean".to_owned(),
        Shape::Nil => "a null".to_owned(),
        Shape::NilArray => "a null array".to_owned(),
        Shape::Text(_) => "a text".to_owned(),
        Shape::Array(..) => "an array".to_owned(),
        Shape::Set(..) => "a set".to_owned(),
        Shape::Push(..) => "a push".to_owned(),
        Shape::Map(..) => "a map".to_owned(),
    }
}

/// A part of a larger value, as it is written.
pub(super) fn part(pattern: &Pattern, known: Known<'_>) -> String {
    match &pattern.shape {
        Shape::Text(_) | Shape::Array(..) | Shape::Set(..) | Shape::Push(..) | Shape::Map(..) => {
            let text = print_pattern(pattern);
            format!(
                "{} like `{}`",
                wanted(pattern, known),
                text.replace('\n', " ")
            )
        }
        _ => wanted(pattern, known),
    }
}

/// A template with the values that are known in it.
pub(super) fn resolved(template: &Template, known: Known<'_>) -> Template {
    let pieces = template
        .pieces
        .iter()
        .map(|piece| {
            let bytes = match &piece.value {
                Piece::Node { node, field } => known.fact(*node, *field).map(String::into_bytes),
                Piece::Captured(name) => known.capture(name).map(<[u8]>::to_vec),
                _ => return piece.clone(),
            };
            bytes.map_or_else(
                |_| piece.clone(),
                |bytes| Spanned::new(Piece::Literal(bytes), piece.span),
            )
        })
        .collect();
    Template { pieces }
}

/// What was received: its kind, and what it looks like.
pub(super) fn received(frame: &Frame) -> String {
    let text = render(frame);
    let kind = match inner(frame) {
        Value::SimpleString(_) => "the simple string",
        Value::SimpleError(_) | Value::BulkError(_) => "an error",
        Value::Integer(_) => "an integer",
        Value::BulkString(_) | Value::StreamedString(_) => "a bulk string",
        Value::NullBulkString => "a null bulk string",
        Value::NullArray => "a null array",
        Value::Null => "a null",
        Value::Array(_) | Value::StreamedArray(_) => "an array",
        Value::Boolean(_) => "a boolean",
        Value::Double(_) => "a double",
        Value::BigNumber(_) => "a big number",
        Value::VerbatimString { .. } => "a verbatim string",
        Value::Map(_) | Value::StreamedMap(_) => "a map",
        Value::Set(_) | Value::StreamedSet(_) => "a set",
        Value::Push(_) => "a push",
        Value::Attribute { .. } => "an attribute",
    };
    if text.contains('\n') {
        format!("{kind}:\n{text}")
    } else {
        format!("{kind}: {text}")
    }
}

/// The value without the attributes in front of it.
pub(super) fn inner(frame: &Frame) -> &Value {
    let mut value = &frame.value;
    while let Value::Attribute { value: next, .. } = value {
        value = &next.value;
    }
    value
}

/// What a node's placeholder stands for here, for each in the template: the reader sees ports.
pub(super) fn legend(template: &Template, known: Known<'_>) -> Option<String> {
    let facts: Vec<String> = template
        .pieces
        .iter()
        .filter_map(|piece| match piece.value {
            Piece::Node { node, field } => {
                let value = known.fact(node, field).ok()?;
                let dot = field
                    .word()
                    .map_or_else(String::new, |word| format!(".{word}"));
                (field != NodeField::Node).then(|| format!("<{node}{dot}> is {value}"))
            }
            _ => None,
        })
        .collect();
    (!facts.is_empty()).then(|| facts.join(", "))
}
