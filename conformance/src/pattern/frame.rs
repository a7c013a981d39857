//! One frame against one pattern.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use shardlab::wire::resp::{Frame, Value};

use crate::transcript::ast::{Level, NodeField, Pattern, Piece, Shape, Template, TextKind};
use crate::transcript::{Span, print_template};

use super::compile::Compiled;
use super::describe::{inner, legend, received, wanted};
use super::environment::{Captures, Known};
use super::{Departure, Match, Mismatch, Strength};

/// The most comparisons of parts that one reply may take. Values without order that stand in
/// each other would take a time that grows by a factor with each level.
pub(super) const MAX_COMPARISONS: usize = 1 << 20;

/// What one comparison has found so far. Everything it adds is undone when a part fails that
/// has alternatives.
pub(super) struct Matcher<'a> {
    known: Known<'a>,
    /// Templates that were compiled already; they live as long as the matcher.
    compiled: HashMap<*const Template, Rc<Compiled>>,
    fresh: Captures,
    departures: Vec<Departure>,
    /// Of parts, so far; above the bound, everything differs.
    comparisons: usize,
    /// Whether nobody will read what differs: to put it into words takes most of the time.
    quiet: bool,
}

/// A difference that nobody will read.
pub(super) fn unread(span: Span) -> Verdict {
    Err(Box::new(Mismatch::new(span, String::new(), String::new())))
}

/// Whether a template is the host of a node that names none (`cluster-preferred-endpoint-type unknown-endpoint`).
fn is_unknown_host(template: &Template, known: Known<'_>) -> bool {
    let [piece] = template.pieces.as_slice() else {
        return false;
    };
    let host = NodeField::Host;
    matches!(piece.value, Piece::Node { node, field } if field == host && known.fact(node, host).as_deref() == Ok(""))
}

/// A state of a [`Matcher`].
#[derive(Debug, Clone)]
pub(super) struct Mark {
    fresh: Captures,
    departures: usize,
}

/// Whether a part matches; the difference if not.
pub(super) type Verdict = Result<(), Box<Mismatch>>;

impl<'a> Matcher<'a> {
    pub(super) fn new(known: Known<'a>) -> Self {
        Self {
            known,
            compiled: HashMap::new(),
            fresh: Captures::new(),
            departures: Vec::new(),
            comparisons: 0,
            quiet: false,
        }
    }

    /// The verdict, and what was captured on the way.
    pub(super) fn judge(
        mut self,
        pattern: &'a Pattern,
        span: Span,
        frame: &Frame,
    ) -> (Match, Captures) {
        let verdict = self.frame(pattern, span, frame);
        // A mark may have let it pass, or a `(lacks)` taken it for what it hoped for.
        let verdict = self.count(0, span).and(verdict);
        match verdict {
            Err(mismatch) => (Match::No(mismatch), Captures::new()),
            Ok(()) if self.departures.is_empty() => (Match::Yes, self.fresh),
            Ok(()) => (Match::Differs(self.departures), self.fresh),
        }
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    pub(super) fn known(&self) -> Known<'a> {
        self.known
    }

    /// What has been found so far, to come back to.
    pub(super) fn mark(&self) -> Mark {
        Mark {
            fresh: self.fresh.clone(),
            departures: self.departures.len(),
        }
    }

    /// Forgets what was found since.
    pub(super) fn reset(&mut self, mark: Mark) {
        self.fresh = mark.fresh;
        self.departures.truncate(mark.departures);
    }

    /// Notes that parts are compared; a difference when they are too many.
    pub(super) fn count(&mut self, comparisons: usize, span: Span) -> Verdict {
        self.comparisons = self.comparisons.saturating_add(comparisons);
        if self.comparisons <= MAX_COMPARISONS {
            return Ok(());
        }
        let expected = format!("a reply of which at most {MAX_COMPARISONS} parts are compared");
        Err(Box::new(Mismatch::new(span, expected, "more".to_owned())))
    }

    /// Tries something, and leaves no trace if it fails.
    pub(super) fn attempt(&mut self, part: impl FnOnce(&mut Self) -> Verdict) -> Verdict {
        let mark = self.mark();
        let verdict = part(self);
        if verdict.is_err() {
            self.reset(mark);
        }
        verdict
    }

    /// Whether something would succeed; leaves no trace.
    pub(super) fn would(&mut self, part: impl FnOnce(&mut Self) -> Verdict) -> bool {
        let (mark, quiet) = (self.mark(), self.quiet);
        self.quiet = true;
        let verdict = part(self);
        self.quiet = quiet;
        self.reset(mark);
        verdict.is_ok()
    }

    /// Lets a difference pass that its mark tolerates.
    pub(super) fn weigh(&mut self, level: Option<Level>, verdict: Verdict) -> Verdict {
        let Err(mut mismatch) = verdict else {
            return Ok(());
        };
        let strength = match level {
            None => return Err(mismatch),
            Some(Level::Must) => {
                mismatch.level = level;
                return Err(mismatch);
            }
            Some(Level::Should) => Strength::Should,
            Some(Level::May) => Strength::May,
        };
        self.depart(strength, *mismatch);
        Ok(())
    }

    pub(super) fn depart(&mut self, strength: Strength, mismatch: Mismatch) {
        self.departures.push(Departure { strength, mismatch });
    }

    /// A frame against a pattern that stands at `span`.
    pub(super) fn frame(&mut self, pattern: &'a Pattern, span: Span, frame: &Frame) -> Verdict {
        self.count(1, span)?;
        let verdict = self.attempt(|matcher| matcher.shape(pattern, span, frame));
        self.weigh(pattern.marks.level, verdict)
    }

    fn shape(&mut self, pattern: &'a Pattern, span: Span, frame: &Frame) -> Verdict {
        let quiet = self.quiet;
        let other = |known| {
            if quiet {
                return unread(span);
            }
            let mismatch = Mismatch::new(span, wanted(pattern, known), received(frame));
            Err(Box::new(match confusion(&pattern.shape, inner(frame)) {
                Some(note) => mismatch.note(note),
                None => mismatch,
            }))
        };
        match (&pattern.shape, inner(frame)) {
            (Shape::Any, value) if !is_error(value) => Ok(()),
            (Shape::SimpleString(template), Value::SimpleString(bytes))
            | (Shape::BulkString(template), Value::BulkString(bytes))
            | (Shape::BigNumber(template), Value::BigNumber(bytes)) => {
                self.value(template, bytes, pattern, span, frame)
            }
            (Shape::BulkString(template), Value::StreamedString(chunks)) => {
                self.value(template, &chunks.concat(), pattern, span, frame)
            }
            (Shape::Error(template), Value::SimpleError(text) | Value::BulkError(text)) => {
                self.error(template, pattern, span, text)
            }
            (Shape::Integer(template), Value::Integer(number)) => self.value(
                template,
                number.to_string().as_bytes(),
                pattern,
                span,
                frame,
            ),
            (Shape::Double(template), Value::Double(number)) => {
                if same_double(template, *number) {
                    return Ok(());
                }
                self.value(
                    template,
                    number.to_string().as_bytes(),
                    pattern,
                    span,
                    frame,
                )
            }
            (Shape::Boolean(wanted), Value::Boolean(value))
                if wanted.is_none_or(|wanted| wanted == *value) =>
            {
                Ok(())
            }
            // Where clients are to stay at the address that they know, the host is a null.
            (
                Shape::BulkString(template),
                Value::NullBulkString | Value::NullArray | Value::Null,
            ) if is_unknown_host(template, self.known) => Ok(()),
            (Shape::Nil, Value::NullBulkString | Value::NullArray | Value::Null)
            | (Shape::NilArray, Value::NullArray | Value::Null) => Ok(()),
            (Shape::Text(text), value) => match text_of(value) {
                Some(bytes) if is_kind(value, &text.kind) => self.text(text, span, &bytes),
                _ => other(self.known),
            },
            (Shape::Array(rule, items), Value::Array(frames) | Value::StreamedArray(frames))
            | (Shape::Push(rule, items), Value::Push(frames)) => {
                self.items(*rule, items, frames, span)
            }
            (Shape::Set(rule, items), Value::Set(frames) | Value::StreamedSet(frames)) => {
                self.items(rule.unordered(), items, frames, span)
            }
            (Shape::Map(rule, entries), Value::Map(pairs) | Value::StreamedMap(pairs)) => {
                self.entries(*rule, entries, pairs, span)
            }
            _ => other(self.known),
        }
    }

    /// The bytes of a value of the right type.
    fn value(
        &mut self,
        template: &'a Template,
        bytes: &[u8],
        pattern: &'a Pattern,
        span: Span,
        frame: &Frame,
    ) -> Verdict {
        let compiled = self.compile(template, span, || received(frame))?;
        if self.keep(compiled.captures(bytes)) {
            return Ok(());
        }
        if self.quiet {
            return unread(span);
        }
        let mut mismatch = Mismatch::new(span, wanted(pattern, self.known), received(frame));
        mismatch.note = legend(template, self.known);
        Err(Box::new(mismatch))
    }

    /// A template that is ready to be compared; a difference if a placeholder has no value.
    pub(super) fn compile(
        &mut self,
        template: &'a Template,
        span: Span,
        received: impl FnOnce() -> String,
    ) -> Result<Rc<Compiled>, Box<Mismatch>> {
        let place = std::ptr::from_ref(template);
        if let Some(compiled) = self.compiled.get(&place) {
            return Ok(Rc::clone(compiled));
        }
        let compiled = Compiled::new(template, self.known).map_err(|error| {
            let expected = format!("a value for `{}`", print_template(template));
            Box::new(Mismatch::new(span, expected, received()).note(error.to_string()))
        })?;
        let compiled = Rc::new(compiled);
        self.compiled.insert(place, Rc::clone(&compiled));
        Ok(compiled)
    }

    /// Notes what was captured. False if nothing matched, or if a name has another value
    /// already.
    pub(super) fn keep(&mut self, captures: Option<Captures>) -> bool {
        let Some(captures) = captures else {
            return false;
        };
        let agrees = captures
            .iter()
            .all(|(name, value)| self.fresh.get(name).is_none_or(|earlier| earlier == value));
        if agrees {
            self.fresh.extend(captures);
        }
        agrees
    }
}

fn is_error(value: &Value) -> bool {
    matches!(value, Value::SimpleError(_) | Value::BulkError(_))
}

/// Whether a template is a literal that is this number, however it is written.
fn same_double(template: &Template, number: f64) -> bool {
    let literal = template
        .literal()
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
        .and_then(|text| text.parse::<f64>().ok());
    literal.is_some_and(|literal| {
        literal.total_cmp(&number).is_eq() || (literal.is_nan() && number.is_nan())
    })
}

/// The bytes of a value that can be a text.
fn text_of(value: &Value) -> Option<Cow<'_, [u8]>> {
    match value {
        Value::BulkString(text) | Value::VerbatimString { text, .. } => Some(Cow::Borrowed(text)),
        Value::StreamedString(chunks) => Some(Cow::Owned(chunks.concat())),
        _ => None,
    }
}

fn is_kind(value: &Value, kind: &TextKind) -> bool {
    match (kind, value) {
        (TextKind::Either, _) => true,
        (TextKind::Verbatim(wanted), Value::VerbatimString { format, .. }) => wanted
            .as_ref()
            .is_none_or(|wanted| wanted.as_bytes() == format),
        (TextKind::Verbatim(_), _) => false,
    }
}

/// What is easily mixed up.
fn confusion(shape: &Shape, value: &Value) -> Option<&'static str> {
    match (shape, value) {
        (Shape::SimpleString(_), Value::BulkString(text)) if text.contains(&b'\n') => {
            Some("a text is written with a margin, `| `, in front of each line")
        }
        (Shape::SimpleString(_), Value::BulkString(_)) => {
            Some("a bulk string is written in quotes, a simple string without")
        }
        (Shape::SimpleString(_), Value::SimpleError(_) | Value::BulkError(_)) => {
            Some("an error is written with `(error)` in front")
        }
        (Shape::BulkString(_), Value::SimpleString(_)) => {
            Some("a simple string is written without quotes, a bulk string with them")
        }
        (Shape::BulkString(_), Value::VerbatimString { .. }) => {
            Some("a verbatim string is written as a text, with a margin")
        }
        (Shape::Array(..), Value::Push(_)) => Some("a push is written with `(push)` above it"),
        (Shape::Array(..), Value::Map(_)) => Some("a map is written `1# \"key\" => value`"),
        (Shape::Array(..), Value::Set(_)) => Some("a set is written `1~ value`"),
        _ => None,
    }
}
