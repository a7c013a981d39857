//! What stands in front of a value: markers (`3)`), tags (`(error)`), and the marks among them (`(may)`).

use crate::transcript::ast::{Level, Marks, Rule};
use crate::transcript::span::Span;

use super::lines::Cursor;

/// `3)`, `3#`, `3~`
#[derive(Debug, Clone, Copy)]
pub(super) struct Marker {
    pub(super) number: u64,
    pub(super) sign: char,
    pub(super) digits: usize,
}

/// The marker that `text` begins with.
pub(super) fn marker(text: Cursor<'_>) -> Option<Marker> {
    let digits = text.text.bytes().take_while(u8::is_ascii_digit).count();
    let number = text.text.get(..digits)?.parse().ok()?;
    let mut rest = text.text.get(digits..)?.chars();
    let sign = rest.next().filter(|sign| matches!(sign, ')' | '#' | '~'))?;
    let apart = matches!(rest.next(), None | Some(' '));
    (apart && digits <= 9).then_some(Marker {
        number,
        sign,
        digits,
    })
}

/// What the tags above a value said.
#[derive(Debug, Clone, Default)]
pub(super) struct Opened {
    pub(super) rule: Rule,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// To be seen from the first line.
    #[default]
    Open,
    Text,
    Verbatim(Option<String>),
    Array,
    Push,
}

impl Opened {
    /// Notes a tag, if it is one that opens a value.
    pub(super) fn take(&mut self, tag: Cursor<'_>) -> bool {
        let word = word(tag);
        let rules = [Rule::AnyOrder, Rule::Has, Rule::Lacks];
        if let Some(rule) = rules.into_iter().find(|rule| rule.word() == Some(word)) {
            self.rule = rule;
            return true;
        }
        self.kind = match word {
            "text" => Kind::Text,
            "array" => Kind::Array,
            "push" => Kind::Push,
            "verbatim" => Kind::Verbatim(None),
            _ => match word.strip_prefix("verbatim ") {
                Some(format) if format.len() == 3 && format.is_ascii() => {
                    Kind::Verbatim(Some(format.to_owned()))
                }
                _ => return false,
            },
        };
        true
    }
}

/// Takes `(tag)` and the blanks behind it. The cursor that is returned holds the parentheses.
pub(super) fn tag<'a>(rest: &mut Cursor<'a>) -> Option<Cursor<'a>> {
    if !rest.text.starts_with('(') {
        return None;
    }
    let end = rest.text.find(')')? + 1;
    let tag = rest.first(end);
    rest.skip(end);
    rest.skip_blanks();
    Some(tag)
}

/// The word in a tag's parentheses.
pub(super) fn word(tag: Cursor<'_>) -> &str {
    tag.text
        .trim_start_matches('(')
        .trim_end_matches(')')
        .trim()
}

/// Takes `(must)`, `(should)`, `(may)`, `(exact)`.
pub(super) fn marks(rest: &mut Cursor<'_>) -> (Marks, Span) {
    let start = *rest;
    let mut marks = Marks::default();
    let mut after = start;
    loop {
        let mut next = after;
        match tag(&mut next).map(word) {
            Some("exact") => marks.exact = true,
            Some(found) => match Level::ALL.into_iter().find(|level| level.word() == found) {
                Some(level) => marks.level = Some(level),
                None => break,
            },
            None => break,
        }
        after = next;
    }
    *rest = after;
    (marks, start.up_to(after))
}
