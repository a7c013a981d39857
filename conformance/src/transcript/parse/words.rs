//! The words of a command.

use crate::transcript::ast::{Command, Piece, Template, Word};
use crate::transcript::error::ErrorKind;
use crate::transcript::span::Spanned;

use super::lines::Cursor;
use super::parser::Parser;
use super::template::Until;

impl<'a> Parser<'a> {
    /// Words that are separated by blanks, at least one.
    pub(super) fn command(&mut self, line: Cursor<'a>) -> Option<Spanned<Command>> {
        let mut rest = line;
        let mut words = Vec::new();
        let errors = self.errors.len();
        rest.skip_blanks();
        while !rest.is_empty() {
            let start = rest;
            if let Some(word) = self.command_word(&mut rest) {
                words.push(Spanned::new(word, start.up_to(rest)));
            }
            rest.skip_blanks();
        }
        if words.is_empty() && self.errors.len() == errors {
            self.error(ErrorKind::EmptyCommand, line.span());
        }
        let command = Spanned::new(Command { words }, line.span());
        (self.errors.len() == errors).then_some(command)
    }

    /// One word; at least one character is taken.
    fn command_word(&mut self, rest: &mut Cursor<'a>) -> Option<Word> {
        let argument = match rest.peek()? {
            '"' => self.quoted(rest),
            '\'' => self.single_quoted(rest),
            _ => {
                let word = rest.first(rest.text.find([' ', '\t']).unwrap_or(rest.text.len()));
                if word.text.starts_with('{') && word.text.contains("..") {
                    rest.skip(word.text.len());
                    return self.range(word);
                }
                self.template(rest, Until::Blank)
            }
        };
        self.sendable(&argument);
        Some(Word::Argument(argument))
    }

    /// `"…"`, and a blank or the end after it.
    pub(super) fn quoted(&mut self, rest: &mut Cursor<'a>) -> Template {
        let open = *rest;
        rest.eat("\"");
        let template = self.template(rest, Until::Quote);
        if rest.eat("\"") {
            self.after_quote(rest);
        } else {
            self.error(ErrorKind::UnclosedQuote, open.here());
        }
        template
    }

    /// `'…'`: as it stands, but for `\'`.
    fn single_quoted(&mut self, rest: &mut Cursor<'a>) -> Template {
        let open = *rest;
        rest.eat("'");
        let mut bytes = Vec::new();
        loop {
            if rest.eat("\\'") {
                bytes.push(b'\'');
            } else if rest.eat("'") {
                self.after_quote(rest);
                break;
            } else if let Some(next) = rest.bump() {
                bytes.extend_from_slice(next.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                self.error(ErrorKind::UnclosedQuote, open.here());
                break;
            }
        }
        let mut pieces = Vec::new();
        if !bytes.is_empty() {
            pieces.push(Spanned::new(Piece::Literal(bytes), open.up_to(*rest)));
        }
        Template { pieces }
    }

    fn after_quote(&mut self, rest: &mut Cursor<'a>) {
        if rest.peek().is_some_and(|next| next != ' ' && next != '\t') {
            let stuck = rest.eat_while(|c| c != ' ' && c != '\t');
            self.error(ErrorKind::TextAfterQuote, stuck.span());
        }
    }

    /// `{0..5460}`
    fn range(&mut self, word: Cursor<'a>) -> Option<Word> {
        let ends = word
            .text
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'))
            .and_then(|text| text.split_once(".."))
            .and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)))
            .filter(|(first, last): &(u32, u32)| first <= last && last - first < Word::MAX_RANGE);
        if ends.is_none() {
            self.error(ErrorKind::Range(word.text.to_owned()), word.span());
        }
        ends.map(|(first, last)| Word::Range { first, last })
    }

    /// What is sent must be known beforehand.
    pub(super) fn sendable(&mut self, template: &Template) {
        for piece in &template.pieces {
            let what = match &piece.value {
                Piece::Literal(_) | Piece::Node { .. } | Piece::Captured(_) | Piece::Count(_) => {
                    continue;
                }
                Piece::Wildcard(_) => "a wildcard",
                Piece::Capture { .. } => "a capture",
                Piece::OneOf(_) => "an alternative",
            };
            self.error(ErrorKind::Unsendable(what), piece.span);
        }
    }
}
