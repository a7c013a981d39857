//! Text with escapes and placeholders, for the places where it can stand.

use std::fmt::Write as _;

use crate::transcript::ast::{NodeField, NodeName, Piece, Template};
use crate::transcript::parse::reads_as_simple_string;

/// Which characters need an escape besides those that always do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Line,
    Quotes,
    Branch,
}

/// A simple string: alone on its line, it must not look like anything else.
pub(super) fn simple_string(template: &Template) -> String {
    let text = value(template);
    if reads_as_simple_string(&text) {
        return text;
    }
    let mut rest = text.chars();
    let first = match rest.next() {
        Some(sign) if sign.is_ascii_punctuation() => format!("\\{sign}"),
        Some(other) => hex(other),
        None => String::new(),
    };
    format!("{first}{}", rest.as_str())
}

/// Text behind a tag or a prompt: blanks at both ends are escaped.
pub(super) fn value(template: &Template) -> String {
    let text = line(template);
    match text.strip_prefix(' ') {
        Some(rest) => format!("\\x20{rest}"),
        None => text,
    }
}

/// A line behind a margin: a blank at its end is escaped.
pub(super) fn line(template: &Template) -> String {
    let mut text = String::new();
    write(&mut text, template, Place::Line);
    if text.ends_with(' ') {
        text.pop();
        text.push_str("\\x20");
    }
    text
}

/// In double quotes.
pub(super) fn quoted(template: &Template) -> String {
    let mut text = String::from("\"");
    write(&mut text, template, Place::Quotes);
    text.push('"');
    text
}

/// In double quotes, without placeholders.
pub(super) fn quoted_bytes(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    escape(&mut text, bytes, Place::Quotes);
    text.push('"');
    text
}

/// A word of a command, in quotes if it needs them.
pub(super) fn word(template: &Template) -> String {
    let bare = line(template);
    let range = bare.starts_with('{') && bare.contains("..");
    if bare.is_empty() || range || bare.contains([' ', '"', '\'']) {
        quoted(template)
    } else {
        bare
    }
}

/// `<n1.id>`
pub(super) fn node(node: NodeName, field: NodeField) -> String {
    match field.word() {
        None => format!("<{node}>"),
        Some(word) => format!("<{node}.{word}>"),
    }
}

fn write(text: &mut String, template: &Template, place: Place) {
    for piece in &template.pieces {
        match &piece.value {
            Piece::Literal(bytes) => escape(text, bytes, place),
            Piece::Node { node: name, field } => text.push_str(&node(*name, *field)),
            Piece::Wildcard(class) => {
                let _ = write!(text, "<{}>", class.word());
            }
            Piece::Capture { name, class } => {
                let _ = write!(text, "<{name}={}>", class.word());
            }
            Piece::Captured(name) => {
                let _ = write!(text, "<{name}>");
            }
            Piece::OneOf(branches) => {
                for (number, branch) in branches.iter().enumerate() {
                    text.push(if number == 0 { '<' } else { '|' });
                    write(text, branch, Place::Branch);
                }
                text.push('>');
            }
        }
    }
}

fn escape(text: &mut String, bytes: &[u8], place: Place) {
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                '\t' => text.push_str("\\t"),
                '\x07' => text.push_str("\\a"),
                '\x08' => text.push_str("\\b"),
                '\\' | '<' => text.extend(['\\', c]),
                '"' if place == Place::Quotes => text.push_str("\\\""),
                '|' | '>' if place == Place::Branch => text.extend(['\\', c]),
                c if c.is_control() => text.push_str(&hex(c)),
                c => text.push(c),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
}

/// A character as the bytes it is made of.
fn hex(c: char) -> String {
    let mut text = String::new();
    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
        let _ = write!(text, "\\x{byte:02x}");
    }
    text
}
