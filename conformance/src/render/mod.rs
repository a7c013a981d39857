//! A received frame in the notation of transcripts: for pictures of failures and for recording.

mod naming;
mod pieces;
mod vary;

use shardlab::wire::resp::{Frame, Value};

use crate::transcript::ast::{
    Entry, Item, Marks, Pattern, Piece, Rule, Shape, Template, Text, TextKind, TextLine,
};
use crate::transcript::{MAX_DEPTH, print_pattern};

pub use naming::Naming;
use pieces::here;

/// The most lines that a picture shows.
const MAX_LINES: usize = 40;

/// The most characters that a picture shows of a line.
const MAX_WIDTH: usize = 200;

/// The frame as a transcript shows it, cut to what a reader can take in. No line end after the
/// last line.
pub fn render(frame: &Frame) -> String {
    let text = print_pattern(&pattern(frame));
    let mut lines: Vec<String> = text.lines().take(MAX_LINES).map(shorten).collect();
    let more = text.lines().count().saturating_sub(lines.len());
    if more > 0 {
        lines.push(format!("… {more} more lines"));
    }
    lines.join("\n")
}

fn shorten(line: &str) -> String {
    match line.char_indices().nth(MAX_WIDTH) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}

/// The reply to a command as somebody would write it into a transcript: nodes have their names, and
/// what varies from run to run is a wildcard.
pub fn notation(words: &[Vec<u8>], frame: &Frame, naming: &Naming) -> Pattern {
    let mut pattern = whole_notation(words, frame, naming);
    vary::shorten(words, &mut pattern);
    pattern
}

/// The same with every line of a text.
pub fn whole_notation(words: &[Vec<u8>], frame: &Frame, naming: &Naming) -> Pattern {
    let mut pattern = pattern(frame);
    vary::loosen(words, &mut pattern, naming);
    naming.pattern(&mut pattern);
    vary::hashes(words, &mut pattern);
    pattern
}

/// The pattern that matches exactly this frame. Attributes are left out, streamed values are
/// whole ones.
pub fn pattern(frame: &Frame) -> Pattern {
    at_depth(frame, 0)
}

fn at_depth(frame: &Frame, depth: usize) -> Pattern {
    let shape = if depth > MAX_DEPTH {
        Shape::Any
    } else {
        shape(&frame.value, depth)
    };
    Pattern {
        marks: Marks::default(),
        shape,
    }
}

fn shape(value: &Value, depth: usize) -> Shape {
    let items = |frames: &[Frame]| -> Vec<_> {
        frames
            .iter()
            .map(|frame| here(Item::One(at_depth(frame, depth + 1))))
            .collect()
    };
    let entries = |pairs: &[(Frame, Frame)]| {
        let entry = |(key, value): &(Frame, Frame)| Entry {
            key: here(at_depth(key, depth + 1)),
            value: here(at_depth(value, depth + 1)),
        };
        Shape::Map(Rule::Whole, pairs.iter().map(entry).map(here).collect())
    };
    match value {
        Value::SimpleString(text) => Shape::SimpleString(template(text)),
        Value::SimpleError(text) | Value::BulkError(text) => Shape::Error(template(text)),
        Value::Integer(number) => Shape::Integer(template(number.to_string().as_bytes())),
        Value::BulkString(text) => string(text, TextKind::Either, depth),
        Value::StreamedString(chunks) => string(&chunks.concat(), TextKind::Either, depth),
        Value::VerbatimString { format, text } => {
            let format = String::from_utf8_lossy(format).into_owned();
            string(text, TextKind::Verbatim(Some(format)), depth)
        }
        Value::NullBulkString | Value::Null => Shape::Nil,
        Value::NullArray => Shape::NilArray,
        Value::Boolean(value) => Shape::Boolean(Some(*value)),
        Value::Double(number) => Shape::Double(template(number.to_string().as_bytes())),
        Value::BigNumber(digits) => Shape::BigNumber(template(digits)),
        Value::Array(frames) | Value::StreamedArray(frames) => {
            Shape::Array(Rule::Whole, items(frames))
        }
        Value::Set(frames) | Value::StreamedSet(frames) => Shape::Set(Rule::Whole, items(frames)),
        Value::Push(frames) => Shape::Push(Rule::Whole, items(frames)),
        Value::Map(pairs) | Value::StreamedMap(pairs) => entries(pairs),
        Value::Attribute { value, .. } => at_depth(value, depth + 1).shape,
    }
}

/// Several lines are shown as a text, where nothing is nested; anything else in quotes.
fn string(bytes: &[u8], kind: TextKind, depth: usize) -> Shape {
    let text = kind != TextKind::Either || (depth == 0 && bytes.contains(&b'\n'));
    if !text {
        return Shape::BulkString(template(bytes));
    }
    let body = bytes.strip_suffix(b"\n");
    let lines = body
        .unwrap_or(bytes)
        .split(|byte| *byte == b'\n')
        .map(|line| {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            here(TextLine::Line {
                level: None,
                text: template(line),
            })
        })
        .collect();
    Shape::Text(Text {
        kind,
        rule: Rule::Whole,
        lines,
        no_newline: body.is_none(),
    })
}

fn template(bytes: &[u8]) -> Template {
    let literal = (!bytes.is_empty()).then(|| here(Piece::Literal(bytes.to_vec())));
    Template {
        pieces: literal.into_iter().collect(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use bytes::Bytes;

    use super::*;

    fn frame(value: Value) -> Frame {
        Frame {
            raw: Bytes::new(),
            value,
        }
    }

    /// A frame in words: `*2 $text :1`. In texts, `;` ends a line.
    pub(crate) fn received(words: &str) -> Frame {
        let text = words.strip_prefix('$').filter(|text| text.contains(';'));
        if let Some(text) = text {
            let text = format!("{}\r\n", text.replace(';', "\r\n"));
            return frame(Value::BulkString(text.into()));
        }
        if let Some(line) = words.strip_prefix('+') {
            return frame(Value::SimpleString(line.to_owned().into()));
        }
        if let Some(line) = words.strip_prefix('-') {
            return frame(Value::SimpleError(line.to_owned().into()));
        }
        let mut words = words.split(' ');
        let received = next(&mut words);
        assert_eq!(words.next(), None);
        received
    }

    fn next(words: &mut std::str::Split<'_, char>) -> Frame {
        let word = words.next().unwrap();
        let (sign, rest) = word.split_at(1);
        let count = || 0..rest.parse().unwrap();
        frame(match sign {
            ":" => Value::Integer(rest.parse().unwrap()),
            "*" => Value::Array(count().map(|_| next(words)).collect()),
            "%" => Value::Map(count().map(|_| (next(words), next(words))).collect()),
            _ => Value::BulkString(rest.to_owned().into()),
        })
    }

    #[test]
    fn a_frame_is_shown_as_redis_cli_shows_it() {
        let node = frame(Value::Array(vec![
            frame(Value::BulkString("127.0.0.1".into())),
            frame(Value::Integer(7001)),
        ]));
        let slots = frame(Value::Array(vec![
            frame(Value::Integer(0)),
            node,
            frame(Value::NullArray),
        ]));
        assert_eq!(
            render(&slots),
            "1) (integer) 0\n2) 1) \"127.0.0.1\"\n   2) (integer) 7001\n3) (nil array)"
        );
    }

    #[test]
    fn a_text_is_shown_line_by_line() {
        let info = frame(Value::BulkString("# Cluster\r\na:1\r\n".into()));
        assert_eq!(render(&info), "| # Cluster\n| a:1");
    }

    #[test]
    fn a_long_reply_is_cut() {
        let long = frame(Value::Array(vec![frame(Value::Integer(1)); 100]));
        assert!(render(&long).ends_with("… 60 more lines"));
        let wide = frame(Value::BulkString(vec![b'x'; 1000].into()));
        assert_eq!(render(&wide).chars().count(), MAX_WIDTH + 1);
    }
}
