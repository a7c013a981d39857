//! Texts, whose lines carry a margin: `| cluster_state:ok`.

use crate::transcript::ast::{Level, Rule, Text, TextKind, TextLine};
use crate::transcript::error::ErrorKind;
use crate::transcript::span::Spanned;

use super::lines::{Cursor, Line};
use super::parser::Parser;
use super::tags::{Kind, Opened, marks};
use super::template::Until;

/// Whether this is a line of a text: a margin, perhaps with marks in front.
pub(super) fn is_text_line(content: Cursor<'_>) -> bool {
    let mut rest = content;
    marks(&mut rest);
    rest.text.starts_with('|')
}

impl<'a> Parser<'a> {
    /// The text whose first line is `first`, already taken, with marks taken from it.
    pub(super) fn text(
        &mut self,
        opened: Opened,
        first: Cursor<'a>,
        level: Option<Level>,
        min: usize,
    ) -> Option<Text> {
        let errors = self.errors.len();
        let mut text = Text {
            kind: match opened.kind {
                Kind::Verbatim(format) => TextKind::Verbatim(format),
                _ => TextKind::Either,
            },
            rule: opened.rule,
            lines: Vec::new(),
            no_newline: false,
        };
        let mut next = Some((first, level));
        while let Some((line, level)) = next.take() {
            self.text_line(line, level, &mut text);
            if text.no_newline {
                break;
            }
            next = self
                .reply_line(min)
                .map(Line::content)
                .filter(|content| {
                    matches!(content.text, "..." | "(no newline)") || is_text_line(*content)
                })
                .map(|content| (content, None));
            if next.is_some() {
                self.advance();
            }
        }
        if text.rule != Rule::Whole && text.lines.iter().any(|line| line.value == TextLine::Rest) {
            text.lines.retain(|line| line.value != TextLine::Rest);
            if text.rule == Rule::AnyOrder {
                text.rule = Rule::Has;
            }
        }
        if text.lines.is_empty() {
            self.error(ErrorKind::MissingValue, first.span());
        }
        (self.errors.len() == errors).then_some(text)
    }

    fn text_line(&mut self, line: Cursor<'a>, level: Option<Level>, text: &mut Text) {
        match line.text {
            "..." => text.lines.push(Spanned::new(TextLine::Rest, line.span())),
            "(no newline)" => {
                if matches!(text.rule, Rule::Has | Rule::Lacks) || text.lines.is_empty() {
                    self.error(ErrorKind::Misplaced(line.text.to_owned()), line.span());
                }
                text.no_newline = true;
            }
            _ => {
                let mut rest = line;
                let (marks, span) = marks(&mut rest);
                if marks.exact {
                    self.error(ErrorKind::ExactWithoutError, span);
                }
                if !rest.eat("|") {
                    self.error(ErrorKind::Misplaced(line.text.to_owned()), line.span());
                    return;
                }
                rest.eat(" ");
                let line_text = TextLine::Line {
                    level: level.or(marks.level),
                    text: self.template(&mut rest, Until::End),
                };
                text.lines.push(Spanned::new(line_text, line.span()));
            }
        }
    }
}
