//! Lines of texts, in which a key says what a value is.

use crate::transcript::Spanned;
use crate::transcript::ast::{NodeField, Piece, Template, Text, TextLine};

use super::{Named, Naming};
use crate::render::pieces::flush;

impl Naming {
    /// Lines: `ip=127.0.0.1,port=7004` in one, `master_host:` and `master_port:` in two.
    pub(super) fn text(&self, text: &mut Text) {
        let mut below: Option<&Named> = None;
        for line in text.lines.iter_mut().rev() {
            let TextLine::Line { text: template, .. } = &mut line.value else {
                below = None;
                continue;
            };
            self.template(template);
            let own = self.ports(template);
            if let Some(node) = own.or(below) {
                hosts(template, node);
            }
            below = own;
            self.slots_of_line(template);
        }
    }

    /// Names ports behind `port=` and `port:`; the node of the last one.
    fn ports(&self, template: &mut Template) -> Option<&Named> {
        let mut found = None;
        let is_port = |digits: &[u8]| self.at(NodeField::Port, digits, |_| true);
        replace_values(template, &["port"], |digits| {
            let node = is_port(digits)?;
            found = Some(node);
            Some(node.piece(NodeField::Port))
        });
        found
    }

    /// The slots at the end of a line of CLUSTER NODES that begins with the id of their owner.
    fn slots_of_line(&self, template: &mut Template) {
        let Some(Piece::Node {
            node,
            field: NodeField::Id,
        }) = template.pieces.first().map(|piece| &piece.value)
        else {
            return;
        };
        let node = self.nodes.iter().find(|named| named.name == *node);
        let slots = node.and_then(|node| Some((node, node.fact(NodeField::Slots)?)));
        let last = template.pieces.last_mut().map(|piece| &mut piece.value);
        if let (Some((node, slots)), Some(Piece::Literal(bytes))) = (slots, last)
            && let Some(before) = bytes.strip_suffix(slots.as_bytes())
            && before.ends_with(b"connected ")
        {
            *bytes = before.to_vec();
            template.pieces.push(node.piece(NodeField::Slots));
        }
    }
}

/// Names `ip=`, `host=`, `ip:` and `host:`.
fn hosts(template: &mut Template, node: &Named) {
    for (key, is_ip) in [("ip", true), ("host", false)] {
        replace_values(template, &[key], |text| {
            Some(node.piece(node.host(text, is_ip)?))
        });
    }
}

/// Replaces what stands behind a key and `=` or `:`, up to the next comma, blank or the end.
pub(in crate::render) fn replace_values(
    template: &mut Template,
    keys: &[&str],
    mut by: impl FnMut(&[u8]) -> Option<Spanned<Piece>>,
) {
    let pieces = std::mem::take(&mut template.pieces);
    for piece in pieces {
        let Piece::Literal(bytes) = &piece.value else {
            template.pieces.push(piece);
            continue;
        };
        let mut plain = Vec::new();
        let mut rest = bytes.as_slice();
        while let Some(byte) = rest.first() {
            plain.push(*byte);
            rest = rest.get(1..).unwrap_or_default();
            let behind_key = matches!(byte, b'=' | b':')
                && keys.iter().any(|key| {
                    let before = plain.strip_suffix(&[*byte]);
                    let before = before.and_then(|text| text.strip_suffix(key.as_bytes()));
                    before.is_some_and(|text| {
                        text.last().is_none_or(|last| !last.is_ascii_alphanumeric())
                    })
                });
            if behind_key {
                let end = rest.iter().position(|byte| b", \r\n".contains(byte));
                let (text, after) = rest.split_at(end.unwrap_or(rest.len()));
                if let Some(piece) = by(text) {
                    flush(&mut template.pieces, &mut plain);
                    template.pieces.push(piece);
                    rest = after;
                }
            }
        }
        flush(&mut template.pieces, &mut plain);
    }
}
