//! What each spelling on the wire becomes.

use bytes::{Bytes, BytesMut};

use super::decode_one;
use crate::wire::resp::Protocol::{Resp2, Resp3};
use crate::wire::resp::{Decoder, Frame, Value};

#[track_caller]
fn value(wire: impl AsRef<[u8]>) -> Value {
    let frame = decode_one(Resp3, wire.as_ref());
    assert_eq!(frame.raw, wire.as_ref(), "the frame keeps its bytes");
    frame.value
}

/// A frame inside another, with the spelling that it is expected to keep.
fn frame(raw: &'static str, value: Value) -> Frame {
    Frame {
        raw: Bytes::from_static(raw.as_bytes()),
        value,
    }
}

fn integer(raw: &'static str, number: i64) -> Frame {
    frame(raw, Value::Integer(number))
}

fn text(text: &'static [u8]) -> Bytes {
    Bytes::from_static(text)
}

#[test]
fn errors_are_whole_lines_of_any_bytes() {
    assert_eq!(
        value("-MOVED 866 h:1\r\n"),
        Value::SimpleError(text(b"MOVED 866 h:1"))
    );
    assert_eq!(
        value(b"-ERR \xff\x00\r\n"),
        Value::SimpleError(text(b"ERR \xff\0"))
    );
    assert_eq!(
        value("!5\r\nA\r\nBC\r\n"),
        Value::BulkError(text(b"A\r\nBC"))
    );
    assert_eq!(value("+\r\n"), Value::SimpleString(Bytes::new()));
}

#[test]
fn the_three_nulls_are_three_values() {
    assert_eq!(value("$-1\r\n"), Value::NullBulkString);
    assert_eq!(value("*-1\r\n"), Value::NullArray);
    assert_eq!(value("_\r\n"), Value::Null);
    assert_eq!(value("$0\r\n\r\n"), Value::BulkString(Bytes::new()));
    assert_eq!(value("*0\r\n"), Value::Array(Vec::new()));
}

#[test]
fn maps_and_sets_keep_order_and_repetition() {
    let (one, two) = (integer(":1\r\n", 1), integer(":2\r\n", 2));
    let pairs = vec![
        (two.clone(), one.clone()),
        (one.clone(), two.clone()),
        (two.clone(), two.clone()),
    ];
    assert_eq!(
        value("%3\r\n:2\r\n:1\r\n:1\r\n:2\r\n:2\r\n:2\r\n"),
        Value::Map(pairs)
    );
    assert_eq!(
        value("~3\r\n:2\r\n:1\r\n:2\r\n"),
        Value::Set(vec![two.clone(), one, two])
    );
}

#[test]
fn a_key_may_be_an_array_or_a_map() {
    let array = frame("*1\r\n:1\r\n", Value::Array(vec![integer(":1\r\n", 1)]));
    let map = frame("%0\r\n", Value::Map(Vec::new()));
    let nothing = frame("_\r\n", Value::Null);
    let pairs = vec![(array, nothing.clone()), (map, nothing)];
    assert_eq!(
        value("%2\r\n*1\r\n:1\r\n_\r\n%0\r\n_\r\n"),
        Value::Map(pairs)
    );
}

#[test]
fn a_verbatim_string_may_have_any_format() {
    let unknown = Value::VerbatimString {
        format: *b"xyz",
        text: text(b"abcd"),
    };
    assert_eq!(value("=8\r\nxyz:abcd\r\n"), unknown);
    let empty = Value::VerbatimString {
        format: *b"txt",
        text: Bytes::new(),
    };
    assert_eq!(value("=4\r\ntxt:\r\n"), empty);
}

#[test]
fn numbers_keep_their_spelling_beside_their_value() {
    for (wire, number) in [
        (":+42\r\n", 42),
        (":-0\r\n", 0),
        (":007\r\n", 7),
        (":-9223372036854775808\r\n", i64::MIN),
    ] {
        assert_eq!(value(wire), Value::Integer(number));
    }
    for (wire, number) in [
        (",1.10\r\n", 1.1),
        (",+1\r\n", 1.0),
        (",-1.5E-3\r\n", -0.0015),
        (",1e5\r\n", 1e5),
        (",inf\r\n", f64::INFINITY),
        (",-inf\r\n", f64::NEG_INFINITY),
    ] {
        assert_eq!(value(wire), Value::Double(number));
    }
    assert!(matches!(value(",nan\r\n"), Value::Double(number) if number.is_nan()));
    let big = b"-349284750000000000000000000000000000";
    assert_eq!(
        value([b"(", &big[..], b"\r\n"].concat()),
        Value::BigNumber(text(big))
    );
    assert_eq!(
        [value("#t\r\n"), value("#f\r\n")],
        [true, false].map(Value::Boolean)
    );
}

#[test]
fn attributes_stay_with_the_value_that_they_precede() {
    let pair = (
        frame("+k\r\n", Value::SimpleString(text(b"k"))),
        frame("_\r\n", Value::Null),
    );
    let attribute = Value::Attribute {
        attributes: vec![pair],
        value: Box::new(integer(":1\r\n", 1)),
    };
    let wire = "|1\r\n+k\r\n_\r\n:1\r\n";
    assert_eq!(value(wire), attribute);
    let array = value(format!("*2\r\n{wire}:2\r\n"));
    assert_eq!(
        array,
        Value::Array(vec![frame(wire, attribute), integer(":2\r\n", 2)])
    );
}

#[test]
fn an_attribute_may_precede_a_push() {
    let push = frame(
        ">1\r\n_\r\n",
        Value::Push(vec![frame("_\r\n", Value::Null)]),
    );
    let value = value("|0\r\n>1\r\n_\r\n");
    assert_eq!(
        value,
        Value::Attribute {
            attributes: Vec::new(),
            value: Box::new(push)
        }
    );
}

#[test]
fn streamed_types_are_told_apart_from_counted_ones() {
    assert_eq!(
        value("$?\r\n;2\r\n\r\n\r\n;1\r\nx\r\n;0\r\n"),
        Value::StreamedString(vec![text(b"\r\n"), text(b"x")])
    );
    assert_eq!(value("*?\r\n.\r\n"), Value::StreamedArray(Vec::new()));
    assert_eq!(
        value("~?\r\n_\r\n.\r\n"),
        Value::StreamedSet(vec![frame("_\r\n", Value::Null)])
    );
    let pairs = vec![(integer(":1\r\n", 1), integer(":2\r\n", 2))];
    assert_eq!(value("%?\r\n:1\r\n:2\r\n.\r\n"), Value::StreamedMap(pairs));
    let inner = frame("*?\r\n.\r\n", Value::StreamedArray(Vec::new()));
    assert_eq!(
        value("*?\r\n*?\r\n.\r\n.\r\n"),
        Value::StreamedArray(vec![inner])
    );
}

#[test]
fn the_answer_to_hello_may_change_the_protocol() {
    let mut decoder = Decoder::new(Resp2);
    let mut buffer = BytesMut::from(&b"*1\r\n"[..]);
    assert_eq!(decoder.decode(&mut buffer), Ok(None));
    decoder.set_protocol(Resp3);
    buffer.extend_from_slice(b"_\r\n");
    assert_eq!(
        decoder.decode(&mut buffer).unwrap().unwrap().raw,
        "*1\r\n_\r\n"
    );
    assert_eq!(decoder.protocol(), Resp3);
}

#[test]
fn after_an_error_another_buffer_begins_a_new_frame() {
    let mut decoder = Decoder::new(Resp2);
    assert!(
        decoder
            .decode(&mut BytesMut::from(&b"*1\r\nx"[..]))
            .is_err()
    );
    let mut buffer = BytesMut::from(&b"+a longer line\r\n"[..]);
    let frame = decoder.decode(&mut buffer).unwrap().unwrap();
    assert_eq!(frame.raw, "+a longer line\r\n");
}

#[test]
fn a_cleared_buffer_begins_a_new_frame() {
    let mut decoder = Decoder::new(Resp2);
    assert_eq!(
        decoder.decode(&mut BytesMut::from(&b"*3\r\n:1\r\n:2\r\n"[..])),
        Ok(None)
    );
    let mut buffer = BytesMut::from(&b"+OK\r\n"[..]);
    assert_eq!(decoder.decode(&mut buffer).unwrap().unwrap().raw, "+OK\r\n");
}
