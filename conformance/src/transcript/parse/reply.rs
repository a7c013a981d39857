//! What stands below a prompt: outcomes, alternatives, variants.

use crate::transcript::ast::{Answer, Comment, Expected, Outcome, Variant};
use crate::transcript::coverage::Coverage;
use crate::transcript::error::ErrorKind;
use crate::transcript::span::Spanned;

use super::block::starts_step;
use super::condition::brackets;
use super::lines::{Cursor, Line};
use super::parser::Parser;

impl<'a> Parser<'a> {
    /// The next line, if it belongs to a reply whose lines are indented by at least `min`.
    pub(super) fn reply_line(&self, min: usize) -> Option<Line<'a>> {
        self.peek().filter(|line| {
            !line.is_blank()
                && line.indent() >= min
                && !line.content().text.starts_with('#')
                && !starts_step(*line)
        })
    }

    /// One reply, the `last` of its step or not; without one, `missing` is an error at `prompt`.
    pub(super) fn expected(
        &mut self,
        min: usize,
        prompt: Cursor<'a>,
        missing: ErrorKind,
        last: bool,
    ) -> Option<Expected> {
        if let Some(first) = self.next_condition(min) {
            return self.variants(first, min, last);
        }
        if self.reply_line(min).is_none() {
            self.error(missing, prompt.span());
            return None;
        }
        self.answer(min).map(Expected::Always)
    }

    /// Takes the next condition and the comments above it, if that is what comes next.
    fn next_condition(&mut self, min: usize) -> Option<(Vec<Comment>, Cursor<'a>)> {
        let before = self.at;
        let mut comments = Vec::new();
        while let Some(line) = self.peek().filter(|line| line.indent() >= min) {
            let content = line.content();
            self.advance();
            if let Some(text) = content.text.strip_prefix('#') {
                comments.push(Comment {
                    text: text.strip_prefix(' ').unwrap_or(text).to_owned(),
                    blank_after: false,
                });
            } else if let Some(brackets) = brackets(content) {
                return Some((comments, brackets));
            } else {
                break;
            }
        }
        self.at = before;
        None
    }

    /// A reply for each server. In a pipeline they end when every server has one: what comes
    /// behind is the next reply.
    fn variants(
        &mut self,
        first: (Vec<Comment>, Cursor<'a>),
        min: usize,
        last: bool,
    ) -> Option<Expected> {
        let mut variants = Vec::new();
        let mut coverage = Coverage::new(self.since);
        let mut whole = true;
        let mut next = Some(first);
        while let Some((comments, line)) = next.take() {
            let condition = self.condition(line);
            if let Some(condition) = &condition {
                coverage.add(condition);
            }
            let body = if self.has_outcome(min) {
                self.answer(min)
            } else {
                self.error(ErrorKind::EmptyOpener(line.text.to_owned()), line.span());
                None
            };
            match (condition, body) {
                (Some(condition), Some(body)) => variants.push(Variant {
                    comments,
                    condition,
                    body,
                }),
                _ => whole = false,
            }
            let before = self.at;
            next = self
                .next_condition(min)
                .filter(|(_, line)| last || self.goes_on(*line, &coverage));
            if next.is_none() {
                self.at = before;
            }
        }
        whole.then_some(Expected::Variants(variants))
    }

    /// Outcomes with `(or)` between them.
    fn answer(&mut self, min: usize) -> Option<Answer> {
        let mut outcomes = Vec::new();
        let mut whole = true;
        loop {
            match self.outcome(min) {
                Some(outcome) => outcomes.push(outcome),
                None => whole = false,
            }
            let Some(or) = self
                .reply_line(min)
                .filter(|line| line.content().text == "(or)")
            else {
                break;
            };
            self.advance();
            if !self.has_outcome(min) {
                self.error(
                    ErrorKind::EmptyOpener("(or)".to_owned()),
                    or.content().span(),
                );
                whole = false;
                break;
            }
        }
        whole.then_some(Answer { outcomes })
    }

    /// Whether the next line can be an outcome, and not the next condition.
    fn has_outcome(&self, min: usize) -> bool {
        self.reply_line(min)
            .is_some_and(|line| brackets(line.content()).is_none())
    }

    fn outcome(&mut self, min: usize) -> Option<Spanned<Outcome>> {
        let line = self.reply_line(min)?;
        let content = line.content();
        self.advance();
        let outcome = match content.text {
            "(pending)" => Outcome::Pending,
            "(no connection)" => Outcome::NoConnection,
            _ => {
                let pattern = self.pattern(content, line.indent(), min, 0)?;
                return Some(pattern.map(Outcome::Reply));
            }
        };
        Some(Spanned::new(outcome, content.span()))
    }
}
