//! The expectation nearest to one that a reply has departed from: what still matches stays as it is written.

use shardlab::wire::resp::{Frame, Value};

use crate::render::pattern;
use crate::transcript::ast::{
    Entry, Item, Marks, Pattern, Piece, Rule, Shape, Template, Text, TextLine,
};
use crate::transcript::{Span, Spanned};

use super::Match;
use super::describe::inner;
use super::environment::Known;
use super::frame::Matcher;
use super::plan::{Choice, plan};

/// A reply, and how it would be written if nothing had been expected.
#[derive(Debug, Clone, Copy)]
struct Reply<'a> {
    frame: &'a Frame,
    fresh: &'a Pattern,
}

/// A pattern that the frame matches. `written` is what stands in the transcript, `here` the same for the cluster at
/// hand, without stars and counts; `fresh` is the frame as it would be recorded. None if only what must not be
/// there can be taken away, and nothing would be left.
pub fn mend(
    written: &Pattern,
    here: &Pattern,
    frame: &Frame,
    fresh: &Pattern,
    known: Known<'_>,
) -> Option<Pattern> {
    let mender = Mender { known };
    mender.pattern(written, here, Reply { frame, fresh })
}

struct Mender<'a> {
    known: Known<'a>,
}

impl Mender<'_> {
    fn fits(&self, pattern: &Pattern, frame: &Frame) -> bool {
        let (found, _) = Matcher::new(self.known).judge(pattern, Span::default(), frame);
        !matches!(found, Match::No(_))
    }

    fn template_fits(&self, template: &Template, bytes: &[u8]) -> bool {
        let pattern = Pattern {
            marks: Marks::default(),
            shape: Shape::BulkString(template.clone()),
        };
        let value = Value::BulkString(bytes.to_vec().into());
        self.fits(&pattern, &Frame::from_value(value))
    }

    fn pattern(&self, written: &Pattern, here: &Pattern, reply: Reply<'_>) -> Option<Pattern> {
        if self.fits(here, reply.frame) {
            return Some(written.clone());
        }
        let shape = self.shape(&written.shape, &here.shape, reply)?;
        let is_error = matches!(shape, Shape::Error(_));
        let marks = Marks {
            exact: written.marks.exact && is_error,
            ..written.marks
        };
        Some(Pattern { marks, shape })
    }

    fn shape(&self, written: &Shape, here: &Shape, reply: Reply<'_>) -> Option<Shape> {
        let fresh = &reply.fresh.shape;
        Some(match (here, inner(reply.frame), fresh) {
            (
                Shape::Array(rule, items),
                Value::Array(frames) | Value::StreamedArray(frames),
                Shape::Array(_, new),
            ) if frames.len() == new.len() => {
                Shape::Array(*rule, self.items(*rule, (written, items), frames, new)?)
            }
            (
                Shape::Set(rule, items),
                Value::Set(frames) | Value::StreamedSet(frames),
                Shape::Set(_, new),
            ) if frames.len() == new.len() => Shape::Set(
                *rule,
                self.items(rule.unordered(), (written, items), frames, new)?,
            ),
            (Shape::Push(rule, items), Value::Push(frames), Shape::Push(_, new))
                if frames.len() == new.len() =>
            {
                Shape::Push(*rule, self.items(*rule, (written, items), frames, new)?)
            }
            (
                Shape::Map(rule, entries),
                Value::Map(pairs) | Value::StreamedMap(pairs),
                Shape::Map(_, new),
            ) if pairs.len() == new.len() => {
                Shape::Map(*rule, self.entries(*rule, (written, entries), pairs, new)?)
            }
            (Shape::Text(text), _, Shape::Text(new)) => {
                Shape::Text(self.text(written, text, reply.frame, new)?)
            }
            (Shape::SimpleString(_), Value::SimpleString(bytes), Shape::SimpleString(new)) => {
                Shape::SimpleString(self.words(template(written), template(here), bytes, new))
            }
            (Shape::BulkString(_), Value::BulkString(bytes), Shape::BulkString(new)) => {
                Shape::BulkString(self.words(template(written), template(here), bytes, new))
            }
            (
                Shape::Error(_),
                Value::SimpleError(bytes) | Value::BulkError(bytes),
                Shape::Error(new),
            ) => Shape::Error(self.words(template(written), template(here), bytes, new)),
            _ => fresh.clone(),
        })
    }

    fn items(
        &self,
        rule: Rule,
        (written, here): (&Shape, &[Spanned<Item>]),
        frames: &[Frame],
        new: &[Spanned<Item>],
    ) -> Option<Vec<Spanned<Item>>> {
        let of = |item: &Spanned<Item>| match &item.value {
            Item::One(pattern) => Some(pattern.clone()),
            Item::Rest => None,
        };
        let old: Vec<_> = here.iter().map(of).collect();
        let fresh: Vec<_> = new.iter().filter_map(of).collect();
        let fits = |old: &Pattern, at: usize| frames.get(at).is_some_and(|it| self.fits(old, it));
        let alike = |old: &Pattern, at: usize| {
            fresh
                .get(at)
                .is_some_and(|new| first_of(old) == first_of(new))
        };
        let choices = plan(rule, &old, frames.len(), fits, alike)?;
        let written = match written {
            Shape::Array(_, items) | Shape::Set(_, items) | Shape::Push(_, items) => items,
            _ => here,
        };
        let mended = |old_at: usize, at: usize| {
            let place = here.get(old_at)?.span;
            let one = of(written.iter().find(|item| item.span == place)?)?;
            let reply = Reply {
                frame: frames.get(at)?,
                fresh: fresh.get(at)?,
            };
            let pattern = self.pattern(&one, old.get(old_at)?.as_ref()?, reply)?;
            Some(Spanned::new(Item::One(pattern), place))
        };
        Some(chosen(&choices, here, written, new, mended))
    }

    fn entries(
        &self,
        rule: Rule,
        (written, here): (&Shape, &[Spanned<Entry>]),
        pairs: &[(Frame, Frame)],
        new: &[Spanned<Entry>],
    ) -> Option<Vec<Spanned<Entry>>> {
        let old: Vec<_> = here.iter().map(|entry| Some(entry.value.clone())).collect();
        let key = |old: &Entry, at: usize| {
            pairs
                .get(at)
                .is_some_and(|(key, _)| self.fits(&old.key.value, key))
        };
        let fits = |old: &Entry, at: usize| {
            let value = |(_, value): &(Frame, Frame)| self.fits(&old.value.value, value);
            key(old, at) && pairs.get(at).is_some_and(value)
        };
        let choices = plan(rule.unordered(), &old, pairs.len(), fits, key)?;
        let written = match written {
            Shape::Map(_, entries) => entries,
            _ => here,
        };
        let mended = |old_at: usize, at: usize| {
            let entry = here.get(old_at)?;
            let one = written.iter().find(|one| one.span == entry.span)?;
            let ((key_frame, frame), new) = (pairs.get(at)?, new.get(at)?);
            let side = |written: &Spanned<Pattern>, here: &Spanned<Pattern>, reply| {
                let pattern = self.pattern(&written.value, &here.value, reply)?;
                Some(Spanned::new(pattern, written.span))
            };
            let key = Reply {
                frame: key_frame,
                fresh: &new.value.key.value,
            };
            let value = Reply {
                frame,
                fresh: &new.value.value.value,
            };
            let entry = Entry {
                key: side(&one.value.key, &entry.value.key, key)?,
                value: side(&one.value.value, &entry.value.value, value)?,
            };
            Some(Spanned::new(entry, one.span))
        };
        Some(chosen(&choices, here, written, new, mended))
    }

    fn text(&self, written: &Shape, here: &Text, frame: &Frame, new: &Text) -> Option<Text> {
        let of = |line: &Spanned<TextLine>| match &line.value {
            TextLine::Line { text, .. } => Some(text.clone()),
            TextLine::Rest => None,
        };
        let Shape::Text(received) = pattern(frame).shape else {
            return Some(new.clone());
        };
        let literal = |line: &Spanned<TextLine>| Some(of(line)?.literal()?.to_vec());
        let received: Vec<_> = received.lines.iter().filter_map(literal).collect();
        let fresh: Vec<_> = new.lines.iter().filter_map(of).collect();
        if received.len() != fresh.len() {
            return Some(new.clone());
        }
        let old: Vec<_> = here.lines.iter().map(of).collect();
        let fits = |old: &Template, at: usize| {
            received
                .get(at)
                .is_some_and(|line| self.template_fits(old, line))
        };
        let alike =
            |old: &Template, at: usize| fresh.get(at).is_some_and(|new| key(old) == key(new));
        let choices = plan(here.rule, &old, fresh.len(), fits, alike)?;
        let written = match written {
            Shape::Text(text) => &text.lines,
            _ => &here.lines,
        };
        let mended = |old_at: usize, at: usize| {
            let place = here.lines.get(old_at)?.span;
            let one = written.iter().find(|line| line.span == place)?;
            let TextLine::Line { level, text } = &one.value else {
                return None;
            };
            let here = old.get(old_at)?.as_ref();
            let text = self.words(Some(text), here, received.get(at)?, fresh.get(at)?);
            let level = *level;
            Some(Spanned::new(TextLine::Line { level, text }, place))
        };
        Some(Text {
            kind: here.kind.clone(),
            rule: here.rule,
            lines: chosen(&choices, &here.lines, written, &new.lines, mended),
            no_newline: here.no_newline
                && new.no_newline
                && matches!(here.rule, Rule::Whole | Rule::AnyOrder),
        })
    }

    /// The words of a value that still match, and the new ones instead of the others.
    fn words(
        &self,
        written: Option<&Template>,
        here: Option<&Template>,
        bytes: &[u8],
        new: &Template,
    ) -> Template {
        let (Some(written), Some(here)) = (written, here) else {
            return new.clone();
        };
        let (written, here, fresh) = (split(written), split(here), split(new));
        let received: Vec<_> = bytes.split(|byte| *byte == b' ').collect();
        let counts = [written.len(), here.len(), fresh.len()];
        if counts != [received.len(); 3] {
            return new.clone();
        }
        let words = written.iter().zip(&here).zip(fresh.iter().zip(received));
        join(words.map(|((written, here), (fresh, bytes))| {
            if self.template_fits(here, bytes) {
                written
            } else {
                fresh
            }
        }))
    }
}

/// The parts that were chosen. What is kept is as it is written: a star once, if all that it stands for is kept.
fn chosen<P: Clone>(
    choices: &[Choice],
    here: &[Spanned<P>],
    written: &[Spanned<P>],
    new: &[Spanned<P>],
    mended: impl Fn(usize, usize) -> Option<Spanned<P>>,
) -> Vec<Spanned<P>> {
    let of_place = |place: Span| here.iter().filter(|part| part.span == place).count();
    let kept_of = |place: Span| {
        let kept = |choice: &&Choice| match choice {
            Choice::Keep(at) => here.get(*at).is_some_and(|part| part.span == place),
            _ => false,
        };
        choices.iter().filter(kept).count()
    };
    let mut parts: Vec<Spanned<P>> = Vec::new();
    let mut whole: Vec<Span> = Vec::new();
    for choice in choices {
        match choice {
            Choice::Keep(at) => {
                let Some(part) = here.get(*at) else { continue };
                let as_written = || written.iter().filter(|other| other.span == part.span);
                match (as_written().next(), as_written().count()) {
                    (Some(_), 1) if whole.contains(&part.span) => {}
                    (Some(other), 1) if kept_of(part.span) == of_place(part.span) => {
                        whole.push(part.span);
                        parts.push(other.clone());
                    }
                    _ => parts.push(part.clone()),
                }
            }
            Choice::Mend(at, new_at) => {
                let is_star = here.get(*at).is_some_and(|part| of_place(part.span) > 1);
                let part = mended(*at, *new_at).filter(|_| !is_star);
                parts.extend(part.or_else(|| new.get(*new_at).cloned()));
            }
            Choice::Fresh(at) => parts.extend(new.get(*at).cloned()),
        }
    }
    parts
}

fn template(shape: &Shape) -> Option<&Template> {
    match shape {
        Shape::SimpleString(template) | Shape::BulkString(template) | Shape::Error(template) => {
            Some(template)
        }
        _ => None,
    }
}

/// A template as words with a blank between them.
fn split(template: &Template) -> Vec<Template> {
    let mut words = vec![Template::default()];
    for piece in &template.pieces {
        let Piece::Literal(bytes) = &piece.value else {
            if let Some(last) = words.last_mut() {
                last.pieces.push(piece.clone());
            }
            continue;
        };
        for (place, part) in bytes.split(|byte| *byte == b' ').enumerate() {
            if place > 0 {
                words.push(Template::default());
            }
            if let Some(last) = words.last_mut().filter(|_| !part.is_empty()) {
                let part = Spanned::new(Piece::Literal(part.to_vec()), piece.span);
                last.pieces.push(part);
            }
        }
    }
    words
}

fn join<'w>(words: impl Iterator<Item = &'w Template>) -> Template {
    let mut pieces: Vec<Spanned<Piece>> = Vec::new();
    let mut add =
        |piece: Spanned<Piece>| match (pieces.last_mut().map(|last| &mut last.value), &piece.value)
        {
            (Some(Piece::Literal(before)), Piece::Literal(bytes)) => before.extend(bytes),
            _ => pieces.push(piece),
        };
    for (place, word) in words.enumerate() {
        if place > 0 {
            add(Spanned::new(Piece::Literal(vec![b' ']), Span::default()));
        }
        word.pieces.iter().cloned().for_each(&mut add);
    }
    Template { pieces }
}

/// By what a line is known: what precedes its first colon, or its first word.
fn key(line: &Template) -> Option<Template> {
    let word = split(line).into_iter().next()?;
    let Some(Piece::Literal(bytes)) = word.pieces.first().map(|piece| &piece.value) else {
        return Some(word);
    };
    let end = bytes.iter().position(|byte| *byte == b':');
    let bytes = bytes.get(..end.unwrap_or(bytes.len()))?.to_vec();
    Some(Template {
        pieces: vec![Spanned::new(Piece::Literal(bytes), Span::default())],
    })
}

/// By what an item is known: the first text in it.
fn first_of(pattern: &Pattern) -> Option<&Template> {
    crate::transcript::templates(pattern).into_iter().next()
}
