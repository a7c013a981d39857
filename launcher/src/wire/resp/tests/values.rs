//! Arbitrary values.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::wire::resp::{Frame, Value};

/// Values that RESP2 can express.
pub(super) fn resp2() -> impl Strategy<Value = Value> {
    resp2_leaf().prop_recursive(5, 48, 6, |inner| {
        vec(framed(inner), 0..6).prop_map(Value::Array)
    })
}

/// Values that both decoders read alike: neither attributes nor streamed types.
pub(super) fn common() -> impl Strategy<Value = Value> {
    let tree = leaf().prop_recursive(5, 48, 6, common_aggregate);
    let push = vec(framed(tree.clone()), 0..4).prop_map(Value::Push);
    prop_oneof![8 => tree, 1 => push]
}

/// All values of RESP3 whose equals they are (not `nan`).
pub(super) fn resp3() -> impl Strategy<Value = Value> {
    let tree = leaf().prop_recursive(5, 48, 6, |inner| {
        let frame = framed(inner.clone());
        prop_oneof![
            common_aggregate(inner.clone()),
            (pairs(inner.clone()), frame.clone()).prop_map(attributed),
            vec(vec(any::<u8>(), 1..6).prop_map(Bytes::from), 0..4).prop_map(Value::StreamedString),
            vec(frame.clone(), 0..4).prop_map(Value::StreamedArray),
            vec(frame, 0..4).prop_map(Value::StreamedSet),
            pairs(inner).prop_map(Value::StreamedMap),
        ]
    });
    let push = vec(framed(tree.clone()), 0..4).prop_map(Value::Push);
    prop_oneof![
        8 => tree.clone(),
        1 => push.clone(),
        1 => (pairs(tree), framed(push)).prop_map(attributed),
    ]
}

fn resp2_leaf() -> BoxedStrategy<Value> {
    prop_oneof![
        line().prop_map(Value::SimpleString),
        line().prop_map(Value::SimpleError),
        any::<i64>().prop_map(Value::Integer),
        bytes().prop_map(Value::BulkString),
        Just(Value::NullBulkString),
        Just(Value::NullArray),
    ]
    .boxed()
}

fn leaf() -> BoxedStrategy<Value> {
    use proptest::num::f64::{INFINITE, NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    prop_oneof![
        6 => resp2_leaf(),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Boolean),
        1 => (POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO | INFINITE).prop_map(Value::Double),
        1 => "[+-]?[0-9]{1,40}".prop_map(|digits| Value::BigNumber(digits.into())),
        1 => bytes().prop_map(Value::BulkError),
        1 => ("[a-z]{3}", bytes()).prop_map(|(format, text)| Value::VerbatimString {
            format: format.as_bytes().try_into().unwrap(),
            text,
        }),
    ]
    .boxed()
}

fn common_aggregate(inner: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    prop_oneof![
        vec(framed(inner.clone()), 0..6).prop_map(Value::Array),
        vec(framed(inner.clone()), 0..6).prop_map(Value::Set),
        pairs(inner).prop_map(Value::Map),
    ]
    .boxed()
}

fn attributed((attributes, value): (Vec<(Frame, Frame)>, Frame)) -> Value {
    Value::Attribute {
        attributes,
        value: Box::new(value),
    }
}

fn framed(values: impl Strategy<Value = Value> + Clone) -> impl Strategy<Value = Frame> + Clone {
    values.prop_map(Frame::from_value)
}

fn pairs(
    values: impl Strategy<Value = Value> + Clone,
) -> impl Strategy<Value = Vec<(Frame, Frame)>> {
    vec((framed(values.clone()), framed(values)), 0..4)
}

fn bytes() -> impl Strategy<Value = Bytes> {
    vec(prop_oneof![any::<u8>(), Just(b'\r'), Just(b'\n')], 0..12).prop_map(Bytes::from)
}

fn line() -> impl Strategy<Value = Bytes> {
    vec(
        any::<u8>().prop_filter("one line", |byte| !b"\r\n".contains(byte)),
        0..12,
    )
    .prop_map(Bytes::from)
}
