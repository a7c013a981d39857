//! Puts the tree together once all of a frame is there.

use bytes::Bytes;

use super::token::{Aggregate, Leaf, Node, Token};
use super::{Frame, Value};

/// The frame that the tokens tell of, each node with its slice of `raw`, which is not copied.
/// `None` if the tokens tell of no whole frame.
pub(super) fn assemble(raw: &Bytes, tokens: Vec<Token>) -> Option<Frame> {
    let mut done: Vec<Frame> = Vec::new();
    for Token { span, node } in tokens {
        let value = match node {
            Node::Leaf(Leaf::Scalar(value)) => value,
            Node::Leaf(Leaf::Text(make, text)) => make(raw.slice(text)),
            Node::Leaf(Leaf::Verbatim { format, text }) => Value::VerbatimString {
                format,
                text: raw.slice(text),
            },
            Node::Aggregate(kind, length) => {
                aggregate(kind, done.split_off(done.len().checked_sub(length)?))?
            }
        };
        done.push(Frame {
            raw: raw.slice(span),
            value,
        });
    }
    done.pop()
}

fn aggregate(kind: Aggregate, mut frames: Vec<Frame>) -> Option<Value> {
    Some(match kind {
        Aggregate::Array => Value::Array(frames),
        Aggregate::Set => Value::Set(frames),
        Aggregate::Push => Value::Push(frames),
        Aggregate::Map => Value::Map(pairs(frames)),
        Aggregate::Attribute => {
            let value = Box::new(frames.pop()?);
            Value::Attribute {
                attributes: pairs(frames),
                value,
            }
        }
        Aggregate::StreamedString => {
            Value::StreamedString(frames.into_iter().filter_map(chunk).collect())
        }
        Aggregate::StreamedArray => Value::StreamedArray(frames),
        Aggregate::StreamedSet => Value::StreamedSet(frames),
        Aggregate::StreamedMap => Value::StreamedMap(pairs(frames)),
    })
}

fn pairs(frames: Vec<Frame>) -> Vec<(Frame, Frame)> {
    let mut frames = frames.into_iter();
    std::iter::from_fn(|| Some((frames.next()?, frames.next()?))).collect()
}

fn chunk(frame: Frame) -> Option<Bytes> {
    if let Value::BulkString(text) = frame.value {
        Some(text)
    } else {
        None
    }
}
