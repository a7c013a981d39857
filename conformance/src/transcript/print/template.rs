//! Text with escapes and placeholders, for the places where it can stand.

use std::fmt::Write as _;

use crate::transcript::ast::{NodeField, NodeName, Piece, Template};
use crate::transcript::parse::reads_as_simple_string;

/// What needs an escape besides what always does.
#[derive(Clone, Copy)]
struct Place {
    /// `"`.
    quoted: bool,
    /// `|` and `>`.
    branch: bool,
    /// Every byte above 0x7e: where bytes count one by one.
    ascii: bool,
}

impl Place {
    const LINE: Self = Self {
        quoted: false,
        branch: false,
        ascii: false,
    };
    const QUOTES: Self = Self {
        quoted: true,
        branch: false,
        ascii: true,
    };
    const FRAME: Self = Self {
        quoted: false,
        branch: false,
        ascii: true,
    };

    const fn branch(self) -> Self {
        Self {
            quoted: false,
            branch: true,
            ascii: self.ascii,
        }
    }
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

/// Text behind a tag: blanks at both ends are escaped.
pub(super) fn value(template: &Template) -> String {
    unblanked(line(template))
}

/// A line behind a margin: a blank at its end is escaped.
pub(super) fn line(template: &Template) -> String {
    unended(write(template, Place::LINE))
}

/// The bytes of a frame behind a prompt: blanks at both ends are escaped, as is all that is not
/// ASCII.
pub(super) fn frame(template: &Template) -> String {
    unblanked(frame_line(template))
}

/// A line of a frame: a blank at its end is escaped, as is all that is not ASCII.
pub(super) fn frame_line(template: &Template) -> String {
    unended(write(template, Place::FRAME))
}

/// A blank at the beginning is escaped.
fn unblanked(text: String) -> String {
    match text.strip_prefix(' ') {
        Some(rest) => format!("\\x20{rest}"),
        None => text,
    }
}

/// A blank at the end is escaped.
fn unended(mut text: String) -> String {
    if text.ends_with(' ') {
        text.pop();
        text.push_str("\\x20");
    }
    text
}

/// In double quotes, with the escapes of redis-cli (`sdscatrepr`).
pub(super) fn quoted(template: &Template) -> String {
    format!("\"{}\"", write(template, Place::QUOTES))
}

/// In double quotes, without placeholders.
pub(super) fn quoted_bytes(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    escape(&mut text, bytes, Place::QUOTES);
    text.push('"');
    text
}

/// A word of a command, as redis-cli reads it (`sdssplitargs`): bare if no byte of it means
/// anything there or here, in quotes otherwise.
pub(super) fn word(template: &Template) -> String {
    let bare = template.pieces.iter().all(|piece| match &piece.value {
        Piece::Literal(bytes) => bytes
            .iter()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\' | b'<')),
        _ => true,
    });
    let text = line(template);
    let range = text.starts_with('{') && text.contains("..");
    if bare && !text.is_empty() && !range {
        text
    } else {
        quoted(template)
    }
}

/// `<n1.id>`
pub(super) fn node(node: NodeName, field: NodeField) -> String {
    match field.word() {
        None => format!("<{node}>"),
        Some(word) => format!("<{node}.{word}>"),
    }
}

fn write(template: &Template, place: Place) -> String {
    let mut text = String::new();
    append(&mut text, template, place);
    text
}

fn append(text: &mut String, template: &Template, place: Place) {
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
            Piece::Count(count) => {
                let _ = write!(text, "<{}>", count.word());
            }
            Piece::OneOf(branches) => {
                for (number, branch) in branches.iter().enumerate() {
                    text.push(if number == 0 { '<' } else { '|' });
                    append(text, branch, place.branch());
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
                '"' if place.quoted => text.push_str("\\\""),
                '|' | '>' if place.branch => text.extend(['\\', c]),
                c if c.is_control() || (place.ascii && !c.is_ascii()) => text.push_str(&hex(c)),
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::transcript::Spanned;
    use crate::transcript::ast::{StepKind, Word};
    use crate::transcript::parse;
    use crate::transcript::span::Span;

    fn literal(bytes: &[u8]) -> Template {
        let piece = Spanned::new(Piece::Literal(bytes.to_vec()), Span::default());
        Template {
            pieces: (!bytes.is_empty()).then_some(piece).into_iter().collect(),
        }
    }

    /// One argument as redis-cli reads it: `sdssplitargs` of Redis 7.0.15, sds.c.
    fn read_by_redis_cli(word: &str) -> Vec<u8> {
        let Some(inside) = word.strip_prefix('"') else {
            assert!(!word.contains([' ', '"', '\'']), "{word}");
            return word.into();
        };
        let inside = inside.strip_suffix('"').unwrap().as_bytes();
        let (mut bytes, mut at) = (Vec::new(), 0);
        while at < inside.len() {
            match &inside[at..] {
                [b'\\', b'x', high, low, ..]
                    if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
                {
                    let digits = std::str::from_utf8(&inside[at + 2..at + 4]).unwrap();
                    bytes.push(u8::from_str_radix(digits, 16).unwrap());
                    at += 4;
                }
                [b'\\', sign, ..] => {
                    bytes.push(match sign {
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b't' => b'\t',
                        b'b' => 0x08,
                        b'a' => 0x07,
                        sign => *sign,
                    });
                    at += 2;
                }
                [b'"', ..] => panic!("{word} ends too early"),
                [byte, ..] => {
                    bytes.push(*byte);
                    at += 1;
                }
                [] => {}
            }
        }
        bytes
    }

    #[test]
    fn a_word_is_in_quotes_if_it_needs_them() {
        for (bytes, wanted) in [
            (&b"a{b}:[c]|$*"[..], "a{b}:[c]|$*"),
            (b"", r#""""#),
            (b" ", r#"" ""#),
            (b"a b", r#""a b""#),
            (b"\r\n\t\x07\x08\x00\xff", r#""\r\n\t\a\b\x00\xff""#),
            ("é".as_bytes(), r#""\xc3\xa9""#),
            (b"a\\", r#""a\\""#),
            (b"<n1>", r#""\<n1>""#),
            (b"it's", r#""it's""#),
            (b"\"", r#""\"""#),
            (b"{0..1}", r#""{0..1}""#),
        ] {
            assert_eq!(word(&literal(bytes)), wanted);
        }
    }

    proptest! {
        #[test]
        fn redis_cli_reads_a_word_as_the_parser_does(
            bytes in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..8),
                "[ -~é]{0,8}".prop_map(String::into_bytes),
            ],
        ) {
            let word = word(&literal(&bytes));
            prop_assert_eq!(&read_by_redis_cli(&word), &bytes, "{}", word);
            let source = format!(
                "id: MOV-01\ntitle: t\nlevel: may\nneeds: client\ntopology: 3 masters\n\nn1> X {word}\nOK\n"
            );
            let transcript = parse(&source).unwrap();
            let StepKind::Send(pipeline) = &transcript.body.steps[0].kind.value else {
                panic!("no command");
            };
            let words = &pipeline.exchanges[0].command.value.words;
            prop_assert_eq!(words.len(), 2);
            prop_assert_eq!(&words[1].value, &Word::Argument(literal(&bytes)));
        }
    }
}
