//! What is told of a frame in the order of its bytes, before there is a tree.

use std::ops::Range;

use bytes::Bytes;

use super::Value;

/// One frame of the tree, told after the frames inside it.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) span: Range<usize>,
    pub(super) node: Node,
}

#[derive(Debug)]
pub(super) enum Node {
    Leaf(Leaf),
    /// An aggregate of that many of the frames told last.
    Aggregate(Aggregate, usize),
}

/// A value without frames in it. The bytes stay where they are until the frame is whole.
#[derive(Debug)]
pub(super) enum Leaf {
    Scalar(Value),
    Text(fn(Bytes) -> Value, Range<usize>),
    Verbatim { format: [u8; 3], text: Range<usize> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aggregate {
    Array,
    Map,
    Set,
    Push,
    Attribute,
    StreamedString,
    StreamedArray,
    StreamedSet,
    StreamedMap,
}
