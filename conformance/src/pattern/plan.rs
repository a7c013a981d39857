//! Which parts of an expected list are kept, and which are written anew. Pure.

use crate::transcript::ast::Rule;

/// More pairs of parts are not compared: all is written anew.
const MAX_PAIRS: usize = 1 << 16;

/// A part of the new list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// The old part of this index.
    Keep(usize),
    /// The old part, and the new one that it becomes.
    Mend(usize, usize),
    /// The new part of this index.
    Fresh(usize),
}

/// The parts of a list that `new` elements satisfy. Of the old parts, none stands for `...`. Those that match an
/// element are kept, others become one that is alike, or that stands in their place. None if nothing is left.
pub(super) fn plan<P>(
    rule: Rule,
    old: &[Option<P>],
    new: usize,
    fits: impl Fn(&P, usize) -> bool,
    alike: impl Fn(&P, usize) -> bool,
) -> Option<Vec<Choice>> {
    if old.len().saturating_mul(new) > MAX_PAIRS {
        return Some((0..new).map(Choice::Fresh).collect());
    }
    let fits = |at: usize, new: usize| match old.get(at) {
        Some(Some(part)) => fits(part, new),
        _ => false,
    };
    let alike = |at: usize, new: usize| match old.get(at) {
        Some(Some(part)) => alike(part, new),
        _ => false,
    };
    let count = old.len();
    match rule {
        Rule::Whole => match old.iter().position(Option::is_none) {
            Some(first) => {
                let last = old.iter().rposition(Option::is_none).unwrap_or(first);
                Some(around(first, last, count, new, fits))
            }
            // As many as before: each in its place.
            None if count == new => Some((0..count).map(|at| in_place(at, at, &fits)).collect()),
            None => Some(in_order(count, new, fits)),
        },
        Rule::AnyOrder => Some(in_any_order(count, new, fits, alike)),
        Rule::Has => {
            let choice = |at: usize| {
                let is_there = (0..new).any(|new| fits(at, new));
                let other = || (0..new).find(|new| alike(at, *new));
                if is_there {
                    Some(Choice::Keep(at))
                } else {
                    other().map(|new| Choice::Mend(at, new))
                }
            };
            let choices: Vec<_> = (0..count).filter_map(choice).collect();
            (!choices.is_empty()).then_some(choices)
        }
        Rule::Lacks => {
            let lacked = (0..count).filter(|at| !(0..new).any(|new| fits(*at, new)));
            let choices: Vec<_> = lacked.map(Choice::Keep).collect();
            (!choices.is_empty()).then_some(choices)
        }
    }
}

/// What precedes the first `...`, and what follows the last one. What stands between two is given up.
fn around(
    first: usize,
    last: usize,
    count: usize,
    new: usize,
    fits: impl Fn(usize, usize) -> bool,
) -> Vec<Choice> {
    let behind = count - last - 1;
    if first + behind > new {
        return (0..new).map(Choice::Fresh).collect();
    }
    let before = (0..first).map(|at| in_place(at, at, &fits));
    let after = (last + 1..count).map(|at| in_place(at, new - (count - at), &fits));
    before.chain([Choice::Keep(first)]).chain(after).collect()
}

/// A part, and the element that stands in its place.
fn in_place(at: usize, new: usize, fits: &impl Fn(usize, usize) -> bool) -> Choice {
    if fits(at, new) {
        Choice::Keep(at)
    } else {
        Choice::Mend(at, new)
    }
}

/// The longest sequence of parts that match elements stays; between two of them, parts become the elements that
/// stand there, one after the other.
fn in_order(count: usize, new: usize, fits: impl Fn(usize, usize) -> bool) -> Vec<Choice> {
    let matrix: Vec<Vec<bool>> = (0..count)
        .map(|at| (0..new).map(|new| fits(at, new)).collect())
        .collect();
    let is_pair =
        |at: usize, new: usize| matrix.get(at).and_then(|row| row.get(new)) == Some(&true);
    // How many pairs there are from here on.
    let mut longest = vec![vec![0_usize; new + 1]; count + 1];
    let value = |table: &[Vec<usize>], at: usize, new: usize| {
        table
            .get(at)
            .and_then(|row| row.get(new))
            .copied()
            .unwrap_or(0)
    };
    for at in (0..count).rev() {
        for element in (0..new).rev() {
            let skipped = value(&longest, at + 1, element).max(value(&longest, at, element + 1));
            let paired = if is_pair(at, element) {
                value(&longest, at + 1, element + 1) + 1
            } else {
                0
            };
            if let Some(cell) = longest.get_mut(at).and_then(|row| row.get_mut(element)) {
                *cell = skipped.max(paired);
            }
        }
    }
    let mut choices = Vec::new();
    let (mut at, mut element) = (0, 0);
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    loop {
        let here = value(&longest, at, element);
        if at < count
            && element < new
            && is_pair(at, element)
            && here == value(&longest, at + 1, element + 1) + 1
        {
            replace(&mut choices, &mut gone, &mut come);
            choices.push(Choice::Keep(at));
            (at, element) = (at + 1, element + 1);
        } else if at < count && value(&longest, at + 1, element) == here {
            gone.push(at);
            at += 1;
        } else if element < new {
            come.push(element);
            element += 1;
        } else {
            replace(&mut choices, &mut gone, &mut come);
            return choices;
        }
    }
}

/// Parts that are gone become the elements that have come.
fn replace(choices: &mut Vec<Choice>, gone: &mut Vec<usize>, come: &mut Vec<usize>) {
    let mut gone = gone.drain(..);
    for new in come.drain(..) {
        choices.push(match gone.next() {
            Some(at) => Choice::Mend(at, new),
            None => Choice::Fresh(new),
        });
    }
}

/// Each part has an element of its own, where it stands among the others.
fn in_any_order(
    count: usize,
    new: usize,
    fits: impl Fn(usize, usize) -> bool,
    alike: impl Fn(usize, usize) -> bool,
) -> Vec<Choice> {
    let mut free: Vec<bool> = vec![true; new];
    let mut choices: Vec<Option<Choice>> = vec![None; count];
    let anything = |_: usize, _: usize| true;
    let suits: [&dyn Fn(usize, usize) -> bool; 3] = [&fits, &alike, &anything];
    for (round, suits) in suits.into_iter().enumerate() {
        for (at, choice) in choices.iter_mut().enumerate() {
            if choice.is_some() {
                continue;
            }
            let found = (0..new).find(|new| free.get(*new) == Some(&true) && suits(at, *new));
            if let Some(found) = found {
                free.iter_mut()
                    .skip(found)
                    .take(1)
                    .for_each(|it| *it = false);
                *choice = Some(if round == 0 {
                    Choice::Keep(at)
                } else {
                    Choice::Mend(at, found)
                });
            }
        }
    }
    let others = (0..new).filter(|new| free.get(*new) == Some(&true));
    let others: Vec<_> = others.map(Choice::Fresh).collect();
    choices.into_iter().flatten().chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts of a list that was `old` and is `new` now: `x` is kept, `x>y` becomes `y`, `+y` is new.
    fn planned(rule: Rule, old: &str, new: &str) -> Option<String> {
        let old: Vec<_> = old.split(' ').filter(|word| !word.is_empty()).collect();
        let new: Vec<_> = new.split(' ').filter(|word| !word.is_empty()).collect();
        let parts: Vec<_> = old
            .iter()
            .map(|word| (*word != "...").then_some(*word))
            .collect();
        let choices = plan(
            rule,
            &parts,
            new.len(),
            |old, at| *old == new[at],
            |old, at| old.split(':').next() == new[at].split(':').next(),
        )?;
        let text = choices.iter().map(|choice| match choice {
            Choice::Keep(at) => old[*at].to_owned(),
            Choice::Mend(at, to) => format!("{}>{}", old[*at], new[*to]),
            Choice::Fresh(at) => format!("+{}", new[*at]),
        });
        Some(text.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn only_what_differs_becomes_something_else() {
        for (rule, old, new, expected) in [
            (Rule::Whole, "a b c", "a x c", "a b>x c"),
            (Rule::Whole, "a c", "a b c", "a +b c"),
            (Rule::Whole, "a b c", "a c", "a c"),
            (Rule::Whole, "a b", "x y z", "a>x b>y +z"),
            (Rule::Whole, "a ... c", "a x y d", "a ... c>d"),
            (Rule::Whole, "a b ...", "a", "+a"),
            (Rule::Whole, "a", "", ""),
            (
                Rule::AnyOrder,
                "a:1 b:1 c:1",
                "c:1 b:2 a:1 d:1",
                "a:1 b:1>b:2 c:1 +d:1",
            ),
            (Rule::AnyOrder, "a b", "b", "b"),
            (Rule::Has, "a:1 b:1 c:1", "x a:1 b:2", "a:1 b:1>b:2"),
            (Rule::Lacks, "a b", "b c", "a"),
        ] {
            assert_eq!(
                planned(rule, old, new).as_deref(),
                Some(expected),
                "{old}, {new}"
            );
        }
    }

    #[test]
    fn what_would_say_nothing_any_more_is_no_plan() {
        assert_eq!(planned(Rule::Has, "a:1", "b:1"), None);
        assert_eq!(planned(Rule::Lacks, "a", "a"), None);
    }
}
