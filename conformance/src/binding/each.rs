//! What stars, counts and slots stand for at a place of a transcript.

use std::collections::BTreeSet;

use shardlab::wire::slots::{Slot, SlotRange};

use crate::transcript::ast::{Count, Each, NodeField, NodeName, Piece, Template};
use crate::transcript::{Span, Spanned, pieces};

use super::{NamedShard, Names};

/// What stars stand for at a place.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bound {
    master: Option<NodeName>,
    replica: Option<NodeName>,
    range: Option<SlotRange>,
}

/// The first node that a template names.
pub(super) fn first_in(template: &Template) -> Option<(NodeName, NodeField)> {
    pieces(template)
        .into_iter()
        .find_map(|piece| match piece.value {
            Piece::Node { node, field } => Some((node, field)),
            _ => None,
        })
}

impl Names {
    /// What stars stand for where something is about a node: each node of the kind that is not
    /// named beside it, and each of its ranges.
    pub(super) fn each(
        &self,
        node: NodeName,
        field: NodeField,
        bound: Bound,
        beside: &BTreeSet<NodeName>,
    ) -> Vec<Bound> {
        let named: Vec<_> = beside.iter().filter(|name| name.each().is_none()).collect();
        let is_beside = |shard: &NamedShard, name: NodeName| {
            let known = |other: &&&NodeName| {
                other.role == name.role
                    && other.copy == name.copy
                    && shard.numbers.contains(&other.number)
            };
            named.iter().any(|other| known(&other))
        };
        let shards = || self.shards.iter();
        let replicas = |shard: &NamedShard| {
            let master = Some(shard.master());
            let free: Vec<_> = shard
                .replica_names()
                .filter(|replica| !is_beside(shard, *replica))
                .collect();
            free.into_iter().map(move |replica| Bound {
                master,
                replica: Some(replica),
                ..bound
            })
        };
        let of_nodes: Vec<Bound> = match resolved(node, bound).each() {
            None => vec![bound],
            Some(Each::Master) => shards()
                .filter(|shard| !is_beside(shard, shard.master()))
                .map(|shard| Bound {
                    master: Some(shard.master()),
                    ..bound
                })
                .collect(),
            Some(Each::Replica) => match bound.master.and_then(|master| self.of(master)) {
                Some(shard) => replicas(shard).collect(),
                None => shards()
                    .filter(|shard| !beside.iter().any(|star| shard.is_each_of(*star)))
                    .flat_map(replicas)
                    .collect(),
            },
            Some(Each::ReplicaOf(number)) => {
                let shard = self.of(NodeName::master(number));
                shard.into_iter().flat_map(replicas).collect()
            }
        };
        if !matches!(field, NodeField::First | NodeField::Last) || bound.range.is_some() {
            return of_nodes;
        }
        let ranges = of_nodes.into_iter().flat_map(|bound| {
            let shard = self.of(resolved(node, bound));
            let ranges = shard.map_or(&[][..], |shard| shard.slots.ranges());
            ranges.iter().map(move |range| Bound {
                range: Some(*range),
                ..bound
            })
        });
        ranges.collect()
    }

    /// A template for what stars stand for.
    pub(super) fn template(&self, template: &Template, bound: Bound) -> Template {
        let mut pieces: Vec<Spanned<Piece>> = Vec::with_capacity(template.pieces.len());
        for piece in &template.pieces {
            let filled = self.piece(piece, bound);
            match (&filled.value, pieces.last_mut().map(|last| &mut last.value)) {
                // A master without slots has no blank behind the rest of its line.
                (Piece::Literal(bytes), Some(Piece::Literal(before))) if bytes.is_empty() => {
                    if before.last() == Some(&b' ') {
                        before.pop();
                    }
                }
                (Piece::Literal(bytes), Some(Piece::Literal(before))) => before.extend(bytes),
                _ => pieces.push(filled),
            }
        }
        Template { pieces }
    }

    fn piece(&self, piece: &Spanned<Piece>, bound: Bound) -> Spanned<Piece> {
        let number = |number: usize| literal(&number.to_string(), piece.span);
        let end = |slot: Option<Slot>| match slot {
            Some(slot) => number(slot.number().into()),
            None => piece.clone(),
        };
        match &piece.value {
            Piece::Count(Count::Masters) => number(self.masters()),
            Piece::Count(Count::Nodes) => number(self.nodes()),
            Piece::Node { node, field } => match field {
                NodeField::First => end(bound.range.map(SlotRange::start)),
                NodeField::Last => end(bound.range.map(SlotRange::end)),
                NodeField::Slots => match self.slots(resolved(*node, bound)) {
                    Some(slots) => literal(&slots, piece.span),
                    None => piece.clone(),
                },
                NodeField::Replicas => match self.of(resolved(*node, bound)) {
                    Some(shard) => number(shard.replicas.into()),
                    None => piece.clone(),
                },
                field => {
                    let (node, field) = (resolved(*node, bound), *field);
                    Spanned::new(Piece::Node { node, field }, piece.span)
                }
            },
            Piece::OneOf(branches) => {
                let branches = branches.iter().map(|branch| self.template(branch, bound));
                Spanned::new(Piece::OneOf(branches.collect()), piece.span)
            }
            _ => piece.clone(),
        }
    }
}

/// The node that a name stands for, if it is known.
pub(super) fn resolved(node: NodeName, bound: Bound) -> NodeName {
    let star = match node.each() {
        Some(Each::Master) => bound.master,
        Some(Each::Replica | Each::ReplicaOf(_)) => bound.replica,
        None => None,
    };
    star.unwrap_or(node)
}

pub(super) fn literal(text: &str, span: Span) -> Spanned<Piece> {
    Spanned::new(Piece::Literal(text.as_bytes().to_vec()), span)
}

impl NamedShard {
    /// Whether `r1*` stands for its replicas.
    fn is_each_of(&self, star: NodeName) -> bool {
        matches!(star.each(), Some(Each::ReplicaOf(number)) if self.numbers.contains(&number))
    }
}
