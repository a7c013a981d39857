//! Values of several parts: arrays, sets, pushes and maps, and the tags above them.
//!
//! redis-cli indents a nested value by the width of the number before it, and in a map by that
//! of the entry, wherever on the line the value begins. People align to what they see. Both are
//! read: a line belongs to the innermost open value that expects its number and stands left
//! of it.

use crate::transcript::ast::{Entry, Item, Level, Pattern, Rule, Shape};
use crate::transcript::error::ErrorKind;
use crate::transcript::span::Spanned;

use super::lines::{Cursor, Line};
use super::parser::Parser;
use super::tags::{Kind, Marker, Opened, marker, tag};
use super::text::is_text_line;

/// The rest of a line, and the column where it stands.
type Place<'a> = (Cursor<'a>, usize);

impl<'a> Parser<'a> {
    /// What stands behind or below the tag `above`.
    pub(super) fn compound_below(
        &mut self,
        mut opened: Opened,
        above: Cursor<'a>,
        (mut rest, mut column): Place<'a>,
        min: usize,
        depth: usize,
    ) -> Option<Shape> {
        let mut above = above;
        loop {
            if rest.is_empty() {
                let Some(line) = self.reply_line(min) else {
                    break;
                };
                self.advance();
                rest = line.content();
                column = line.indent();
            }
            let mut after = rest;
            if let Some(tag) = tag(&mut after)
                && opened.take(tag)
            {
                above = tag;
                rest = after;
                continue;
            }
            if rest.text == "..." || is_text_line(rest) || marker(rest).is_some() {
                return self.compound(opened, (rest, None, column), min, depth);
            }
            self.error(ErrorKind::Misplaced(rest.text.to_owned()), rest.span());
            self.skip_paragraph();
            return None;
        }
        self.error(ErrorKind::EmptyOpener(above.text.to_owned()), above.span());
        None
    }

    /// A value of several parts whose first line is `first`.
    pub(super) fn compound(
        &mut self,
        opened: Opened,
        (first, line_level, column): (Cursor<'a>, Option<Level>, usize),
        min: usize,
        depth: usize,
    ) -> Option<Shape> {
        let below = || self.reply_line(min).map(Line::content);
        let text = match opened.kind {
            Kind::Text | Kind::Verbatim(_) => true,
            Kind::Array | Kind::Push => false,
            Kind::Open if first.text == "..." => below().is_some_and(is_text_line),
            Kind::Open => is_text_line(first),
        };
        if text {
            return self.text(opened, first, line_level, min).map(Shape::Text);
        }
        let sign = marker(first)
            .or_else(|| below().and_then(marker))
            .map_or(')', |marker| marker.sign);
        let fits = match opened.kind {
            Kind::Array | Kind::Push => sign == ')',
            _ => first.text == "..." || marker(first).is_some(),
        };
        if !fits {
            self.error(ErrorKind::Misplaced(first.text.to_owned()), first.span());
            self.skip_paragraph();
            return None;
        }
        if sign == '#' {
            return self.map(opened.rule, (first, column), min, depth);
        }
        let (mut items, whole) = self.items(sign, (first, column), min, depth);
        let mut rule = opened.rule;
        let rests = items.iter().any(|item| item.value == Item::Rest);
        if rests && (sign == '~' || rule != Rule::Whole) {
            items.retain(|item| item.value != Item::Rest);
            if rule != Rule::Lacks {
                rule = Rule::Has;
            }
        }
        if items.is_empty() && whole {
            self.error(ErrorKind::MissingValue, first.span());
        }
        if items.is_empty() || !whole {
            return None;
        }
        Some(match (sign, opened.kind) {
            ('~', _) => Shape::Set(rule, items),
            (_, Kind::Push) => Shape::Push(rule, items),
            _ => Shape::Array(rule, items),
        })
    }

    /// Items from the first one on, and whether all of them were right.
    fn items(
        &mut self,
        sign: char,
        first: Place<'a>,
        min: usize,
        depth: usize,
    ) -> (Vec<Spanned<Item>>, bool) {
        let mut items = Vec::new();
        let mut whole = true;
        let mut numbers = Numbers::default();
        let mut next = Some(first);
        while let Some((text, column)) = next {
            if text.text == "..." {
                numbers.loose = true;
                items.push(Spanned::new(Item::Rest, text.span()));
            } else if let Some(marker) = marker(text) {
                numbers.wanted = marker.number.saturating_add(1);
                match self.numbered(marker, (text, column), depth) {
                    Some(pattern) => items.push(pattern.map(Item::One)),
                    None => whole = false,
                }
            }
            next = self.next_part(sign, &numbers, min, depth, &mut whole);
        }
        (items, whole)
    }

    /// The value behind a marker.
    fn numbered(
        &mut self,
        marker: Marker,
        (text, column): Place<'a>,
        depth: usize,
    ) -> Option<Spanned<Pattern>> {
        let (value, value_column) = behind(marker, text, column);
        let min = column + marker.digits + 1;
        let mut pattern = self.pattern(value, value_column, min, depth + 1)?;
        // HELP indents its lines: of the blanks in front of a simple string, one is redis-cli's.
        let blanks = value.start.saturating_sub(text.start + marker.digits + 2);
        if let Shape::SimpleString(template) = &mut pattern.value.shape {
            template.indent(blanks, value.here());
        }
        Some(pattern)
    }

    /// Takes the next line if it goes on with the value whose items have this sign.
    fn next_part(
        &mut self,
        sign: char,
        numbers: &Numbers,
        min: usize,
        depth: usize,
        whole: &mut bool,
    ) -> Option<Place<'a>> {
        loop {
            let line = self.reply_line(min)?;
            let content = line.content();
            if content.text == "..." {
                self.advance();
                return Some((content, line.indent()));
            }
            let marker = marker(content).filter(|marker| marker.sign == sign)?;
            if numbers.admit(marker.number) {
                self.advance();
                return Some((content, line.indent()));
            }
            if depth > 0 || marker.number == 1 {
                return None;
            }
            let kind = ErrorKind::ItemNumber {
                found: marker.number,
                wanted: numbers.wanted,
            };
            self.error(kind, content.first(marker.digits + 1).span());
            self.advance();
            *whole = false;
        }
    }

    /// `1# "key" => value`
    fn map(&mut self, mut rule: Rule, first: Place<'a>, min: usize, depth: usize) -> Option<Shape> {
        let mut entries = Vec::new();
        let mut whole = true;
        let mut numbers = Numbers::default();
        let mut next = Some(first);
        while let Some((text, column)) = next {
            if text.text == "..." {
                numbers.loose = true;
                if rule != Rule::Lacks {
                    rule = Rule::Has;
                }
            } else if let Some(marker) = marker(text) {
                numbers.wanted = marker.number.saturating_add(1);
                let start = text.span();
                match self.entry(marker, (text, column), depth) {
                    Some(entry) => entries.push(Spanned::new(entry, start)),
                    None => whole = false,
                }
            }
            next = self.next_part('#', &numbers, min, depth, &mut whole);
        }
        if entries.is_empty() && whole {
            self.error(ErrorKind::MissingValue, first.0.span());
        }
        (whole && !entries.is_empty()).then_some(Shape::Map(rule, entries))
    }

    fn entry(&mut self, marker: Marker, (text, column): Place<'a>, depth: usize) -> Option<Entry> {
        let (rest, value_column) = behind(marker, text, column);
        let min = column + marker.digits + 1;
        let Some((key, value)) = split_arrow(rest) else {
            self.error(ErrorKind::EntryWithoutArrow, text.span());
            return None;
        };
        let compound = key.text == "..." || key.text.starts_with('|') || opens(key);
        if compound || key.is_empty() {
            self.error(ErrorKind::CompoundKey, key.span());
            return None;
        }
        // A key goes to the end of its part of the line: no line has an indentation this deep.
        let key = self.pattern(key, value_column, usize::MAX, depth + 1);
        let value = self.pattern(value, value_column, min, depth + 1);
        Some(Entry {
            key: key?,
            value: value?,
        })
    }
}

/// Which number the next item has.
struct Numbers {
    wanted: u64,
    /// After `...`, later numbers will do.
    loose: bool,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            wanted: 1,
            loose: false,
        }
    }
}

impl Numbers {
    fn admit(&self, number: u64) -> bool {
        number == self.wanted || (self.loose && number > self.wanted)
    }
}

/// What stands behind a marker, and its column.
fn behind(marker: Marker, text: Cursor<'_>, column: usize) -> Place<'_> {
    let mut value = text;
    value.skip(marker.digits + 1);
    let start = value.start;
    value.skip_blanks();
    let blanks = (value.start - start).max(1);
    (value, column + marker.digits + 1 + blanks)
}

/// Whether the text begins a value that has parts.
fn opens(text: Cursor<'_>) -> bool {
    let mut rest = text;
    marker(text).is_some() || tag(&mut rest).is_some_and(|tag| Opened::default().take(tag))
}

/// Key and value, on both sides of the first `=>` that is not in quotes.
fn split_arrow(text: Cursor<'_>) -> Option<(Cursor<'_>, Cursor<'_>)> {
    let mut rest = text;
    if rest.eat("\"") {
        let mut escaped = false;
        while let Some(next) = rest.bump() {
            match next {
                '"' if !escaped => break,
                '\\' => escaped = !escaped,
                _ => escaped = false,
            }
        }
    }
    let arrow = rest.text.find("=>")?;
    let mut key = text.first(rest.start - text.start + arrow);
    key.text = key.text.trim_end_matches(' ');
    rest.skip(arrow + 2);
    rest.skip_blanks();
    Some((key, rest))
}
