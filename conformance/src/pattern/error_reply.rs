//! Errors: what client programs parse decides, the text for people is only noted.

use crate::transcript::ast::{Class, Pattern, Piece, Template};
use crate::transcript::{Span, Spanned, print_template};

use super::compile::Compiled;
use super::describe::{legend, resolved};
use super::frame::{Matcher, Verdict};
use super::{Mismatch, Strength};

/// Codes behind which every word is for programs: slot and address.
const MACHINE_READ: [&[u8]; 3] = [b"MOVED", b"ASK", b"REDIRECT"];

/// How servers say that they have no such command.
const UNKNOWN: [&str; 3] = [
    "unknown command",
    "unsupported command",
    "unrecognized command",
];

/// More ways than this to read the first word of a pattern are not looked at.
const MAX_CODES: usize = 256;

impl<'a> Matcher<'a> {
    /// The text of an error, without its type byte.
    pub(super) fn error(
        &mut self,
        template: &'a Template,
        pattern: &'a Pattern,
        span: Span,
        text: &[u8],
    ) -> Verdict {
        let shown = || format!("an error: (error) {}", String::from_utf8_lossy(text));
        let compiled = self.compile(template, span, shown)?;
        if self.keep(compiled.captures(text)) {
            return Ok(());
        }
        let mut mismatch = Mismatch::new(span, String::new(), shown());
        let code = text.split(|byte| *byte == b' ').next().unwrap_or_default();
        let codes = codes(template);
        let same = codes
            .iter()
            .filter(|code_of| self.is_code(&code_of.template, code))
            .max_by_key(|code_of| code_of.alone);
        if let Some(same) = same
            && !pattern.marks.exact
        {
            if same.alone {
                return Ok(());
            }
            let expects_unknown = says_unknown(print_template(template).as_bytes());
            if !MACHINE_READ.contains(&code) && (expects_unknown || !says_unknown(text)) {
                mismatch.expected = self.whole(template);
                self.depart(Strength::Text, mismatch);
                return Ok(());
            }
        }
        mismatch.expected = match (same, codes.as_slice()) {
            (None, [one]) if !pattern.marks.exact => {
                let code = print_template(&resolved(&one.template, self.known()));
                format!("an error with the code `{code}`")
            }
            _ => self.whole(template),
        };
        mismatch.note = legend(template, self.known());
        Err(Box::new(mismatch))
    }

    fn whole(&self, template: &Template) -> String {
        let text = print_template(&resolved(template, self.known()));
        format!("the error `{text}`")
    }

    fn is_code(&self, template: &Template, code: &[u8]) -> bool {
        Compiled::new(template, self.known())
            .is_ok_and(|compiled| compiled.captures(code).is_some())
    }
}

/// Whether an error says that the server has no such command, for which servers have no code of its own.
fn says_unknown(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text).to_lowercase();
    UNKNOWN.iter().any(|words| text.contains(words))
}

/// A way to read the first word of a pattern.
#[derive(Debug, Clone, Default)]
struct Code {
    template: Template,
    /// Whether nothing follows the word.
    alone: bool,
}

/// Every way to read the first word of a pattern: alternatives may begin with different ones.
fn codes(template: &Template) -> Vec<Code> {
    let mut codes = vec![Code {
        template: Template::default(),
        alone: true,
    }];
    for piece in &template.pieces {
        let (open, mut next): (Vec<Code>, Vec<Code>) =
            codes.into_iter().partition(|code| code.alone);
        for code in open {
            for (pieces, alone) in first_words(piece) {
                let mut code = code.clone();
                code.template.pieces.extend(pieces);
                code.alone = alone;
                next.push(code);
            }
        }
        if next.len() > MAX_CODES {
            return Vec::new();
        }
        codes = next;
    }
    codes
}

/// What a piece adds to the first word, and whether the word may go on behind it.
fn first_words(piece: &Spanned<Piece>) -> Vec<(Vec<Spanned<Piece>>, bool)> {
    let with = |value: Piece| vec![Spanned::new(value, piece.span)];
    match &piece.value {
        Piece::Literal(bytes) => match bytes.iter().position(|byte| *byte == b' ') {
            None => vec![(vec![piece.clone()], true)],
            Some(0) => vec![(Vec::new(), false)],
            Some(end) => {
                let word = bytes.iter().take(end).copied().collect();
                vec![(with(Piece::Literal(word)), false)]
            }
        },
        Piece::Wildcard(Class::Any)
        | Piece::Capture {
            class: Class::Any, ..
        } => vec![(with(Piece::Wildcard(Class::Word)), false)],
        Piece::OneOf(branches) => branches
            .iter()
            .flat_map(codes)
            .map(|code| (code.template.pieces, code.alone))
            .collect(),
        _ => vec![(vec![piece.clone()], true)],
    }
}
