//! Replies, as redis-cli prints them.

use crate::transcript::ast::{
    Answer, Entry, Expected, Item, Level, Marks, Outcome, Pattern, Rule, Shape, Text, TextKind,
    TextLine,
};
use crate::transcript::span::Spanned;

use super::printer::Printer;
use super::template;

/// What stands around a reply and could be taken for a part of it.
#[derive(Clone, Copy, Default)]
pub(super) struct Neighbours<'a> {
    /// Whether there are other replies in the step.
    pub(super) pipelined: bool,
    /// The reply above.
    pub(super) above: Option<&'a Expected>,
}

impl Printer {
    pub(super) fn expected(&mut self, expected: &Expected, neighbours: Neighbours<'_>) {
        match expected {
            Expected::Always(answer) => self.answer(answer, neighbours),
            Expected::Variants(variants) => {
                for variant in variants {
                    self.comments(&variant.comments);
                    self.line(&variant.condition.to_string());
                    self.answer(&variant.body, neighbours);
                }
            }
        }
    }

    fn answer(&mut self, answer: &Answer, neighbours: Neighbours<'_>) {
        for (number, outcome) in answer.outcomes.iter().enumerate() {
            if number > 0 {
                self.line("(or)");
            }
            match &outcome.value {
                Outcome::Pending => self.line("(pending)"),
                Outcome::NoConnection => self.line("(no connection)"),
                Outcome::Reply(pattern) => {
                    for line in top(pattern, neighbours) {
                        self.line(&line);
                    }
                }
            }
        }
    }
}

/// The lines of a whole reply.
fn top(pattern: &Pattern, neighbours: Neighbours<'_>) -> Vec<String> {
    let mut lines = nested(pattern);
    if pattern.shape == Shape::Any && !neighbours.pipelined {
        return vec![format!("{}...", marks(pattern.marks))];
    }
    let tag = match &pattern.shape {
        Shape::Text(text) if text.rule == Rule::Whole && text.kind == TextKind::Either => "(text)",
        Shape::Array(Rule::Whole, items) if !items.is_empty() => "(array)",
        _ => return lines,
    };
    let clashes = match (&pattern.shape, neighbours.above) {
        (Shape::Text(_), Some(_)) => true,
        (_, Some(above)) => ends_open(above),
        (_, None) => false,
    };
    if clashes && pattern.marks == Marks::default() && lines.first().is_none_or(|line| line != tag)
    {
        lines.insert(0, tag.to_owned());
    }
    lines
}

/// Whether any items below would be taken for a part of this reply: it ends with an array of
/// any length.
fn ends_open(expected: &Expected) -> bool {
    let answer = match expected {
        Expected::Always(answer) => Some(answer),
        Expected::Variants(variants) => variants.last().map(|variant| &variant.body),
    };
    let Some(Outcome::Reply(pattern)) = answer
        .and_then(|answer| answer.outcomes.last())
        .map(|outcome| &outcome.value)
    else {
        return false;
    };
    match &pattern.shape {
        Shape::Array(_, items) | Shape::Push(_, items) => {
            items.iter().all(|item| item.value == Item::Rest)
        }
        _ => false,
    }
}

/// The lines of a value: the first goes behind what is already on its line.
pub(super) fn nested(pattern: &Pattern) -> Vec<String> {
    let body = match &pattern.shape {
        Shape::Text(text) => text_lines(text),
        Shape::Array(rule, items) => item_lines(*rule, items, Tag::Array),
        Shape::Push(rule, items) => item_lines(*rule, items, Tag::Push),
        Shape::Set(rule, items) => item_lines(*rule, items, Tag::Set),
        Shape::Map(rule, entries) => entry_lines(*rule, entries),
        shape => return vec![format!("{}{}", marks(pattern.marks), scalar(shape))],
    };
    match marks(pattern.marks).trim_end() {
        "" => body,
        _ if body.len() == 1 && body.first().is_some_and(|line| line.starts_with("(empty ")) => {
            body.iter()
                .map(|line| format!("{}{line}", marks(pattern.marks)))
                .collect()
        }
        marks => [vec![marks.to_owned()], body].concat(),
    }
}

/// `(should) `, or nothing.
fn marks(marks: Marks) -> String {
    let exact = if marks.exact { "(exact) " } else { "" };
    format!("{}{exact}", level(marks.level))
}

fn level(level: Option<Level>) -> String {
    level.map_or_else(String::new, |level| format!("({}) ", level.word()))
}

fn scalar(shape: &Shape) -> String {
    match shape {
        Shape::SimpleString(text) => template::simple_string(text),
        Shape::BulkString(text) => template::quoted(text),
        Shape::Error(text) => format!("(error) {}", template::value(text)),
        Shape::Integer(text) => format!("(integer) {}", template::value(text)),
        Shape::Double(text) => format!("(double) {}", template::value(text)),
        Shape::BigNumber(text) => format!("(big number) {}", template::value(text)),
        Shape::Boolean(Some(true)) => "(true)".to_owned(),
        Shape::Boolean(Some(false)) => "(false)".to_owned(),
        Shape::Boolean(None) => "(boolean)".to_owned(),
        Shape::Nil => "(nil)".to_owned(),
        Shape::NilArray => "(nil array)".to_owned(),
        Shape::Any
        | Shape::Text(_)
        | Shape::Array(..)
        | Shape::Set(..)
        | Shape::Push(..)
        | Shape::Map(..) => "<any>".to_owned(),
    }
}

/// `(has)`, if there is a rule.
fn rule_line(rule: Rule) -> Option<String> {
    rule.word().map(|word| format!("({word})"))
}

fn text_lines(text: &Text) -> Vec<String> {
    let mut lines = Vec::new();
    match &text.kind {
        TextKind::Verbatim(Some(format)) => lines.push(format!("(verbatim {format})")),
        TextKind::Verbatim(None) => lines.push("(verbatim)".to_owned()),
        TextKind::Either => {}
    }
    lines.extend(rule_line(text.rule));
    let begins_open = text
        .lines
        .first()
        .is_some_and(|line| line.value == TextLine::Rest);
    if begins_open && lines.is_empty() {
        lines.push("(text)".to_owned());
    }
    for line in &text.lines {
        lines.push(match &line.value {
            TextLine::Rest => "...".to_owned(),
            TextLine::Line { level: mark, text } => {
                let line = format!("{}| {}", level(*mark), template::line(text));
                line.trim_end().to_owned()
            }
        });
    }
    if text.no_newline {
        lines.push("(no newline)".to_owned());
    }
    lines
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tag {
    Array,
    Set,
    Push,
}

fn item_lines(rule: Rule, items: &[Spanned<Item>], tag: Tag) -> Vec<String> {
    let mut lines = Vec::new();
    let begins_open = items.first().is_some_and(|item| item.value == Item::Rest);
    match tag {
        Tag::Array if items.is_empty() => lines.push("(empty array)".to_owned()),
        Tag::Set if items.is_empty() => lines.push("(empty set)".to_owned()),
        Tag::Push => lines.push("(push)".to_owned()),
        Tag::Array if begins_open => lines.push("(array)".to_owned()),
        Tag::Array | Tag::Set => {}
    }
    lines.extend(rule_line(rule));
    let sign = if tag == Tag::Set { '~' } else { ')' };
    let numbered = items.iter().filter(|item| item.value != Item::Rest).count();
    let width = numbered.to_string().len();
    let mut number = 0;
    for item in items {
        match &item.value {
            Item::Rest => lines.push("...".to_owned()),
            Item::One(pattern) => {
                number += 1;
                let first = format!("{number:>width$}{sign} ");
                lines.extend(behind(&first, nested(pattern)));
            }
        }
    }
    lines
}

fn entry_lines(rule: Rule, entries: &[Spanned<Entry>]) -> Vec<String> {
    if entries.is_empty() {
        return vec!["(empty hash)".to_owned()];
    }
    let mut lines: Vec<String> = rule_line(rule).into_iter().collect();
    let width = entries.len().to_string().len();
    for (place, entry) in entries.iter().enumerate() {
        let key = nested(&entry.key).concat();
        let first = format!("{:>width$}# ", place + 1);
        let value = nested(&entry.value.value);
        let entry = match value.as_slice() {
            [value] => vec![format!("{key} => {value}")],
            _ => [vec![format!("{key} =>")], value].concat(),
        };
        lines.extend(behind(&first, entry));
    }
    lines
}

/// The lines, the first behind `first`, the others as far right as that is wide.
fn behind(first: &str, lines: Vec<String>) -> Vec<String> {
    let indent = " ".repeat(first.len());
    lines
        .into_iter()
        .enumerate()
        .map(|(number, line)| match number {
            0 => format!("{first}{line}"),
            _ => format!("{indent}{line}"),
        })
        .collect()
}
