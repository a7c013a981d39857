//! The same bytes through resp-rs, a decoder that others wrote.

use bytes::Bytes;
use proptest::prelude::*;
use resp_rs::{ParseError, resp2, resp3};

use super::{decode_pieces, values};
use crate::wire::resp::{Frame, Protocol, Value};

fn same_as_resp2(ours: &Frame, theirs: &resp2::Frame) -> bool {
    match (&ours.value, theirs) {
        (Value::SimpleString(a), resp2::Frame::SimpleString(b))
        | (Value::SimpleError(a), resp2::Frame::Error(b))
        | (Value::BulkString(a), resp2::Frame::BulkString(Some(b))) => a == b,
        (Value::Integer(a), resp2::Frame::Integer(b)) => a == b,
        (Value::Array(a), resp2::Frame::Array(Some(b))) => pairwise(a, b, same_as_resp2),
        (Value::NullBulkString, resp2::Frame::BulkString(None))
        | (Value::NullArray, resp2::Frame::Array(None)) => true,
        _ => false,
    }
}

fn same_as_resp3(ours: &Frame, theirs: &resp3::Frame) -> bool {
    use resp3::Frame as Theirs;
    match (&ours.value, theirs) {
        (Value::SimpleString(a), Theirs::SimpleString(b))
        | (Value::SimpleError(a), Theirs::Error(b))
        | (Value::BulkString(a), Theirs::BulkString(Some(b)))
        | (Value::BulkError(a), Theirs::BlobError(b))
        | (Value::BigNumber(a), Theirs::BigNumber(b)) => a == b,
        (Value::Integer(a), Theirs::Integer(b)) => a == b,
        (Value::Boolean(a), Theirs::Boolean(b)) => a == b,
        (Value::Double(a), Theirs::Double(b)) => a.to_bits() == b.to_bits(),
        (Value::Double(a), Theirs::SpecialFloat(b)) => a.to_string().as_bytes() == b,
        (Value::VerbatimString { format, text }, Theirs::VerbatimString { payload }) => {
            [&format[..], b":", text].concat() == *payload
        }
        (Value::Array(a), Theirs::Array(Some(b)))
        | (Value::StreamedArray(a), Theirs::StreamedArray(b))
        | (Value::StreamedSet(a), Theirs::StreamedSet(b))
        | (Value::Set(a), Theirs::Set(b))
        | (Value::Push(a), Theirs::Push(b)) => pairwise(a, b, same_as_resp3),
        (Value::Map(a), Theirs::Map(b)) | (Value::StreamedMap(a), Theirs::StreamedMap(b)) => {
            pairwise(a, b, |a, b| {
                same_as_resp3(&a.0, &b.0) && same_as_resp3(&a.1, &b.1)
            })
        }
        (Value::StreamedString(a), Theirs::StreamedString(b)) => a == b,
        (Value::NullBulkString, Theirs::BulkString(None))
        | (Value::NullArray, Theirs::Array(None))
        | (Value::Null, Theirs::Null) => true,
        _ => false,
    }
}

fn pairwise<A, B>(ours: &[A], theirs: &[B], same: impl Fn(&A, &B) -> bool) -> bool {
    ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| same(a, b))
}

/// Both read the first frame alike, or both wait, or both refuse.
fn assert_agreement<T: std::fmt::Debug>(
    wire: &[u8],
    protocol: Protocol,
    theirs: Result<(T, Bytes), ParseError>,
    same: impl Fn(&Frame, &T) -> bool,
) -> Result<(), TestCaseError> {
    let (frames, end) = decode_pieces(protocol, [wire]);
    match (frames.first(), theirs) {
        (Some(ours), Ok((theirs, rest))) => {
            prop_assert!(same(ours, &theirs), "{:?} is not {:?}", ours, theirs);
            prop_assert_eq!(&wire[ours.raw.len()..], &rest);
        }
        (None, Err(ParseError::Incomplete)) => prop_assert!(end.is_ok(), "{:?}", end),
        (None, Err(_)) => prop_assert!(end.is_err()),
        (ours, theirs) => prop_assert!(false, "{:?} is not {:?}", ours, theirs),
    }
    Ok(())
}

fn agree_on_resp2(wire: &[u8]) -> Result<(), TestCaseError> {
    let theirs = resp2::parse_frame(Bytes::copy_from_slice(wire));
    assert_agreement(wire, Protocol::Resp2, theirs, same_as_resp2)
}

fn agree_on_resp3(wire: &[u8]) -> Result<(), TestCaseError> {
    let theirs = resp3::parse_streaming_sequence(Bytes::copy_from_slice(wire));
    assert_agreement(wire, Protocol::Resp3, theirs, same_as_resp3)
}

/// The value with another byte somewhere; none that the two decoders judge at another time,
/// a lone line break or a letter in a number, which ours refuses before the line is whole.
fn with_another_digit(value: &Value, place: prop::sample::Index, digit: u8) -> Vec<u8> {
    let mut wire = value.encode().to_vec();
    let digits: Vec<_> = (0..wire.len())
        .filter(|at| wire[*at].is_ascii_digit())
        .collect();
    if !digits.is_empty() {
        wire[digits[place.index(digits.len())]] = digit;
    }
    wire
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn resp2_is_read_alike_at_every_length(value in values::resp2()) {
        let wire = value.encode();
        for length in 0..=wire.len() {
            agree_on_resp2(&wire[..length])?;
        }
    }

    #[test]
    fn resp3_is_read_alike_at_every_length(value in values::common()) {
        let wire = value.encode();
        for length in 0..=wire.len() {
            agree_on_resp3(&wire[..length])?;
        }
    }

    #[test]
    fn streamed_types_are_read_alike(frames in prop::collection::vec(values::resp2().prop_map(Frame::from_value), 0..4)) {
        let pairs = frames.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
        let texts = frames.iter().map(|frame| frame.raw.clone()).collect();
        for value in [
            Value::StreamedArray(frames.clone()), Value::StreamedSet(frames.clone()),
            Value::StreamedMap(pairs), Value::StreamedString(texts),
        ] {
            agree_on_resp3(&value.encode())?;
        }
    }

    #[test]
    fn another_length_is_judged_alike_in_resp2(
        value in values::resp2(), place: prop::sample::Index, digit in b'0'..=b'9',
    ) {
        agree_on_verdict(&with_another_digit(&value, place, digit))?;
    }
}

/// Whatever both take to be a frame is the same frame, and neither takes what the other refuses.
fn agree_on_verdict(wire: &[u8]) -> Result<(), TestCaseError> {
    let theirs = resp2::parse_frame(Bytes::copy_from_slice(wire));
    let (frames, end) = decode_pieces(Protocol::Resp2, [wire]);
    match (frames.first(), theirs) {
        (Some(ours), Ok((theirs, _))) => prop_assert!(same_as_resp2(ours, &theirs)),
        // Ours refuses as soon as a byte is wrong, theirs when the line is whole.
        (None, Err(theirs)) => prop_assert!(end.is_err() || theirs == ParseError::Incomplete),
        // A line break alone in a line: the specification forbids it, resp-rs lets it pass.
        (None, Ok(_)) => prop_assert!(
            matches!(end, Err(error) if matches!(error.found[0], b'\r' | b'\n') || wire[error.offset - 1] == b'\r')
        ),
        (ours, theirs) => prop_assert!(false, "{:?} is not {:?}", ours, theirs),
    }
    Ok(())
}
