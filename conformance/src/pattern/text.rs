//! Texts, line by line.

use std::rc::Rc;

use shardlab::machine::text::counted;

use crate::transcript::ast::{Level, Rule, Template, Text, TextLine};
use crate::transcript::{Span, print_template};

use super::Mismatch;
use super::compile::Compiled;
use super::describe::{legend, resolved};
use super::frame::{Matcher, Verdict};

/// A line that is looked for.
struct Wanted<'a> {
    template: &'a Template,
    level: Option<Level>,
    span: Span,
    compiled: Rc<Compiled>,
}

/// A line of the pattern, ready to be compared; none for `...`.
type Slot<'a> = Option<Wanted<'a>>;

impl<'a> Matcher<'a> {
    pub(super) fn text(&mut self, text: &'a Text, span: Span, bytes: &[u8]) -> Verdict {
        // An empty text has no line, and may be written as an empty one that has no end.
        let (lines, ended) = match (bytes, text.no_newline) {
            ([], true) => (vec![bytes], false),
            _ => split(bytes),
        };
        let slots: Vec<Slot<'_>> = text
            .lines
            .iter()
            .map(|line| match &line.value {
                TextLine::Rest => Ok(None),
                TextLine::Line { level, text } => Ok(Some(Wanted {
                    template: text,
                    level: *level,
                    span: line.span,
                    compiled: self.compile(text, line.span, || shown(&lines))?,
                })),
            })
            .collect::<Result<_, Box<Mismatch>>>()?;
        match text.rule {
            Rule::Whole => {
                let slots: Vec<_> = slots.iter().map(Option::as_ref).collect();
                let weighed = |matcher: &mut Self, wanted: &Wanted<'_>, line: &&[u8]| {
                    let verdict = matcher.line(wanted, line);
                    matcher.weigh(wanted.level, verdict)
                };
                self.in_order(&slots, &lines, weighed, || {
                    let wanted = slots.iter().flatten().count();
                    wrong_count(wanted, wanted < slots.len(), &lines, span)
                })?;
            }
            Rule::AnyOrder => {
                let wanted: Vec<&Wanted<'_>> = slots.iter().flatten().collect();
                self.assign(
                    &wanted,
                    &lines,
                    |matcher, wanted, line| matcher.line(wanted, line),
                    |matcher, wanted| matcher.no_line(wanted, &lines),
                )?;
                if wanted.len() != lines.len() {
                    return Err(Box::new(wrong_count(wanted.len(), false, &lines, span)));
                }
            }
            Rule::Has => {
                for wanted in slots.iter().flatten() {
                    self.count(lines.len(), wanted.span)?;
                    let found = lines
                        .iter()
                        .any(|line| self.keep(wanted.compiled.captures(line)));
                    if !found {
                        let missing = Box::new(self.no_line(wanted, &lines));
                        self.weigh(wanted.level, Err(missing))?;
                    }
                }
                return Ok(());
            }
            Rule::Lacks => {
                for wanted in slots.iter().flatten() {
                    self.count(lines.len(), wanted.span)?;
                    let found = lines
                        .iter()
                        .find(|line| wanted.compiled.captures(line).is_some());
                    if let Some(line) = found {
                        let expected = format!("no line {}", self.quote(wanted));
                        let found = Mismatch::new(wanted.span, expected, shown_line(line));
                        self.weigh(wanted.level, Err(Box::new(found)))?;
                    }
                }
                return Ok(());
            }
        }
        let open = slots.last().is_some_and(Option::is_none);
        // Clients split a text into lines; whether the last one has an end is what frames in bytes claim.
        if open || !ended || !text.no_newline {
            return Ok(());
        }
        Err(Box::new(Mismatch::new(
            span,
            "no line end after the last line".into(),
            "one".into(),
        )))
    }

    fn line(&mut self, wanted: &Wanted<'_>, line: &[u8]) -> Verdict {
        self.count(1, wanted.span)?;
        if self.keep(wanted.compiled.captures(line)) {
            return Ok(());
        }
        let expected = format!("the line {}", self.quote(wanted));
        let mut mismatch = Mismatch::new(wanted.span, expected, shown_line(line));
        mismatch.note = legend(wanted.template, self.known());
        Err(Box::new(mismatch))
    }

    fn no_line(&mut self, wanted: &Wanted<'_>, lines: &[&[u8]]) -> Mismatch {
        let expected = format!("a line {}", self.quote(wanted));
        let mut mismatch = Mismatch::new(wanted.span, expected, shown(lines));
        mismatch.note = legend(wanted.template, self.known());
        mismatch
    }

    fn quote(&self, wanted: &Wanted<'_>) -> String {
        format!(
            "`{}`",
            print_template(&resolved(wanted.template, self.known()))
        )
    }
}

/// The lines without their ends, and whether the last one has an end.
fn split(bytes: &[u8]) -> (Vec<&[u8]>, bool) {
    if bytes.is_empty() {
        return (Vec::new(), true);
    }
    let body = bytes.strip_suffix(b"\n");
    let lines = body
        .unwrap_or(bytes)
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .collect();
    (lines, body.is_some())
}

fn wrong_count(wanted: usize, at_least: bool, lines: &[&[u8]], span: Span) -> Mismatch {
    let at_least = if at_least { "at least " } else { "" };
    let expected = format!("{at_least}{}", counted(wanted, "line"));
    Mismatch::new(span, expected, shown(lines))
}

fn shown_line(line: &[u8]) -> String {
    format!("`{}`", String::from_utf8_lossy(line))
}

/// The text as a picture shows it.
fn shown(lines: &[&[u8]]) -> String {
    const MAX_LINES: usize = 40;
    let mut text = format!("{}:", counted(lines.len(), "line"));
    for line in lines.iter().take(MAX_LINES) {
        text.push_str("\n| ");
        text.extend(String::from_utf8_lossy(line).chars().take(200));
    }
    if lines.len() > MAX_LINES {
        text.push_str("\n…");
    }
    text
}
