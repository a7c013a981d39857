//! Which slots go from where to where, and how far each of them is. Pure.

use crate::error::reshape::MoveError;
use crate::probe::survey::Survey;
use crate::state::Move;
use crate::wire::slots::Slot;
use crate::wire::view::NodeLine;

/// Which of two keys of the same name counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// The one that leaves, since the slot is served there until now: what is at the target is left
    /// of a MIGRATE that was interrupted.
    #[default]
    Source,
    /// The one that is there, since the slot is served there: what is at the source is deleted.
    Target,
}

/// How many slots all moves are about.
pub fn count(moves: &[Move]) -> usize {
    moves
        .iter()
        .map(|part| usize::from(part.slots.count()))
        .sum()
}

/// One slot of a move: what its two ends say before it is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) slot: Slot,
    /// The source says that the slot is its own.
    pub(super) source_owns: bool,
    /// The target says so.
    pub(super) target_owns: bool,
    /// One of them says that the slot is on its way.
    pub(super) open: bool,
    /// Of a key that both have: the one of the node that serves the slot.
    pub(super) keep: Keep,
}

impl Task {
    /// Nothing is left to be done.
    fn done(self) -> bool {
        self.target_owns && !self.source_owns && !self.open
    }
}

/// What is left to be done of a move.
///
/// # Errors
/// One of the two nodes is silent, or a slot belongs to neither of them.
pub(super) fn tasks(part: &Move, survey: &Survey) -> Result<Vec<Task>, MoveError> {
    let (from, to) = (line(survey, &part.from)?, line(survey, &part.to)?);
    let open = survey.open_slots();
    let mut tasks = Vec::new();
    for slot in part.slots.slots() {
        let (source_owns, target_owns) = (from.owns(slot), to.owns(slot));
        // Of two owners the one with the higher epoch is believed.
        let keep = if target_owns && !(source_owns && from.epoch > to.epoch) {
            Keep::Target
        } else {
            Keep::Source
        };
        let task = Task {
            slot,
            source_owns,
            target_owns,
            keep,
            open: open
                .iter()
                .any(|open| open.slot == slot && (open.node == part.from || open.node == part.to)),
        };
        if !task.source_owns && !task.target_owns {
            return Err(MoveError::Elsewhere {
                slot,
                from: part.from.clone(),
                to: part.to.clone(),
                owner: survey.owners(slot).next().map(ToOwned::to_owned),
            });
        }
        // A source that has become a replica of the target has nothing of its own left to give.
        if !task.done() && part.from != part.to {
            tasks.push(task);
        }
    }
    Ok(tasks)
}

/// What a node says of itself.
///
/// # Errors
/// It is silent.
pub(super) fn line<'a>(survey: &'a Survey, node: &str) -> Result<&'a NodeLine, MoveError> {
    survey.node(node).ok_or_else(|| MoveError::Silent {
        node: node.to_owned(),
        reason: (survey.why_silent(node).unwrap_or("the node does not exist")).to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::survey::Account;

    fn survey() -> Survey {
        Survey::new(vec![
            Account::written(
                "n1",
                "aa 127.0.0.1:1@2 myself,master - 0 0 1 connected 0-99 [7->-bb]\n",
            ),
            Account::written(
                "n2",
                "bb 127.0.0.1:3@4 myself,master - 0 0 2 connected 99-200 [7-<-aa] [150-<-aa]\n",
            ),
            Account::written(
                "n3",
                "cc 127.0.0.1:5@6 myself,master - 0 0 3 connected 300\n",
            ),
        ])
    }

    fn part(slots: &str) -> Move {
        Move {
            slots: slots.parse().unwrap(),
            from: "n1".to_owned(),
            to: "n2".to_owned(),
        }
    }

    #[test]
    fn what_has_arrived_is_not_moved_again() {
        assert_eq!(tasks(&part("151-160"), &survey()).unwrap(), []);
    }

    #[test]
    fn a_slot_that_is_on_its_way_or_that_both_have_is_not_done() {
        let tasks = tasks(&part("6-7,99-101,150"), &survey()).unwrap();
        let told: Vec<_> = tasks
            .iter()
            .map(|task| {
                (
                    task.slot.number(),
                    task.source_owns,
                    task.target_owns,
                    task.open,
                    task.keep,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                (6, true, false, false, Keep::Source),
                (7, true, false, true, Keep::Source),
                (99, true, true, false, Keep::Target),
                (150, false, true, true, Keep::Target)
            ]
        );
    }

    #[test]
    fn nothing_is_left_to_move_from_a_node_to_itself() {
        let part = Move {
            from: "n2".to_owned(),
            ..part("99-200")
        };
        assert_eq!(tasks(&part, &survey()).unwrap(), []);
    }

    #[test]
    fn a_slot_that_somebody_else_has_is_an_error_that_names_him() {
        let error = tasks(&part("300"), &survey()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "slot 300 was to move from `n1` to `n2`, but `n3` serves it"
        );
        let error = tasks(&part("400"), &survey()).unwrap_err();
        assert!(
            error.to_string().ends_with("but no node serves it"),
            "{error}"
        );
    }

    #[test]
    fn a_silent_end_is_an_error() {
        let silent = Move {
            to: "n9".to_owned(),
            ..part("1")
        };
        let error = tasks(&silent, &survey()).unwrap_err();
        assert!(error.to_string().contains("`n9`"), "{error}");
    }
}
