//! Ids, addresses and ports of a cluster's nodes, written as transcripts name them: `<n3>`, `<n3.id>`.

mod lines;
mod lists;

use crate::transcript::Spanned;
use crate::transcript::ast::{NodeField, NodeName, Pattern, Piece, Shape, Template, Word};

use super::pieces::{flush, here};

pub(super) use lines::replace_values;
pub(super) use lists::value;

/// What servers say of a cluster's nodes, and the names that stand for it.
#[derive(Debug, Clone, Default)]
pub struct Naming {
    nodes: Vec<Named>,
    /// How many nodes there are, and how many masters own slots; none where there is no cluster.
    pub(super) counts: Option<(usize, usize)>,
}

/// What servers say of one node.
#[derive(Debug, Clone)]
struct Named {
    name: NodeName,
    /// By field, in words that no other field's are a part of.
    facts: Vec<(NodeField, String)>,
}

impl Named {
    fn is(&self, field: NodeField, text: &[u8]) -> bool {
        self.fact(field).is_some_and(|fact| fact.as_bytes() == text)
    }

    fn fact(&self, wanted: NodeField) -> Option<&str> {
        let mut facts = self.facts.iter();
        facts
            .find(|(field, _)| *field == wanted)
            .map(|(_, fact)| fact.as_str())
    }

    fn piece(&self, field: NodeField) -> Spanned<Piece> {
        let node = self.name;
        here(Piece::Node { node, field })
    }

    /// `<n1.port>` alone.
    fn alone(&self, field: NodeField) -> Template {
        Template {
            pieces: vec![self.piece(field)],
        }
    }

    /// The field that an address's first part is.
    fn host(&self, text: &[u8], says_ip: bool) -> Option<NodeField> {
        let fields = if says_ip {
            [NodeField::Ip, NodeField::Host]
        } else {
            [NodeField::Host, NodeField::Ip]
        };
        fields.into_iter().find(|field| self.is(*field, text))
    }
}

impl Naming {
    /// Names for what is known of nodes. `counts` are those of nodes and of masters that own slots.
    pub fn new(
        nodes: &[NodeName],
        counts: Option<(usize, usize)>,
        fact: impl Fn(NodeName, NodeField) -> Option<String>,
    ) -> Self {
        let fields = [NodeField::Address].into_iter().chain(NodeField::NAMED);
        let named = |name: &NodeName| Named {
            name: *name,
            facts: fields
                .clone()
                .filter_map(|field| Some((field, fact(*name, field).filter(|it| !it.is_empty())?)))
                .collect(),
        };
        Self {
            nodes: nodes.iter().map(named).collect(),
            counts,
        }
    }

    /// Names what is in a reply.
    pub fn pattern(&self, pattern: &mut Pattern) {
        match &mut pattern.shape {
            Shape::SimpleString(template)
            | Shape::BulkString(template)
            | Shape::Error(template) => self.template(template),
            Shape::Text(text) => self.text(text),
            Shape::Array(_, items) | Shape::Set(_, items) | Shape::Push(_, items) => {
                self.items(items);
            }
            Shape::Map(_, entries) => self.entries(entries),
            Shape::Integer(_)
            | Shape::Double(_)
            | Shape::BigNumber(_)
            | Shape::Any
            | Shape::Boolean(_)
            | Shape::Nil
            | Shape::NilArray => {}
        }
    }

    /// Names what is in the words of a command: also a host and the port behind it.
    pub fn words(&self, words: &mut [Spanned<Word>]) {
        for at in 0..words.len() {
            let host = literal_word(words.get(at)).map(<[u8]>::to_vec);
            let port = literal_word(words.get(at + 1)).map(<[u8]>::to_vec);
            let both = host.zip(port).and_then(|(host, port)| {
                let node = self.at(NodeField::Port, &port, |node| {
                    node.host(&host, false).is_some()
                })?;
                Some((node, node.host(&host, false)?))
            });
            if let Some((node, field)) = both {
                for (place, field) in [(at, field), (at + 1, NodeField::Port)] {
                    if let Some(word) = words.get_mut(place) {
                        word.value = Word::Argument(node.alone(field));
                    }
                }
            } else if let Some(Word::Argument(template)) =
                words.get_mut(at).map(|word| &mut word.value)
            {
                self.template(template);
            }
        }
    }

    /// Names ids and whole addresses, wherever they stand in a text.
    fn template(&self, template: &mut Template) {
        let pieces = std::mem::take(&mut template.pieces);
        for piece in pieces {
            match &piece.value {
                Piece::Literal(bytes) => template.pieces.extend(self.literal(bytes)),
                _ => template.pieces.push(piece),
            }
        }
    }

    fn literal(&self, bytes: &[u8]) -> Vec<Spanned<Piece>> {
        let (mut pieces, mut plain, mut at) = (Vec::new(), Vec::new(), 0);
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let begins = at == 0 || bytes.get(at - 1).is_some_and(|byte| is_apart(*byte));
            if let Some((piece, length)) = begins.then(|| self.begins(rest)).flatten() {
                flush(&mut pieces, &mut plain);
                pieces.push(piece);
                at += length;
            } else {
                plain.extend(rest.first());
                at += 1;
            }
        }
        flush(&mut pieces, &mut plain);
        pieces
    }

    /// The longest fact that `bytes` begin with, and how long it is.
    fn begins(&self, bytes: &[u8]) -> Option<(Spanned<Piece>, usize)> {
        for field in [NodeField::Node, NodeField::Address, NodeField::Id] {
            for node in &self.nodes {
                let Some(fact) = node.fact(field) else {
                    continue;
                };
                let Some(rest) = bytes.strip_prefix(fact.as_bytes()) else {
                    continue;
                };
                let behind = match field {
                    // `ip:port@bus,hostname`: all of it is the address.
                    NodeField::Node if rest.first() == Some(&b',') => {
                        rest.split(|byte| b" \r\n".contains(byte)).next()
                    }
                    _ => Some(&[][..]),
                };
                let behind = behind.map_or(0, <[u8]>::len);
                if rest.get(behind).is_none_or(|byte| is_apart(*byte)) {
                    return Some((node.piece(field), fact.len() + behind));
                }
            }
        }
        None
    }

    /// The node of which a field is this text.
    fn at(&self, field: NodeField, text: &[u8], also: impl Fn(&Named) -> bool) -> Option<&Named> {
        self.nodes
            .iter()
            .find(|node| node.is(field, text) && also(node))
    }
}

fn literal_word(word: Option<&Spanned<Word>>) -> Option<&[u8]> {
    match &word?.value {
        Word::Argument(template) => template.literal(),
        Word::Range { .. } => None,
    }
}

/// Whether a byte cannot be a part of an id or an address.
fn is_apart(byte: u8) -> bool {
    !byte.is_ascii_alphanumeric() && !matches!(byte, b'.' | b'-' | b'_')
}

#[cfg(test)]
mod tests;
