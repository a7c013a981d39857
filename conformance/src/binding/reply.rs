//! Replies with an item, a line or an entry for each node that it is about.

use std::collections::BTreeSet;

use crate::transcript::ast::{
    Entry, Item, Marks, NodeField, NodeName, Pattern, Piece, Rule, Shape, Template, Text, TextLine,
};
use crate::transcript::{Spanned, templates};

use super::Names;
use super::each::{Bound, first_in, literal, resolved};

/// Something of a reply's list: an item, a line, an entry.
trait Part: Sized {
    /// The node that it is about: the first that it names.
    fn about(&self) -> Option<(NodeName, NodeField)>;

    /// The same for what stars stand for.
    fn filled(&self, names: &Names, bound: Bound) -> Self;
}

impl Part for Item {
    fn about(&self) -> Option<(NodeName, NodeField)> {
        match self {
            Self::Rest => None,
            Self::One(pattern) => first_of(pattern),
        }
    }

    fn filled(&self, names: &Names, bound: Bound) -> Self {
        match self {
            Self::Rest => Self::Rest,
            Self::One(pattern) => Self::One(names.pattern(pattern, bound, bound)),
        }
    }
}

impl Part for TextLine {
    fn about(&self) -> Option<(NodeName, NodeField)> {
        match self {
            Self::Rest => None,
            Self::Line { text, .. } => first_in(text),
        }
    }

    fn filled(&self, names: &Names, bound: Bound) -> Self {
        match self {
            Self::Rest => Self::Rest,
            Self::Line { level, text } => Self::Line {
                level: *level,
                text: names.template(text, bound),
            },
        }
    }
}

impl Part for Entry {
    fn about(&self) -> Option<(NodeName, NodeField)> {
        first_of(&self.key)
    }

    fn filled(&self, names: &Names, bound: Bound) -> Self {
        let side = |side: &Spanned<Pattern>| {
            Spanned::new(names.pattern(&side.value, bound, bound), side.span)
        };
        Self {
            key: side(&self.key),
            value: side(&self.value),
        }
    }
}

/// The first node that a pattern names.
fn first_of(pattern: &Pattern) -> Option<(NodeName, NodeField)> {
    templates(pattern).into_iter().find_map(first_in)
}

impl Names {
    /// A pattern for what stars stand for in it, and in its parts.
    pub(super) fn pattern(&self, pattern: &Pattern, bound: Bound, in_parts: Bound) -> Pattern {
        let template = |template: &Template| self.template(template, bound);
        let shape = match &pattern.shape {
            Shape::SimpleString(text) => match self.slots_alone(text, bound) {
                Some(items) => Shape::Array(Rule::Whole, items),
                None => Shape::SimpleString(template(text)),
            },
            Shape::BulkString(text) => Shape::BulkString(template(text)),
            Shape::Error(text) => Shape::Error(template(text)),
            Shape::Integer(text) => Shape::Integer(template(text)),
            Shape::Double(text) => Shape::Double(template(text)),
            Shape::BigNumber(text) => Shape::BigNumber(template(text)),
            Shape::Text(text) => Shape::Text(Text {
                lines: self.parts(&text.lines, in_parts),
                ..text.clone()
            }),
            Shape::Array(rule, items) => Shape::Array(*rule, self.parts(items, in_parts)),
            Shape::Set(rule, items) => Shape::Set(*rule, self.parts(items, in_parts)),
            Shape::Push(rule, items) => Shape::Push(*rule, self.parts(items, in_parts)),
            Shape::Map(rule, entries) => Shape::Map(*rule, self.parts(entries, in_parts)),
            Shape::Any | Shape::Boolean(_) | Shape::Nil | Shape::NilArray => pattern.shape.clone(),
        };
        Pattern {
            marks: pattern.marks,
            shape,
        }
    }

    /// The parts of a list, each for every node that it is about.
    fn parts<P: Part>(&self, parts: &[Spanned<P>], bound: Bound) -> Vec<Spanned<P>> {
        let about = |part: &Spanned<P>| part.value.about();
        let beside: BTreeSet<_> = parts
            .iter()
            .filter_map(about)
            .map(|(node, _)| resolved(node, bound))
            .collect();
        let filled = parts.iter().flat_map(|part| {
            let bounds = match about(part) {
                Some((node, field)) => self.each(node, field, bound, &beside),
                None => vec![bound],
            };
            bounds
                .into_iter()
                .map(|bound| Spanned::new(part.value.filled(self, bound), part.span))
        });
        filled.collect()
    }

    /// `<n1.slots>` as a reply of its own: the first and the last slot of each range.
    fn slots_alone(&self, template: &Template, bound: Bound) -> Option<Vec<Spanned<Item>>> {
        let [piece] = template.pieces.as_slice() else {
            return None;
        };
        let Piece::Node {
            node,
            field: NodeField::Slots,
        } = piece.value
        else {
            return None;
        };
        let item = |slot: shardlab::wire::slots::Slot| {
            let text = literal(&slot.number().to_string(), piece.span);
            let shape = Shape::Integer(Template { pieces: vec![text] });
            let pattern = Pattern {
                marks: Marks::default(),
                shape,
            };
            Spanned::new(Item::One(pattern), piece.span)
        };
        let shard = self.of(resolved(node, bound))?;
        let ends = shard
            .slots
            .ranges()
            .iter()
            .flat_map(|range| [range.start(), range.end()]);
        Some(ends.map(item).collect())
    }
}
