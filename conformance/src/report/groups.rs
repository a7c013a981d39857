//! Departures by what causes them, so that each cause is told once. Pure.

use std::collections::BTreeMap;

use crate::run::result::{CaseResult, RunResult, Verdict};
use crate::system::Cause;

/// From so many cases on, departures that received the same are taken for one.
const ALIKE: usize = 4;

/// Cases that depart for one reason.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group<'a> {
    /// The reason, as in `CLUSTER SHARDS is missing`; none for a departure that is like no other.
    pub(super) cause: Option<String>,
    /// Whether the reason says all there is to say.
    pub(super) is_plain: bool,
    /// At least one, in the order of the run.
    pub(super) cases: Vec<&'a CaseResult>,
}

/// What departs or could not be run, in the order of the first case of each group.
pub(super) fn groups(run: &RunResult) -> Vec<Group<'_>> {
    let mut by_reason: BTreeMap<Reason, Vec<&CaseResult>> = BTreeMap::new();
    for (place, case) in run.cases.iter().enumerate() {
        if let Some(reason) = Reason::of(&case.verdict, place) {
            by_reason.entry(reason).or_default().push(case);
        }
    }
    let mut groups = Vec::new();
    for (reason, cases) in by_reason {
        match reason {
            Reason::Received(_) if cases.len() < ALIKE => {
                let single = |case| Group {
                    cause: None,
                    is_plain: false,
                    cases: vec![case],
                };
                groups.extend(cases.into_iter().map(single));
            }
            reason => groups.push(Group {
                is_plain: !matches!(reason, Reason::Received(_) | Reason::Wire(_)),
                cause: reason.text(),
                cases,
            }),
        }
    }
    let place = |case: &CaseResult| run.cases.iter().position(|other| other.id == case.id);
    groups.sort_by_key(|group| group.cases.first().and_then(|case| place(case)));
    groups
}

/// What cases may have in common.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    Missing(Cause),
    Wire(Cause),
    NotRun(String),
    Received(String),
    /// The place of a case that is like no other.
    Own(usize),
}

impl Reason {
    fn of(verdict: &Verdict, place: usize) -> Option<Self> {
        let difference = match verdict {
            Verdict::Departs(difference) => difference,
            Verdict::Broken(reason) => return Some(Self::NotRun(reason.clone())),
            Verdict::Fixed { .. } => return Some(Self::Own(place)),
            _ => return None,
        };
        Some(match &difference.cause {
            Some(cause @ Cause::Missing(_)) => Self::Missing(cause.clone()),
            Some(cause @ (Cause::Silent | Cause::Closes | Cause::NoResp)) => {
                Self::Wire(cause.clone())
            }
            Some(Cause::OtherType) | None => Self::Received(difference.received.clone()),
        })
    }

    fn text(&self) -> Option<String> {
        match self {
            Self::Missing(cause) | Self::Wire(cause) => Some(cause.to_string()),
            Self::NotRun(reason) => Some(format!("could not be run: {reason}")),
            Self::Received(text) => {
                let first = text.lines().next().unwrap_or_default();
                Some(format!("received {}", first.trim_end_matches(':')))
            }
            Self::Own(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::result::Difference;
    use crate::transcript::Span;

    #[test]
    fn texts_that_only_begin_alike_are_not_alike() {
        let reason = |received: &str| {
            let difference = Difference::at(Span::new(0, 0), "another", received);
            Reason::of(&Verdict::Departs(Box::new(difference)), 0)
        };
        assert_ne!(reason("2 lines:\na\nb"), reason("2 lines:\na\nc"));
        let text = reason("2 lines:\na\nb").and_then(|reason| reason.text());
        assert_eq!(text.as_deref(), Some("received 2 lines"));
    }
}
