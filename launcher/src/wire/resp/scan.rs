//! Finds the end of a frame in bytes that come in pieces.
//!
//! What was read stays read: a call goes on at the element where the last one stopped.
//! Nothing is reserved by an announced length, and nesting costs heap, not stack.

use super::cursor::{Cursor, Stop};
use super::element::{self, Element, Place};
use super::token::{Aggregate, Node, Token};
use super::{Expected, Limits, Protocol};

/// How far the reading of one frame has come.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// The first byte of the next element.
    at: usize,
    searched: usize,
    /// Values inside the frame that have come or are announced.
    values: usize,
    open: Vec<Open>,
    tokens: Vec<Token>,
}

/// An aggregate whose end has not come yet.
#[derive(Debug)]
struct Open {
    start: usize,
    kind: Aggregate,
    /// Frames that belong to it; `None` while only its end mark can tell.
    wanted: Option<usize>,
    got: usize,
}

impl Scan {
    /// Reads on. `bytes` begin with the frame's first byte, and with all bytes of the last call.
    /// Once this has answered `Ok` the frame is whole, and [`Self::into_tokens`] tells what is in it.
    pub(super) fn resume(
        &mut self,
        bytes: &[u8],
        protocol: Protocol,
        limits: &Limits,
    ) -> Result<(), Stop> {
        loop {
            let start = self.at;
            // Where the frame must end at the latest, by what its values cost.
            let end = limits
                .frame
                .saturating_sub(self.values.saturating_mul(Limits::VALUE));
            let mut cursor = Cursor::new(bytes.get(..end).unwrap_or(bytes), start, self.searched);
            let left = Limits {
                frame: end.saturating_sub(start),
                ..*limits
            };
            let element = element::read(&mut cursor, self.place(), protocol, &left);
            self.searched = cursor.searched;
            let element = match element {
                Err(Stop::Incomplete) if bytes.len() > end => {
                    let max = limits.frame;
                    let whole = Cursor::new(bytes, end, end);
                    return Err(whole.unexpected(Expected::FrameEnd { max }));
                }
                element => element?,
            };
            if matches!(element, Element::Head(..)) && self.open.len() >= limits.depth {
                return Err(cursor.wrong(start..start + 1, Expected::Depth { max: limits.depth }));
            }
            self.at = cursor.at;
            if self.add(start, element) {
                return Ok(());
            }
        }
    }

    /// How many bytes of the frame have been read.
    pub(super) const fn position(&self) -> usize {
        self.at
    }

    /// The frames, each after those inside it; the last is the whole.
    pub(super) fn into_tokens(self) -> Vec<Token> {
        self.tokens
    }

    fn place(&self) -> Place {
        match self.open.last() {
            Some(open) if open.kind == Aggregate::StreamedString => Place::Chunk,
            Some(open) if open.wanted.is_some() => {
                // What follows the attributes of a frame stands where the frame stands.
                let outside = self.open.iter().all(Open::awaits_attributed_value);
                if outside {
                    Place::Outside
                } else {
                    Place::Inside
                }
            }
            Some(open) if open.kind == Aggregate::StreamedMap && open.got % 2 == 1 => {
                Place::StreamedValue
            }
            Some(_) => Place::Streamed,
            None => Place::Outside,
        }
    }

    /// Notes the element; whether it was the last of the frame.
    fn add(&mut self, start: usize, element: Element) -> bool {
        let mut finished = false;
        match element {
            Element::Leaf(leaf) => {
                self.tokens.push(Token {
                    span: start..self.at,
                    node: Node::Leaf(leaf),
                });
                finished = true;
            }
            Element::Head(kind, wanted) => {
                self.values = self.values.saturating_add(wanted.unwrap_or(0));
                self.open.push(Open {
                    start,
                    kind,
                    wanted,
                    got: 0,
                });
            }
            Element::End => {
                if let Some(open) = self.open.last_mut() {
                    open.wanted = Some(open.got);
                }
            }
        }
        // The last frame of an aggregate finishes the aggregate, which may be the last of another.
        loop {
            if finished {
                let Some(parent) = self.open.last_mut() else {
                    return true;
                };
                parent.got += 1;
                self.values += usize::from(parent.wanted.is_none());
            }
            let Some(open) = self.open.pop_if(|open| open.wanted == Some(open.got)) else {
                return false;
            };
            let node = Node::Aggregate(open.kind, open.got);
            self.tokens.push(Token {
                span: open.start..self.at,
                node,
            });
            finished = true;
        }
    }
}

impl Open {
    fn awaits_attributed_value(&self) -> bool {
        self.kind == Aggregate::Attribute && self.wanted == Some(self.got + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resume(scan: &mut Scan, bytes: &[u8]) -> Result<(), Stop> {
        scan.resume(bytes, Protocol::Resp3, &Limits::default())
    }

    #[test]
    fn what_was_read_is_not_read_again() {
        // Where the second text has `?` a line break is put, which would be wrong if it were read.
        for (first, second) in [
            ("*3\r\n:1\r\n+a\r\n:2", "????????????:2\r\n"),
            ("+a long line", "+???????????\r\n"),
            ("*?\r\n+a\r\n", "????????.\r\n"),
        ] {
            let mut scan = Scan::default();
            let stop = resume(&mut scan, first.as_bytes());
            assert!(matches!(stop, Err(Stop::Incomplete)), "{first:?}");
            resume(&mut scan, second.replace('?', "\n").as_bytes()).unwrap();
            assert_eq!(scan.position(), second.len());
        }
    }

    #[test]
    fn an_announced_length_reserves_nothing() {
        for wire in ["*1000000\r\n", "%1000000\r\n", "$500000000\r\n"] {
            let mut scan = Scan::default();
            assert!(matches!(
                resume(&mut scan, wire.as_bytes()),
                Err(Stop::Incomplete)
            ));
            assert!(
                scan.tokens.capacity() == 0 && scan.open.capacity() < 16,
                "{wire}"
            );
        }
    }
}
