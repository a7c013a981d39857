//! One element of a frame: a whole leaf, or the head or the end of an aggregate.
//!
//! The grammar is the one of the RESP specification at redis.io ("Redis serialization
//! protocol specification") and, for attributes and streamed types, of RESP3.md by Salvatore
//! Sanfilippo (antirez/RESP3).

use std::ops::Range;
use std::str;

use super::cursor::{Cursor, Stop};
use super::token::{Aggregate, Leaf};
use super::{Expected, Limits, Protocol, Value};

#[derive(Debug)]
pub(super) enum Element {
    Leaf(Leaf),
    /// The head of an aggregate and how many frames are in it; `None` if an end mark tells.
    Head(Aggregate, Option<usize>),
    End,
}

/// What may stand at a place besides the types that stand anywhere.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// Not inside another value, where a push may stand.
    Outside,
    /// Inside an aggregate of known length.
    Inside,
    /// Inside a streamed aggregate, which may end here.
    Streamed,
    /// After a key of a streamed map, where its value stands.
    StreamedValue,
    /// Inside a streamed string, between chunks.
    Chunk,
}

/// Reads one element; `limits.frame` is what is left for the rest of the frame. On
/// [`Stop::Incomplete`] the cursor's place says nothing; start again from the element's first byte.
pub(super) fn read(
    cursor: &mut Cursor<'_>,
    place: Place,
    protocol: Protocol,
    limits: &Limits,
) -> Result<Element, Stop> {
    let kind = cursor.peek()?;
    match (place, kind) {
        (Place::Chunk, _) => return chunk(cursor, limits),
        (Place::Streamed, b'.') => {
            cursor.at += 1;
            cursor.line_end("end mark")?;
            return Ok(Element::End);
        }
        (Place::StreamedValue, b'.') => return Err(cursor.unexpected(Expected::MapValue)),
        (Place::Inside | Place::Streamed | Place::StreamedValue, b'>')
            if protocol == Protocol::Resp3 =>
        {
            return Err(cursor.unexpected(Expected::InnerType));
        }
        _ => {}
    }
    if !protocol.types().contains(&kind) {
        return Err(cursor.unexpected(Expected::Type(protocol)));
    }
    let streams = protocol == Protocol::Resp3;
    cursor.at += 1;
    let leaf = match kind {
        b'+' => Leaf::Text(Value::SimpleString, cursor.line("simple string")?),
        b'-' => Leaf::Text(Value::SimpleError, cursor.line("simple error")?),
        b':' => Leaf::Scalar(Value::Integer(cursor.integer()?)),
        b'$' if null_length(cursor)? => Leaf::Scalar(Value::NullBulkString),
        b'$' if streams && unknown_length(cursor)? => {
            return Ok(Element::Head(Aggregate::StreamedString, None));
        }
        b'$' => Leaf::Text(Value::BulkString, bulk(cursor, limits, "bulk string")?),
        b'*' if null_length(cursor)? => Leaf::Scalar(Value::NullArray),
        b'*' if streams && unknown_length(cursor)? => {
            return Ok(Element::Head(Aggregate::StreamedArray, None));
        }
        b'*' => return head(cursor, limits, Aggregate::Array),
        b'_' => {
            cursor.line_end("null")?;
            Leaf::Scalar(Value::Null)
        }
        b'#' => Leaf::Scalar(Value::Boolean(boolean(cursor)?)),
        b',' => Leaf::Scalar(Value::Double(double(cursor)?)),
        b'(' => Leaf::Text(Value::BigNumber, big_number(cursor)?),
        b'!' => Leaf::Text(Value::BulkError, bulk(cursor, limits, "bulk error")?),
        b'=' => verbatim(cursor, limits)?,
        b'%' if unknown_length(cursor)? => return Ok(Element::Head(Aggregate::StreamedMap, None)),
        b'%' => return head(cursor, limits, Aggregate::Map),
        b'~' if unknown_length(cursor)? => return Ok(Element::Head(Aggregate::StreamedSet, None)),
        b'~' => return head(cursor, limits, Aggregate::Set),
        b'>' => return head(cursor, limits, Aggregate::Push),
        // Of the types only `|` is left.
        _ => return head(cursor, limits, Aggregate::Attribute),
    };
    Ok(Element::Leaf(leaf))
}

fn head(cursor: &mut Cursor<'_>, limits: &Limits, kind: Aggregate) -> Result<Element, Stop> {
    let each = match kind {
        Aggregate::Map | Aggregate::Attribute => 2 * Limits::VALUE,
        _ => Limits::VALUE,
    };
    let length = cursor.length(limits.aggregate.min(limits.frame / each))?;
    let frames = match kind {
        Aggregate::Map => length.saturating_mul(2),
        // The pairs and the value that they belong to.
        Aggregate::Attribute => length.saturating_mul(2).saturating_add(1),
        _ => length,
    };
    Ok(Element::Head(kind, Some(frames)))
}

/// `-1\r\n` in place of a length. RESP3 has its own null, but servers with RESP2 habits send
/// these on RESP3 connections too; what to think of that is the reader's business.
fn null_length(cursor: &mut Cursor<'_>) -> Result<bool, Stop> {
    let null = cursor.skip(b'-')?;
    if null {
        cursor.require(b'1', Expected::NullLength)?;
        cursor.line_end("length")?;
    }
    Ok(null)
}

/// `?\r\n` in place of a length.
fn unknown_length(cursor: &mut Cursor<'_>) -> Result<bool, Stop> {
    let unknown = cursor.skip(b'?')?;
    if unknown {
        cursor.line_end("length")?;
    }
    Ok(unknown)
}

fn bulk(
    cursor: &mut Cursor<'_>,
    limits: &Limits,
    what: &'static str,
) -> Result<Range<usize>, Stop> {
    let length = cursor.length(limits.bulk.min(limits.frame))?;
    cursor.body(length, what)
}

fn chunk(cursor: &mut Cursor<'_>, limits: &Limits) -> Result<Element, Stop> {
    cursor.require(b';', Expected::Chunk)?;
    let length = cursor.length(limits.bulk.min(limits.frame))?;
    if length == 0 {
        return Ok(Element::End);
    }
    let text = cursor.body(length, "chunk")?;
    Ok(Element::Leaf(Leaf::Text(Value::BulkString, text)))
}

fn verbatim(cursor: &mut Cursor<'_>, limits: &Limits) -> Result<Leaf, Stop> {
    let start = cursor.at;
    let length = cursor.length(limits.bulk.min(limits.frame))?;
    let Some(text_length) = length.checked_sub(4) else {
        let digits = start..cursor.at - 2;
        return Err(cursor.wrong(digits, Expected::VerbatimLength));
    };
    let mut format = [0; 3];
    for byte in &mut format {
        *byte = cursor.peek()?;
        cursor.at += 1;
    }
    cursor.require(b':', Expected::VerbatimColon)?;
    let text = cursor.body(text_length, "verbatim string")?;
    Ok(Leaf::Verbatim { format, text })
}

fn boolean(cursor: &mut Cursor<'_>) -> Result<bool, Stop> {
    let truth = cursor.skip(b't')?;
    if !truth {
        cursor.require(b'f', Expected::Boolean)?;
    }
    cursor.line_end("boolean")?;
    Ok(truth)
}

fn big_number(cursor: &mut Cursor<'_>) -> Result<Range<usize>, Stop> {
    let line = cursor.line("big number")?;
    let text = cursor.text(&line);
    if is_digits(without_sign(text)) {
        Ok(line)
    } else {
        Err(cursor.wrong(line, Expected::BigNumber))
    }
}

fn double(cursor: &mut Cursor<'_>) -> Result<f64, Stop> {
    let line = cursor.line("double")?;
    parse_double(cursor.text(&line)).ok_or_else(|| cursor.wrong(line, Expected::Double))
}

/// Rust reads more spellings than the protocol has, such as `.5`, `5.` and `Infinity`.
fn parse_double(text: &[u8]) -> Option<f64> {
    let is_exponent = |byte: &u8| matches!(byte, b'e' | b'E');
    let mut parts = without_sign(text).splitn(2, is_exponent);
    let (mantissa, exponent) = (parts.next()?, parts.next());
    let numeric = mantissa.splitn(2, |byte| *byte == b'.').all(is_digits)
        && exponent.is_none_or(|exponent| is_digits(without_sign(exponent)));
    if numeric || matches!(text, b"inf" | b"-inf" | b"nan") {
        str::from_utf8(text).ok()?.parse().ok()
    } else {
        None
    }
}

fn without_sign(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"+")
        .or_else(|| text.strip_prefix(b"-"))
        .unwrap_or(text)
}

fn is_digits(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}
