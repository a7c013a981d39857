//! Arrays and maps, in which a value says what those beside it are.

use crate::transcript::Spanned;
use crate::transcript::ast::{Entry, Item, NodeField, Pattern, Piece, Shape};

use super::{Named, Naming};

impl Naming {
    /// An array: an id or a port in it says whose host it has beside it.
    pub(super) fn items(&self, items: &mut [Spanned<Item>]) {
        for item in items.iter_mut() {
            if let Item::One(pattern) = &mut item.value {
                self.pattern(pattern);
            }
        }
        let about = items
            .iter()
            .find_map(|item| self.by_id(pattern_of(item)?))
            .or_else(|| {
                let hosts = |node: &Named| items.iter().any(|item| is_host(item, node));
                let port = |item| self.at(NodeField::Port, value(pattern_of(item)?)?, hosts);
                items.iter().find_map(port)
            });
        let mut key = Vec::new();
        for item in items.iter_mut() {
            if let Item::One(pattern) = &mut item.value {
                let next = value(pattern).map(<[u8]>::to_vec);
                self.part(pattern, about, &key);
                key = next.unwrap_or_default();
            }
        }
        self.range(items);
        self.shard(items);
    }

    pub(super) fn entries(&self, entries: &mut [Spanned<Entry>]) {
        for entry in entries.iter_mut() {
            self.pattern(&mut entry.value.key.value);
            self.pattern(&mut entry.value.value.value);
        }
        let mut values = entries.iter().map(|entry| &entry.value.value.value);
        let about = values.find_map(|value| self.by_id(value));
        for entry in entries.iter_mut() {
            let key = value(&entry.value.key.value).map(<[u8]>::to_vec);
            let value = &mut entry.value.value.value;
            self.part(value, about, &key.unwrap_or_default());
        }
        let of = |wanted: &str| {
            let mut found = entries.iter();
            found.position(|entry| value(&entry.value.key.value) == Some(wanted.as_bytes()))
        };
        if let (Some(slots), Some(nodes)) = (of("slots"), of("nodes"))
            && let Some(owner) = entries
                .get(nodes)
                .and_then(|nodes| self.owner(&nodes.value.value.value))
            && let Some(slots) = entries.get_mut(slots)
        {
            whole_slots(&mut slots.value.value.value, owner);
        }
    }

    /// Names a value behind `key`: the host and the ports of the node that it is about, if that is known, and
    /// whatever is called a port.
    fn part(&self, pattern: &mut Pattern, about: Option<&Named>, key: &[u8]) {
        let Some(text) = value(pattern) else {
            return;
        };
        let of_node = |node: &Named| {
            let host = match &pattern.shape {
                Shape::BulkString(_) => node.host(text, key == b"ip"),
                _ => None,
            };
            let mut numbers = [NodeField::Port, NodeField::Bus].into_iter();
            host.or_else(|| numbers.find(|field| node.is(*field, text)))
        };
        let named = match about {
            Some(node) => of_node(node).map(|field| node.alone(field)),
            None if key.ends_with(b"port") => self
                .at(NodeField::Port, text, |_| true)
                .map(|node| node.alone(NodeField::Port)),
            None => None,
        };
        if let (Some(named), Shape::BulkString(template) | Shape::Integer(template)) =
            (named, &mut pattern.shape)
        {
            *template = named;
        }
    }

    /// The node whose id a pattern is.
    fn by_id(&self, pattern: &Pattern) -> Option<&Named> {
        let Shape::BulkString(template) = &pattern.shape else {
            return None;
        };
        match template.pieces.as_slice() {
            [piece] => match piece.value {
                Piece::Node {
                    node,
                    field: NodeField::Id,
                } => self.nodes.iter().find(|named| named.name == node),
                _ => None,
            },
            _ => None,
        }
    }

    /// An entry of CLUSTER SLOTS: the ends of the one range of the node behind them.
    fn range(&self, items: &mut [Spanned<Item>]) {
        let [first, last, master, ..] = items else {
            return;
        };
        let owner = pattern_of(master).and_then(|master| match &master.shape {
            Shape::Array(_, parts) => parts.iter().find_map(|part| self.by_id(pattern_of(part)?)),
            _ => None,
        });
        let Some((owner, slots)) =
            owner.and_then(|owner| Some((owner, owner.fact(NodeField::Slots)?)))
        else {
            return;
        };
        let ends = [&*first, &*last].map(|end| pattern_of(end).and_then(integer));
        if let [Some(start), Some(end)] = ends
            && format!("{start}-{end}") == slots
        {
            for (end, field) in [(first, NodeField::First), (last, NodeField::Last)] {
                if let Item::One(pattern) = &mut end.value {
                    pattern.shape = Shape::Integer(owner.alone(field));
                }
            }
        }
    }

    /// A shard of CLUSTER SHARDS, keys and values one after the other.
    fn shard(&self, items: &mut [Spanned<Item>]) {
        let behind = |wanted: &str| {
            let is_key = |item| pattern_of(item).and_then(value) == Some(wanted.as_bytes());
            items
                .iter()
                .step_by(2)
                .position(is_key)
                .map(|at| at * 2 + 1)
        };
        if let (Some(slots), Some(nodes)) = (behind("slots"), behind("nodes"))
            && let Some(owner) = items
                .get(nodes)
                .and_then(|nodes| self.owner(pattern_of(nodes)?))
            && let Some(Item::One(slots)) = items.get_mut(slots).map(|item| &mut item.value)
        {
            whole_slots(slots, owner);
        }
    }

    /// The first node of a shard that has slots as a master.
    fn owner(&self, nodes: &Pattern) -> Option<&Named> {
        let Shape::Array(_, nodes) = &nodes.shape else {
            return None;
        };
        let id = |node: &Spanned<Item>| match &pattern_of(node)?.shape {
            Shape::Array(_, parts) => parts.iter().find_map(|part| self.by_id(pattern_of(part)?)),
            Shape::Map(_, entries) => entries
                .iter()
                .find_map(|entry| self.by_id(&entry.value.value.value)),
            _ => None,
        };
        let mut nodes = nodes.iter().filter_map(id);
        nodes.find(|node| node.fact(NodeField::Slots).is_some())
    }
}

/// `[0, 5460]` is `<n1.slots>`.
fn whole_slots(pattern: &mut Pattern, owner: &Named) {
    let Shape::Array(_, ends) = &pattern.shape else {
        return;
    };
    let ends: Option<Vec<_>> = ends
        .iter()
        .map(|end| pattern_of(end).and_then(integer))
        .collect();
    let ranges = ends.unwrap_or_default();
    let ranges = ranges.chunks(2).map(|range| match range {
        [start, end] if start == end => start.clone(),
        [start, end] => format!("{start}-{end}"),
        _ => String::new(),
    });
    let text = ranges.collect::<Vec<_>>().join(" ");
    if !text.is_empty() && owner.fact(NodeField::Slots) == Some(text.as_str()) {
        pattern.shape = Shape::SimpleString(owner.alone(NodeField::Slots));
    }
}

fn pattern_of(item: &Spanned<Item>) -> Option<&Pattern> {
    match &item.value {
        Item::One(pattern) => Some(pattern),
        Item::Rest => None,
    }
}

/// The bytes of a string or of a number that is written out.
pub(in crate::render) fn value(pattern: &Pattern) -> Option<&[u8]> {
    match &pattern.shape {
        Shape::BulkString(template) | Shape::SimpleString(template) | Shape::Integer(template) => {
            template.literal()
        }
        _ => None,
    }
}

fn integer(pattern: &Pattern) -> Option<String> {
    match &pattern.shape {
        Shape::Integer(template) => Some(String::from_utf8_lossy(template.literal()?).into_owned()),
        _ => None,
    }
}

fn is_host(item: &Spanned<Item>, node: &Named) -> bool {
    let text = pattern_of(item).and_then(value);
    text.is_some_and(|text| node.host(text, false).is_some())
}
