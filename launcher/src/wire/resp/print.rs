//! Frames as redis-cli prints them to a terminal (`cliFormatReplyTTY`, redis-cli.c, Redis 7 and
//! Valkey 8): `OK`, `"a"`, `(integer) 1`, `1) …`.

use std::fmt::Write as _;

use super::{Frame, Value, escape, quote};
use crate::machine::text::printable;

/// A reply for people, without a line end behind it. Text that stands on several lines for people
/// (verbatim strings) is shown as it is, but for control characters.
pub fn print(frame: &Frame) -> String {
    let mut text = String::new();
    lines(&mut text, frame, 0);
    text.trim_end_matches('\n').to_owned()
}

/// Writes one value whose first line starts `indent` columns from the left.
fn lines(text: &mut String, frame: &Frame, indent: usize) {
    match &frame.value {
        Value::SimpleString(bytes) | Value::BigNumber(bytes) => line(text, &escape(bytes)),
        Value::SimpleError(bytes) | Value::BulkError(bytes) => {
            line(text, &format!("(error) {}", escape(bytes)));
        }
        Value::Integer(number) => line(text, &format!("(integer) {number}")),
        Value::BulkString(bytes) => line(text, &quote(bytes)),
        Value::StreamedString(chunks) => line(text, &quote(&chunks.concat())),
        Value::NullBulkString | Value::NullArray | Value::Null => line(text, "(nil)"),
        Value::Boolean(true) => line(text, "(true)"),
        Value::Boolean(false) => line(text, "(false)"),
        Value::Double(number) => line(text, &format!("(double) {number}")),
        Value::VerbatimString { text: bytes, .. } => {
            line(text, &printable(&String::from_utf8_lossy(bytes)));
        }
        Value::Array(items) | Value::StreamedArray(items) => {
            list(text, items, ")", "(empty array)", indent);
        }
        Value::Set(items) | Value::StreamedSet(items) => {
            list(text, items, "~", "(empty set)", indent);
        }
        Value::Push(items) => list(text, items, ">", "(empty push)", indent),
        Value::Map(pairs) | Value::StreamedMap(pairs) => map(text, pairs, "#", indent),
        Value::Attribute { attributes, value } => {
            map(text, attributes, "|", indent);
            text.push_str(&" ".repeat(indent));
            lines(text, value, indent);
        }
    }
}

fn line(text: &mut String, words: &str) {
    text.push_str(words);
    text.push('\n');
}

fn list(text: &mut String, items: &[Frame], mark: &str, empty: &str, indent: usize) {
    if items.is_empty() {
        line(text, empty);
    }
    let width = items.len().to_string().len();
    for (number, item) in (1..).zip(items) {
        begin(text, number, width, mark, indent);
        lines(text, item, indent + width + 2);
    }
}

fn map(text: &mut String, pairs: &[(Frame, Frame)], mark: &str, indent: usize) {
    if pairs.is_empty() {
        line(text, "(empty hash)");
    }
    let width = pairs.len().to_string().len();
    for (number, (key, value)) in (1..).zip(pairs) {
        begin(text, number, width, mark, indent);
        text.push_str(&print(key));
        text.push_str(" => ");
        let below = matches!(value.plain(), Value::Array(items) | Value::Set(items) if !items.is_empty())
            || matches!(value.plain(), Value::Map(pairs) if !pairs.is_empty());
        if below {
            text.push('\n');
            text.push_str(&" ".repeat(indent + width + 2));
        }
        lines(text, value, indent + width + 2);
    }
}

/// `1) `, with the indent that every line but the first of a nested list needs.
fn begin(text: &mut String, number: usize, width: usize, mark: &str, indent: usize) {
    if number > 1 {
        text.push_str(&" ".repeat(indent));
    }
    let _ = write!(text, "{number:>width$}{mark} ");
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::wire::resp::{Decoder, Protocol};

    fn printed(wire: &str) -> String {
        let mut buffer = BytesMut::from(wire.as_bytes());
        print(
            &Decoder::new(Protocol::Resp3)
                .decode(&mut buffer)
                .unwrap()
                .unwrap(),
        )
    }

    #[test]
    fn every_type_looks_as_in_redis_cli() {
        for (wire, text) in [
            ("+OK\r\n", "OK"),
            ("-ERR no\r\n", "(error) ERR no"),
            (":-1\r\n", "(integer) -1"),
            ("$3\r\na\"b\r\n", "\"a\\\"b\""),
            ("$-1\r\n", "(nil)"),
            ("_\r\n", "(nil)"),
            ("#t\r\n", "(true)"),
            (",1.5\r\n", "(double) 1.5"),
            ("*0\r\n", "(empty array)"),
            ("=8\r\ntxt:a\nb\n\r\n", "a\nb"),
        ] {
            assert_eq!(printed(wire), text);
        }
    }

    #[test]
    fn nested_lists_are_aligned() {
        assert_eq!(
            printed("*2\r\n*2\r\n:1\r\n+a\r\n:2\r\n"),
            "1) 1) (integer) 1\n   2) a\n2) (integer) 2"
        );
        let ten = format!("*10\r\n{}", ":0\r\n".repeat(10));
        assert!(
            printed(&ten).starts_with(" 1) (integer) 0\n 2) "),
            "{}",
            printed(&ten)
        );
    }

    #[test]
    fn maps_name_their_keys() {
        assert_eq!(
            printed("%2\r\n+a\r\n:1\r\n+b\r\n*2\r\n:1\r\n:2\r\n"),
            "1# a => (integer) 1\n2# b => \n   1) (integer) 1\n   2) (integer) 2"
        );
    }
}
