//! Text with escapes and placeholders.

use crate::transcript::ast::{Class, Count, NodeField, NodeName, Piece, Template};
use shardlab::machine::suggestion::closest;

use crate::transcript::error::{ErrorKind, Vocabulary};
use crate::transcript::span::{Span, Spanned};

use super::lines::Cursor;
use super::parser::{MAX_DEPTH, Parser};

/// The classes, as words.
const CLASSES: Vocabulary = Vocabulary {
    name: "placeholder",
    words: &[
        "any", "word", "int", "float", "hex40", "address", "masters", "nodes",
    ],
};

/// The named fields of a node, as words.
const FIELDS: Vocabulary = Vocabulary {
    name: "fact about a node",
    words: &[
        "id", "host", "ip", "port", "bus", "node", "slots", "first", "last", "replicas",
    ],
};

/// Where a template ends. The character itself is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    End,
    Blank,
    Quote,
    /// `|` or `>`: a branch of `<this|that>`.
    Branch,
}

impl Until {
    fn ends(self, next: char) -> bool {
        match self {
            Self::End => false,
            Self::Blank => next == ' ' || next == '\t',
            Self::Quote => next == '"',
            Self::Branch => next == '|' || next == '>',
        }
    }
}

/// Pieces as they are found.
struct Builder<'a> {
    pieces: Vec<Spanned<Piece>>,
    literal: Vec<u8>,
    literal_start: Cursor<'a>,
}

impl<'a> Builder<'a> {
    /// Ends the literal that is being read; the next one begins at `next`.
    fn flush(&mut self, end: Cursor<'a>, next: Cursor<'a>) {
        if !self.literal.is_empty() {
            let bytes = std::mem::take(&mut self.literal);
            let span = self.literal_start.up_to(end);
            self.pieces.push(Spanned::new(Piece::Literal(bytes), span));
        }
        self.literal_start = next;
    }
}

impl<'a> Parser<'a> {
    /// Reads up to the end that is asked for, or to the line's.
    pub(super) fn template(&mut self, rest: &mut Cursor<'a>, until: Until) -> Template {
        self.template_at(rest, until, 0)
    }

    fn template_at(&mut self, rest: &mut Cursor<'a>, until: Until, depth: usize) -> Template {
        let mut builder = Builder {
            pieces: Vec::new(),
            literal: Vec::new(),
            literal_start: *rest,
        };
        while let Some(next) = rest.peek() {
            if until.ends(next) {
                break;
            }
            let start = *rest;
            match next {
                '\\' => self.escape(rest, &mut builder.literal),
                '<' => {
                    let piece = self.placeholder(rest, depth);
                    builder.flush(start, *rest);
                    if let Some(piece) = piece {
                        let span = start.up_to(*rest);
                        builder.pieces.push(Spanned::new(piece, span));
                    }
                }
                _ => {
                    rest.bump();
                    builder
                        .literal
                        .extend_from_slice(start.text_up_to(*rest).as_bytes());
                }
            }
        }
        builder.flush(*rest, *rest);
        builder.pieces.shrink_to_fit();
        Template {
            pieces: builder.pieces,
        }
    }

    /// `\n`, `\x0a`, `\<`
    fn escape(&mut self, rest: &mut Cursor<'a>, bytes: &mut Vec<u8>) {
        let start = *rest;
        rest.eat("\\");
        let byte = match rest.bump() {
            Some('n') => Some(b'\n'),
            Some('r') => Some(b'\r'),
            Some('t') => Some(b'\t'),
            Some('a') => Some(0x07),
            Some('b') => Some(0x08),
            Some('x') => {
                let digits = rest
                    .text
                    .get(..2)
                    .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
                let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                if byte.is_some() {
                    rest.skip(2);
                }
                byte
            }
            Some(sign) if sign.is_ascii_punctuation() => u8::try_from(sign).ok(),
            _ => None,
        };
        match byte {
            Some(byte) => bytes.push(byte),
            None => self.error(
                ErrorKind::Escape(start.text_up_to(*rest).to_owned()),
                start.up_to(*rest),
            ),
        }
    }

    /// What stands between `<` and `>`.
    fn placeholder(&mut self, rest: &mut Cursor<'a>, depth: usize) -> Option<Piece> {
        let open = *rest;
        rest.eat("<");
        let mut after = *rest;
        let name =
            after.eat_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '=' | '*'));
        if after.eat(">") {
            *rest = after;
            return self.simple_placeholder(name);
        }
        if depth >= MAX_DEPTH {
            self.error(ErrorKind::TooDeep(MAX_DEPTH), open.here());
            rest.skip(rest.text.len());
            return None;
        }
        let mut branches = Vec::new();
        loop {
            branches.push(self.template_at(rest, Until::Branch, depth + 1));
            if !rest.eat("|") {
                break;
            }
        }
        let text = open.text_up_to(*rest);
        if !rest.eat(">") {
            self.error(ErrorKind::UnclosedPlaceholder, open.here());
            None
        } else if branches.len() < 2 {
            let text = text.strip_prefix('<').unwrap_or_default();
            self.error(ErrorKind::Placeholder(text.to_owned()), open.up_to(*rest));
            None
        } else {
            Some(Piece::OneOf(branches))
        }
    }

    /// `int`, `E=int`, `E`, `n1`, `n1.id`
    fn simple_placeholder(&mut self, text: Cursor<'a>) -> Option<Piece> {
        let mut rest = text;
        let first = rest.eat_while(|c| c != '=' && c != '.');
        if rest.eat("=") {
            let name = self.capture_name(first)?;
            let class = self.class(rest)?;
            return Some(Piece::Capture { name, class });
        }
        if let Some(node) = NodeName::parse(first.text) {
            let field = if rest.eat(".") {
                self.field(rest)?
            } else {
                NodeField::Address
            };
            return Some(Piece::Node { node, field });
        }
        if rest.eat(".") {
            self.node_name(first);
            None
        } else if first.text.starts_with(|c: char| c.is_ascii_uppercase()) {
            self.capture_name(first).map(Piece::Captured)
        } else if text.is_empty() {
            let span = Span::new(text.start - 1, text.start + 1);
            self.error(ErrorKind::Placeholder(String::new()), span);
            None
        } else {
            self.class_or_unknown(text)
        }
    }

    fn class_or_unknown(&mut self, text: Cursor<'a>) -> Option<Piece> {
        let count = Count::ALL
            .into_iter()
            .find(|count| count.word() == text.text);
        if let Some(count) = count {
            return Some(Piece::Count(count));
        }
        if closest(text.text, CLASSES.words.iter().copied()).is_some() {
            return self.class(text).map(Piece::Wildcard);
        }
        self.error(ErrorKind::Placeholder(text.text.to_owned()), text.span());
        None
    }

    fn class(&mut self, word: Cursor<'a>) -> Option<Class> {
        let class = Class::ALL
            .into_iter()
            .find(|class| class.word() == word.text);
        if class.is_none() {
            self.unknown(word, CLASSES);
        }
        class
    }

    fn field(&mut self, word: Cursor<'a>) -> Option<NodeField> {
        let field = NodeField::NAMED
            .into_iter()
            .find(|field| field.word() == Some(word.text));
        if field.is_none() {
            self.unknown(word, FIELDS);
        }
        field
    }

    /// `E`, `Epoch_2`
    pub(super) fn capture_name(&mut self, word: Cursor<'a>) -> Option<String> {
        let valid = word.text.starts_with(|c: char| c.is_ascii_uppercase())
            && word
                .text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !valid {
            self.error(ErrorKind::CaptureName(word.text.to_owned()), word.span());
        }
        valid.then(|| word.text.to_owned())
    }
}
