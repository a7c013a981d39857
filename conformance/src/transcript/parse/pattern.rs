//! A frame that is looked for: marks, and values of one line.

use crate::transcript::ast::{Level, Pattern, Rule, Shape, Template};
use crate::transcript::error::{ErrorKind, Vocabulary};
use crate::transcript::span::{Span, Spanned};

use super::lines::Cursor;
use super::parser::{MAX_DEPTH, Parser};
use super::tags::{Opened, marker, marks, tag, word};
use super::template::Until;
use super::text::is_text_line;

/// What may stand in parentheses.
const TAGS: Vocabulary = Vocabulary {
    name: "kind of reply",
    words: &[
        "error",
        "integer",
        "nil",
        "nil array",
        "empty array",
        "empty set",
        "empty hash",
        "double",
        "true",
        "false",
        "boolean",
        "big number",
        "push",
        "text",
        "verbatim",
        "array",
        "has",
        "lacks",
        "any order",
        "no newline",
        "must",
        "should",
        "may",
        "exact",
        "or",
        "pending",
        "no connection",
        "nothing",
    ],
};

impl<'a> Parser<'a> {
    /// The pattern that begins with `text`, the rest of a line that is taken already. Lines
    /// that go on with it are indented by at least `min`; `column` is where it stands when
    /// nested values are indented as redis-cli does.
    pub(super) fn pattern(
        &mut self,
        mut text: Cursor<'a>,
        mut column: usize,
        min: usize,
        depth: usize,
    ) -> Option<Spanned<Pattern>> {
        let start = text;
        if depth > MAX_DEPTH {
            self.error(ErrorKind::TooDeep(MAX_DEPTH), text.span());
            self.skip_paragraph();
            return None;
        }
        let (mut marks, marks_span) = marks(&mut text);
        let mut line_level = None;
        if text.is_empty() {
            let Some(line) = self.reply_line(min) else {
                self.error(ErrorKind::MissingValue, start.here());
                return None;
            };
            self.advance();
            text = line.content();
            column = line.indent();
        } else if text.text.starts_with('|') {
            line_level = marks.level.take();
        }
        let shape = self.shape(text, line_level, column, min, depth)?;
        if marks.exact && !matches!(shape, Shape::Error(_)) {
            self.error(ErrorKind::ExactWithoutError, marks_span);
        }
        let end = if matches!(
            shape,
            Shape::Text(_) | Shape::Array(..) | Shape::Set(..) | Shape::Push(..) | Shape::Map(..)
        ) {
            self.end_of_last()
        } else {
            text.span().end
        };
        let span = Span::new(start.start, end.max(start.start));
        Some(Spanned::new(Pattern { marks, shape }, span))
    }

    fn shape(
        &mut self,
        mut text: Cursor<'a>,
        line_level: Option<Level>,
        column: usize,
        min: usize,
        depth: usize,
    ) -> Option<Shape> {
        if is_text_line(text) || marker(text).is_some() {
            let opened = Opened::default();
            return self.compound(opened, (text, line_level, column), min, depth);
        }
        if text.text == "..." && self.continues(min) {
            return self.compound(Opened::default(), (text, None, column), min, depth);
        }
        if text.text == "..." || text.text == "<any>" {
            return Some(Shape::Any);
        }
        if text.text.starts_with('"') {
            let template = self.quoted(&mut text);
            text.skip_blanks();
            if !text.is_empty() {
                self.error(ErrorKind::Misplaced(text.text.to_owned()), text.span());
            }
            return Some(Shape::BulkString(template));
        }
        if let Some(kind) = mistake(text) {
            self.error(kind, text.span());
            return None;
        }
        let mut rest = text;
        match tag(&mut rest) {
            Some(tag) => self.tagged(tag, rest, column, min, depth),
            None => Some(Shape::SimpleString(self.template(&mut text, Until::End))),
        }
    }

    /// Whether `...` is the beginning of a text or an array.
    fn continues(&self, min: usize) -> bool {
        self.reply_line(min).is_some_and(|line| {
            let content = line.content();
            is_text_line(content) || marker(content).is_some()
        })
    }

    /// `(error) …`, `(nil)`, `(has)`
    fn tagged(
        &mut self,
        tag: Cursor<'a>,
        rest: Cursor<'a>,
        column: usize,
        min: usize,
        depth: usize,
    ) -> Option<Shape> {
        let alone = match word(tag) {
            "error" => return self.value(tag, rest).map(Shape::Error),
            "integer" => {
                let is_integer = |text: &str| text.parse::<i64>().is_ok();
                return self
                    .number(tag, rest, "an integer", is_integer)
                    .map(Shape::Integer);
            }
            "double" => {
                let is_double = |text: &str| text.parse::<f64>().is_ok();
                return self
                    .number(tag, rest, "a double", is_double)
                    .map(Shape::Double);
            }
            "big number" => {
                let is_big = |text: &str| {
                    let digits = text.strip_prefix('-').unwrap_or(text);
                    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
                };
                return self
                    .number(tag, rest, "an integer", is_big)
                    .map(Shape::BigNumber);
            }
            "nil" => Shape::Nil,
            "nil array" => Shape::NilArray,
            "true" => Shape::Boolean(Some(true)),
            "false" => Shape::Boolean(Some(false)),
            "boolean" => Shape::Boolean(None),
            "empty array" | "empty list or set" | "empty list" => {
                Shape::Array(Rule::Whole, Vec::new())
            }
            "empty set" => Shape::Set(Rule::Whole, Vec::new()),
            "empty hash" | "empty map" => Shape::Map(Rule::Whole, Vec::new()),
            _ => return self.opened(tag, rest, column, min, depth),
        };
        if !rest.is_empty() {
            self.error(ErrorKind::Misplaced(rest.text.to_owned()), rest.span());
        }
        Some(alone)
    }

    /// `(has)`, `(push)` and what is below; or a tag that cannot stand here.
    fn opened(
        &mut self,
        tag: Cursor<'a>,
        rest: Cursor<'a>,
        column: usize,
        min: usize,
        depth: usize,
    ) -> Option<Shape> {
        let mut opened = Opened::default();
        if opened.take(tag) {
            return self.compound_below(opened, tag, (rest, column), min, depth);
        }
        let kind = if TAGS.words.contains(&word(tag)) {
            ErrorKind::Misplaced(tag.text.to_owned())
        } else {
            ErrorKind::Unknown {
                found: word(tag).to_owned(),
                vocabulary: TAGS,
            }
        };
        self.error(kind, tag.span());
        self.skip_paragraph();
        None
    }

    fn value(&mut self, tag: Cursor<'a>, mut rest: Cursor<'a>) -> Option<Template> {
        if rest.is_empty() {
            self.error(ErrorKind::EmptyValue(tag.text.to_owned()), tag.span());
            return None;
        }
        Some(self.template(&mut rest, Until::End))
    }

    fn number(
        &mut self,
        tag: Cursor<'a>,
        rest: Cursor<'a>,
        noun: &'static str,
        valid: impl Fn(&str) -> bool,
    ) -> Option<Template> {
        let errors = self.errors.len();
        let template = self.value(tag, rest)?;
        if self.errors.len() > errors {
            return None;
        }
        let literal = template.literal().map(String::from_utf8_lossy);
        if literal.is_some_and(|literal| !valid(&literal)) {
            self.error(
                ErrorKind::BadNumber(rest.text.to_owned(), noun),
                rest.span(),
            );
            return None;
        }
        Some(template)
    }
}

/// What somebody probably meant who wrote this as a simple string.
pub(super) fn mistake(text: Cursor<'_>) -> Option<ErrorKind> {
    let line = text.text;
    let rest = line.get(1..).unwrap_or_default();
    let number = |text: &str| text.parse::<i64>().is_ok();
    let seconds = || {
        let inner = line.strip_prefix('(')?.strip_suffix("s)")?;
        inner.parse::<f64>().ok()
    };
    if number(line) {
        Some(ErrorKind::BareInteger(line.to_owned()))
    } else if line.starts_with("-> Redirected to slot") || seconds().is_some() {
        Some(ErrorKind::ClientRemark(line.to_owned()))
    } else if matches!(line, "nil" | "null" | "(null)" | "NULL") {
        Some(ErrorKind::BareNil)
    } else if (line.starts_with([':', '$', '*']) && number(rest))
        || (line.starts_with(['+', '-']) && rest.starts_with(|c: char| c.is_ascii_uppercase()))
    {
        Some(ErrorKind::RawReply)
    } else if line.starts_with('[') {
        Some(ErrorKind::Misplaced(line.to_owned()))
    } else {
        None
    }
}
