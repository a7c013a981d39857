//! Steps and the blocks they stand in.

use crate::transcript::ast::{Block, Comment, Period, Step, StepKind, Variant};
use crate::transcript::coverage::Coverage;
use crate::transcript::error::{ErrorKind, Vocabulary};
use crate::transcript::span::{Span, Spanned};

use super::condition::brackets;
use super::lines::{Cursor, Line};
use super::parser::{MAX_DEPTH, Parser, file_name};
use super::prompt::Prompt;

/// The words that open a timed block.
const TIMED: Vocabulary = Vocabulary {
    name: "kind of block",
    words: &["within", "for"],
};

/// Written as the body of a variant in which nothing is done.
const NOTHING: &str = "(nothing)";

impl<'a> Parser<'a> {
    /// The steps between the header and the files.
    pub(super) fn body(&mut self) -> Block {
        self.block(0, Some(0), 0)
    }

    /// Steps that are indented by at least `min`, all alike: as `indent` says, or the first.
    fn block(&mut self, min: usize, mut indent: Option<usize>, depth: usize) -> Block {
        let mut block = Block::default();
        loop {
            let comments = self.comments(min);
            let Some(line) = self
                .peek()
                .filter(|line| line.indent() >= min && file_name(*line).is_none())
            else {
                block.trailing = comments;
                if let Some(last) = block.trailing.last_mut() {
                    last.blank_after = false;
                }
                return block;
            };
            let content = line.content();
            if *indent.get_or_insert(line.indent()) != line.indent()
                && !content.text.starts_with('>')
            {
                let wanted = indent.unwrap_or_default();
                let found = line.indent();
                self.error(
                    ErrorKind::Indentation { found, wanted },
                    Span::new(line.start, content.start),
                );
            }
            if let Some(kind) = self.step(line, depth) {
                let span = Span::new(content.start, self.end_of_last().max(content.start));
                block.steps.push(Step {
                    comments,
                    kind: Spanned::new(kind, span),
                });
            }
        }
    }

    /// The step that begins with this line. At least one line is taken.
    fn step(&mut self, line: Line<'a>, depth: usize) -> Option<StepKind> {
        let content = line.content();
        if let Some(prompt) = Prompt::read(content) {
            return self.prompted(prompt, line.indent());
        }
        self.advance();
        let mut rest = content;
        if rest.eat("!") {
            return self.action(rest).map(StepKind::Act);
        }
        if rest.eat("?") {
            return self.assertion(rest).map(StepKind::Assert);
        }
        if brackets(content).is_some() {
            return self.choose(content, line.indent(), depth);
        }
        let word = rest.word()?;
        if TIMED.words.contains(&word.text) {
            return self.timed(word, rest, line.indent(), depth);
        }
        if word.text == ">" {
            self.error(ErrorKind::StrayContinuation, content.span());
        } else if rest.word().is_some_and(|word| period(word.text).is_some()) {
            self.unknown(word, TIMED);
        } else {
            self.error(ErrorKind::StrayLine, content.span());
        }
        self.skip_block(line.indent());
        self.skip_paragraph();
        None
    }

    /// Goes to the next line that can begin a step, so that one mistake is one error.
    pub(super) fn skip_paragraph(&mut self) {
        while self
            .peek()
            .is_some_and(|line| !line.is_blank() && !starts_step(line))
        {
            self.advance();
        }
    }

    /// Goes behind the lines that are indented by more than `indent`.
    fn skip_block(&mut self, indent: usize) {
        while self
            .peek()
            .is_some_and(|line| line.is_blank() || line.indent() > indent)
        {
            self.advance();
        }
    }

    /// `within 3T`, `for 2T`
    fn timed(
        &mut self,
        word: Cursor<'_>,
        mut rest: Cursor<'_>,
        indent: usize,
        depth: usize,
    ) -> Option<StepKind> {
        let whole = Span::new(word.start, rest.span().end);
        rest.skip_blanks();
        let period = period(rest.text);
        if rest.is_empty() {
            self.error(ErrorKind::MissingPeriod(word.text.to_owned()), whole);
        } else if period.is_none() {
            self.error(ErrorKind::Period(rest.text.to_owned()), rest.span());
        }
        let block = self.nested(indent, depth, whole)?;
        if block.steps.is_empty() {
            self.error(ErrorKind::EmptyBlock(word.text.to_owned()), whole);
        }
        let period = Spanned::new(period?, rest.span());
        Some(if word.text == "within" {
            StepKind::Within(period, block)
        } else {
            StepKind::For(period, block)
        })
    }

    /// A block that belongs to a line with this indentation.
    fn nested(&mut self, indent: usize, depth: usize, place: Span) -> Option<Block> {
        if depth >= MAX_DEPTH {
            self.error(ErrorKind::TooDeep(MAX_DEPTH), place);
            self.skip_block(indent);
            return None;
        }
        Some(self.block(indent + 1, None, depth + 1))
    }

    /// `[redis>=7.0]` and its block, and those that follow until every server has one. What
    /// comes behind is another choice.
    fn choose(&mut self, first: Cursor<'a>, indent: usize, depth: usize) -> Option<StepKind> {
        let mut variants = Vec::new();
        let mut coverage = Coverage::new(self.since);
        let mut next = Some((Vec::new(), first));
        while let Some((comments, line)) = next {
            let condition = self.condition(line);
            let body = self.variant_block(line, indent, depth)?;
            if let Some(condition) = condition {
                coverage.add(&condition);
                variants.push(Variant {
                    comments,
                    condition,
                    body,
                });
            }
            next = self.next_variant(indent, &coverage);
        }
        Some(StepKind::Choose(variants))
    }

    /// The steps below one condition, or `(nothing)`.
    fn variant_block(&mut self, head: Cursor<'_>, indent: usize, depth: usize) -> Option<Block> {
        if self
            .peek()
            .is_some_and(|line| line.indent() > indent && line.content().text == NOTHING)
        {
            self.advance();
            return Some(Block::default());
        }
        let block = self.nested(indent, depth, head.span())?;
        if block.steps.is_empty() {
            self.error(ErrorKind::EmptyBlock(head.text.to_owned()), head.span());
        }
        Some(block)
    }

    /// The next condition at this indentation, if nothing else comes first and it is for the
    /// list that has taken this much.
    fn next_variant(
        &mut self,
        indent: usize,
        coverage: &Coverage<'_>,
    ) -> Option<(Vec<Comment>, Cursor<'a>)> {
        let before = self.at;
        let comments = self.comments(indent);
        let next = self
            .peek()
            .filter(|line| line.indent() == indent)
            .and_then(|line| brackets(line.content()))
            .filter(|found| self.goes_on(*found, coverage));
        if next.is_some() {
            self.advance();
        } else {
            self.at = before;
        }
        next.map(|brackets| (comments, brackets))
    }
}

/// Whether a line can only be the beginning of a step.
pub(super) fn starts_step(line: Line<'_>) -> bool {
    let content = line.content();
    let mut rest = content;
    let word = rest.word().map_or("", |word| word.text);
    content.text.starts_with(['!', '?'])
        || Prompt::read(content).is_some()
        || file_name(line).is_some()
        || (TIMED.words.contains(&word)
            && rest.word().is_some_and(|word| period(word.text).is_some()))
}

/// `3T`, `1.5T`, `500ms`, `2s`; never zero.
fn period(text: &str) -> Option<Period> {
    let split = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at_checked(split)?;
    let thousandths = thousandths(number).filter(|value| *value > 0)?;
    match unit {
        "T" => Some(Period::Timeouts(thousandths)),
        "s" => Some(Period::Millis(thousandths)),
        "ms" if thousandths % 1000 == 0 => Some(Period::Millis(thousandths / 1000)),
        _ => None,
    }
}

/// A decimal number with at most three digits after the point.
fn thousandths(number: &str) -> Option<u32> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 3 {
        return None;
    }
    let whole: u32 = whole.parse().ok()?;
    let fraction: u32 = format!("{fraction:0<3}").parse().ok()?;
    whole.checked_mul(1000)?.checked_add(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_node_timeouts_or_time() {
        assert_eq!(period("3T"), Some(Period::Timeouts(3000)));
        assert_eq!(period("1.5T"), Some(Period::Timeouts(1500)));
        assert_eq!(period("2s"), Some(Period::Millis(2000)));
        assert_eq!(period("500ms"), Some(Period::Millis(500)));
        for text in [
            "",
            "T",
            "3",
            "3t",
            "0T",
            "-1T",
            "1.T",
            "1.2345T",
            "0.5ms",
            "99999999T",
            "3 T",
        ] {
            assert_eq!(period(text), None, "{text}");
        }
    }
}
