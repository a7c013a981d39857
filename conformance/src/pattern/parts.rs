//! Arrays, sets, pushes and maps: which element is for which item.

use std::cmp::Ordering;
use std::collections::VecDeque;

use shardlab::machine::text::counted;
use shardlab::wire::resp::Frame;

use crate::transcript::ast::{Entry, Item, Pattern, Rule};
use crate::transcript::{Span, Spanned};

use super::Mismatch;
use super::describe::{part, received};
use super::frame::{Mark, Matcher, Verdict, unread};

/// The most comparisons that finding an order may take.
const MAX_PAIRS: usize = 1 << 16;

impl<'a> Matcher<'a> {
    pub(super) fn items(
        &mut self,
        rule: Rule,
        items: &'a [Spanned<Item>],
        frames: &[Frame],
        span: Span,
    ) -> Verdict {
        let slots: Vec<_> = items
            .iter()
            .map(|item| match &item.value {
                Item::Rest => None,
                Item::One(pattern) => Some((pattern, item.span)),
            })
            .collect();
        let patterns = || slots.iter().copied().flatten();
        match rule {
            Rule::Whole => self.in_order(
                &slots,
                frames,
                |matcher, (pattern, span), frame| matcher.frame(pattern, span, frame),
                || {
                    let wanted = patterns().count();
                    wrong_count(wanted, frames.len(), wanted < slots.len(), span)
                },
            ),
            Rule::AnyOrder => {
                let patterns: Vec<_> = patterns().collect();
                same_count("item", patterns.len(), frames.len(), span)?;
                self.assign(
                    &patterns,
                    frames,
                    |matcher, (pattern, span), frame| matcher.frame(pattern, *span, frame),
                    |matcher, (pattern, span)| matcher.missing_item(pattern, *span, frames),
                )
            }
            Rule::Has => {
                for (pattern, span) in patterns() {
                    let mut nearest = Nearest::default();
                    let found = frames.iter().any(|frame| {
                        let verdict = self.attempt(|m| m.frame(pattern, span, frame));
                        verdict.map_err(|mismatch| nearest.offer(mismatch)).is_ok()
                    });
                    if !found {
                        let missing = nearest.inside(span);
                        let missing = missing.unwrap_or_else(|| self.no_item(pattern, span));
                        self.weigh(pattern.marks.level, Err(Box::new(missing)))?;
                    }
                }
                Ok(())
            }
            Rule::Lacks => {
                for (pattern, span) in patterns() {
                    let found = frames
                        .iter()
                        .find(|frame| self.would(|m| m.frame(pattern, span, frame)));
                    if let Some(frame) = found {
                        let expected = format!("no item to be {}", part(pattern, self.known()));
                        return Err(Box::new(Mismatch::new(span, expected, received(frame))));
                    }
                }
                Ok(())
            }
        }
    }

    /// Why no element is this item.
    fn missing_item(&mut self, pattern: &'a Pattern, span: Span, frames: &[Frame]) -> Mismatch {
        let mut nearest = Nearest::default();
        for frame in frames {
            if let Err(mismatch) = self.attempt(|m| m.frame(pattern, span, frame)) {
                nearest.offer(mismatch);
            }
        }
        let missing = nearest.inside(span);
        missing.unwrap_or_else(|| self.no_item(pattern, span))
    }

    fn no_item(&self, pattern: &Pattern, span: Span) -> Mismatch {
        let expected = format!("an item that is {}", part(pattern, self.known()));
        Mismatch::new(span, expected, "none".to_owned())
    }

    /// Parts in their order; none stands for `...`, which takes as few elements as possible.
    pub(super) fn in_order<P: Copy, E>(
        &mut self,
        parts: &[Option<P>],
        elements: &[E],
        matches: impl Fn(&mut Self, P, &E) -> Verdict,
        wrong_count: impl FnOnce() -> Mismatch,
    ) -> Verdict {
        let (mut part, mut element) = (0, 0);
        // Behind the last `...`: its place, the element where what follows was last tried, and
        // what had been found before it.
        let mut retry: Option<(usize, usize, Mark)> = None;
        let mut closest = None;
        loop {
            match (parts.get(part), elements.get(element)) {
                (None, None) => return Ok(()),
                (Some(None), _) => {
                    part += 1;
                    retry = Some((part, element, self.mark()));
                    closest = None;
                    continue;
                }
                (Some(Some(wanted)), Some(found)) => match matches(self, *wanted, found) {
                    Ok(()) => {
                        part += 1;
                        element += 1;
                        continue;
                    }
                    Err(mismatch) => {
                        closest.get_or_insert(mismatch);
                    }
                },
                (None, Some(_)) | (Some(_), None) => {}
            }
            match retry {
                Some((after, from, mark)) if from < elements.len() => {
                    part = after;
                    element = from + 1;
                    self.reset(mark.clone());
                    retry = Some((after, element, mark));
                }
                _ => return Err(closest.unwrap_or_else(|| Box::new(wrong_count()))),
            }
        }
    }

    pub(super) fn entries(
        &mut self,
        rule: Rule,
        entries: &'a [Spanned<Entry>],
        pairs: &[(Frame, Frame)],
        span: Span,
    ) -> Verdict {
        match rule {
            Rule::Whole | Rule::AnyOrder => {
                let wanted: Vec<_> = entries.iter().collect();
                let fits = |m: &mut Self, entry: &&'a _, pair: &_| m.entry(entry, pair);
                self.assign(&wanted, pairs, fits, |matcher, entry| {
                    matcher.missing_entry(entry, pairs)
                })?;
                same_count("key", entries.len(), pairs.len(), span)
            }
            Rule::Has => {
                for entry in entries {
                    let found = pairs
                        .iter()
                        .any(|pair| self.attempt(|m| m.entry(entry, pair)).is_ok());
                    if !found {
                        return Err(Box::new(self.missing_entry(entry, pairs)));
                    }
                }
                Ok(())
            }
            Rule::Lacks => {
                for entry in entries {
                    let found = pairs
                        .iter()
                        .find(|pair| self.would(|m| m.entry(entry, pair)));
                    if let Some((key, value)) = found {
                        let expected = format!(
                            "no entry whose key is {}",
                            part(&entry.value.key, self.known())
                        );
                        let received = format!("{} => {}", received(key), received(value));
                        return Err(Box::new(Mismatch::new(entry.span, expected, received)));
                    }
                }
                Ok(())
            }
        }
    }

    fn entry(&mut self, entry: &'a Spanned<Entry>, (key, value): &(Frame, Frame)) -> Verdict {
        let entry = &entry.value;
        self.frame(&entry.key, entry.key.span, key)?;
        self.frame(&entry.value, entry.value.span, value)
    }

    /// Why no pair is this entry: its value differs, or there is no such key.
    fn missing_entry(&mut self, entry: &'a Spanned<Entry>, pairs: &[(Frame, Frame)]) -> Mismatch {
        let entry = &entry.value;
        for (key, value) in pairs {
            if self.would(|m| m.frame(&entry.key, entry.key.span, key))
                && let Err(mismatch) =
                    self.attempt(|m| m.frame(&entry.value, entry.value.span, value))
            {
                return *mismatch;
            }
        }
        let expected = format!("an entry whose key is {}", part(&entry.key, self.known()));
        Mismatch::new(entry.key.span, expected, "none".to_owned())
    }

    /// Finds for every pattern an element of its own, then matches them for good.
    pub(super) fn assign<P, E>(
        &mut self,
        patterns: &[P],
        elements: &[E],
        matches: impl Fn(&mut Self, &P, &E) -> Verdict,
        missing: impl FnOnce(&mut Self, &P) -> Mismatch,
    ) -> Verdict {
        if patterns.len().saturating_mul(elements.len()) > MAX_PAIRS {
            let received = format!("{} parts, too many to be ordered", elements.len());
            let expected = format!("{} parts in any order", patterns.len());
            return Err(Box::new(Mismatch::new(Span::default(), expected, received)));
        }
        let fits: Vec<Vec<usize>> = patterns
            .iter()
            .map(|pattern| {
                let fit = |(place, element)| {
                    self.would(|matcher| matches(matcher, pattern, element))
                        .then_some(place)
                };
                elements.iter().enumerate().filter_map(fit).collect()
            })
            .collect();
        match pairing(&fits, elements.len()) {
            Ok(chosen) => {
                for (pattern, place) in patterns.iter().zip(chosen) {
                    if let Some(element) = elements.get(place) {
                        matches(self, pattern, element)?;
                    }
                }
                Ok(())
            }
            Err(_) if self.is_quiet() => unread(Span::default()),
            Err(unmatched) => match patterns.get(unmatched) {
                Some(pattern) => Err(Box::new(missing(self, pattern))),
                None => Ok(()),
            },
        }
    }
}

/// The element that comes closest to an item that none is: it differs at a later place than any
/// other.
#[derive(Default)]
struct Nearest {
    mismatch: Option<Box<Mismatch>>,
    tied: bool,
}

impl Nearest {
    fn offer(&mut self, mismatch: Box<Mismatch>) {
        let before = self.mismatch.as_ref().map(|best| best.span.start);
        match before.map(|before| mismatch.span.start.cmp(&before)) {
            None | Some(Ordering::Greater) => {
                self.mismatch = Some(mismatch);
                self.tied = false;
            }
            Some(Ordering::Equal) => self.tied = true,
            Some(Ordering::Less) => {}
        }
    }

    /// What differs in that element, if it is but a part of the item at `span`.
    fn inside(self, span: Span) -> Option<Mismatch> {
        let mismatch = *self.mismatch?;
        (!self.tied && mismatch.span.start > span.start).then_some(mismatch)
    }
}

fn same_count(noun: &str, wanted: usize, found: usize, span: Span) -> Verdict {
    if wanted == found {
        return Ok(());
    }
    let mismatch = Mismatch::new(span, counted(wanted, noun), found.to_string());
    Err(Box::new(mismatch))
}

fn wrong_count(wanted: usize, found: usize, at_least: bool, span: Span) -> Mismatch {
    let at_least = if at_least { "at least " } else { "" };
    let expected = format!("{at_least}{}", counted(wanted, "item"));
    Mismatch::new(span, expected, found.to_string())
}

/// For each pattern one of the elements that fit it, no element twice; or a pattern for which
/// there is none. Augmenting paths, breadth first.
fn pairing(fits: &[Vec<usize>], elements: usize) -> Result<Vec<usize>, usize> {
    let mut owner: Vec<Option<usize>> = vec![None; elements];
    let mut chosen: Vec<Option<usize>> = vec![None; fits.len()];
    for pattern in 0..fits.len() {
        // From which pattern each element was reached.
        let mut reached: Vec<Option<usize>> = vec![None; elements];
        let mut queue = VecDeque::from([pattern]);
        let mut free = None;
        'search: while let Some(from) = queue.pop_front() {
            for element in fits.get(from).into_iter().flatten().copied() {
                let Some(mark) = reached.get_mut(element).filter(|mark| mark.is_none()) else {
                    continue;
                };
                *mark = Some(from);
                if let Some(next) = owner.get(element).copied().flatten() {
                    queue.push_back(next);
                } else {
                    free = Some(element);
                    break 'search;
                }
            }
        }
        let Some(mut element) = free else {
            return Err(pattern);
        };
        while let Some(from) = reached.get(element).copied().flatten() {
            if let Some(place) = owner.get_mut(element) {
                *place = Some(from);
            }
            let before = chosen
                .get_mut(from)
                .and_then(|place| place.replace(element));
            match before {
                Some(earlier) if from != pattern => element = earlier,
                _ => break,
            }
        }
    }
    Ok(chosen.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pairing_is_found_where_greed_would_fail() {
        let fits = vec![vec![0, 1], vec![0], vec![1, 2]];
        assert_eq!(pairing(&fits, 3), Ok(vec![1, 0, 2]));
        assert_eq!(pairing(&[vec![0], vec![0]], 2), Err(1));
    }
}
