//! Bytes as they stand on the wire, in a line or line by line.

use crate::transcript::ast::{RawBytes, RawOutcome, Template};
use crate::transcript::error::ErrorKind;
use crate::transcript::span::Spanned;

use super::block::starts_step;
use super::lines::{Cursor, Line};
use super::parser::Parser;
use super::template::Until;

impl<'a> Parser<'a> {
    /// What follows `n1>>`.
    pub(super) fn raw_send(
        &mut self,
        rest: Cursor<'a>,
        prompt: Cursor<'a>,
        indent: usize,
    ) -> Option<RawBytes> {
        let bytes = self.raw_bytes(rest, prompt, indent)?;
        match &bytes {
            RawBytes::Line(template) => self.sendable(template),
            RawBytes::Lines { lines, .. } => {
                for line in lines {
                    self.sendable(line);
                }
            }
        }
        Some(bytes)
    }

    /// What follows `n1<<`.
    pub(super) fn raw_expect(
        &mut self,
        rest: Cursor<'a>,
        prompt: Cursor<'a>,
        indent: usize,
    ) -> Option<RawOutcome> {
        let closed = rest.is_empty()
            && self.peek().is_some_and(|line| {
                line.indent() >= indent && line.content().text == "(no connection)"
            });
        if closed {
            self.advance();
            return Some(RawOutcome::NoConnection);
        }
        self.raw_bytes(rest, prompt, indent).map(RawOutcome::Bytes)
    }

    fn raw_bytes(
        &mut self,
        mut rest: Cursor<'a>,
        prompt: Cursor<'a>,
        indent: usize,
    ) -> Option<RawBytes> {
        if !rest.is_empty() {
            return Some(RawBytes::Line(self.template(&mut rest, Until::End)));
        }
        let mut lines = Vec::new();
        let mut no_newline = false;
        while let Some(line) = self.peek().filter(|line| is_frame_line(*line, indent)) {
            self.advance();
            let content = line.content();
            if content.text == "(no newline)" {
                no_newline = true;
                break;
            }
            let template = self.frame_template(content);
            lines.push(Spanned::new(template, content.span()));
        }
        if lines.is_empty() {
            self.error(ErrorKind::MissingBytes, prompt.span());
            return None;
        }
        Some(RawBytes::Lines { lines, no_newline })
    }

    /// A line of a frame, with or without a margin.
    fn frame_template(&mut self, content: Cursor<'a>) -> Template {
        let mut text = content;
        if text.eat("|") {
            text.eat(" ");
        }
        self.template(&mut text, Until::End)
    }
}

/// Whether a line belongs to the frame above it.
pub(super) fn is_frame_line(line: Line<'_>, indent: usize) -> bool {
    !line.is_blank()
        && line.indent() >= indent
        && (line.content().text.starts_with('|')
            || !(starts_step(line) || line.content().text.starts_with('#')))
}
