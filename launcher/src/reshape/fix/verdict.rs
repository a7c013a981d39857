//! Whose a slot is to be when nodes contradict each other, or stopped half-way. Pure.
//!
//! The cases are those of `clusterManagerFixOpenSlot`, `clusterManagerFixSlotsCoverage` and
//! `clusterManagerFixMultipleSlotOwners` (redis-cli.c, Redis 5.0 to 8, Valkey 7.2 to 9). Of a key that
//! two nodes have, the copy counts that clients were answered from: the owner's.

use crate::wire::view::Epoch;

/// What is known of one slot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Case<'a> {
    /// The masters that say it is theirs, with their epochs.
    pub(super) owners: Vec<(&'a str, Epoch)>,
    /// The masters that say it leaves them, each with the node that it goes to, if there is one.
    pub(super) migrating: Vec<(&'a str, Option<&'a str>)>,
    /// The masters that say they are getting it.
    pub(super) importing: Vec<&'a str>,
    /// The masters that hold keys of it, and how many.
    pub(super) keys: Vec<(&'a str, u64)>,
    /// To whom the other nodes give it.
    pub(super) told: Option<&'a str>,
    /// A node that does not answer owns it, or is one end of its way: nothing is decided without it.
    pub(super) waits: bool,
}

/// Whose a slot is to be, and what follows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Verdict<'a> {
    /// The node that is to have it.
    pub(super) owner: &'a str,
    /// The owner so far, who hands the slot over with its keys as a move that was begun wants it.
    pub(super) hands_over: Option<&'a str>,
    /// Whether the owner-to-be does not own it yet and nobody hands it over.
    pub(super) takes: bool,
    /// Those who say that it is theirs and are wrong.
    pub(super) released: Vec<&'a str>,
    /// Those who say that it is on its way, which it is not.
    pub(super) closed: Vec<&'a str>,
    /// Those whose keys go to the owner, unless it has such a key.
    pub(super) bring: Vec<&'a str>,
}

/// What is to become of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ruling<'a> {
    /// It is as it should be, or cannot be helped now.
    Leave,
    /// It is to be mended.
    Mend(Verdict<'a>),
    /// Nobody has it, and nobody has keys of it.
    Deal,
}

/// Decides on one slot.
pub(super) fn rule<'a>(case: &Case<'a>) -> Ruling<'a> {
    if case.waits {
        return Ruling::Leave;
    }
    let verdict = match case.owners.as_slice() {
        [(owner, _)] => match destination(case, owner) {
            // A move stopped half-way: it goes on in its direction.
            Some(to) => case.verdict(to, Some(owner)),
            None => case.verdict(owner, None),
        },
        [] => match candidate(case) {
            Some(candidate) => case.verdict(candidate, None),
            None => return Ruling::Deal,
        },
        several => {
            // The protocol's own rule: the higher epoch wins.
            let rank = |(node, epoch): &(&str, Epoch)| (*epoch, case.count(node));
            let winner = several.iter().rev().max_by_key(|claim| rank(claim));
            match winner {
                Some((winner, _)) => case.verdict(winner, None),
                None => return Ruling::Leave,
            }
        }
    };
    if verdict.is_needed() {
        Ruling::Mend(verdict)
    } else {
        Ruling::Leave
    }
}

/// Where a slot goes, if both ends say so.
fn destination<'a>(case: &Case<'a>, owner: &str) -> Option<&'a str> {
    let (_, to) = case.migrating.iter().find(|(from, _)| *from == owner)?;
    to.filter(|to| case.importing.contains(to))
}

/// Who gets a slot that nobody owns: who has most of its keys; else who was about to get it; else
/// who was about to give it away, having lost it meanwhile; else who has it as others still say.
fn candidate<'a>(case: &Case<'a>) -> Option<&'a str> {
    // Of several with as many keys: the one that others take for the owner, then an importing one.
    let rank = |(node, count): &(&str, u64)| {
        let told = case.told == Some(*node);
        (*count, told, case.importing.contains(node))
    };
    let richest = case.keys.iter().rev().max_by_key(|holder| rank(holder));
    let migrating = || case.migrating.first().map(|(from, _)| *from);
    richest
        .map(|(node, _)| *node)
        .or_else(|| case.importing.first().copied())
        .or_else(migrating)
        .or(case.told)
}

impl<'a> Case<'a> {
    fn count(&self, node: &str) -> u64 {
        let of_node = self.keys.iter().find(|(holder, _)| *holder == node);
        of_node.map_or(0, |(_, count)| *count)
    }

    fn verdict(&self, owner: &'a str, hands_over: Option<&'a str>) -> Verdict<'a> {
        let owns = |node: &str| self.owners.iter().any(|(own, _)| *own == node);
        let in_order =
            |node: &&str| hands_over.is_some() && (*node == owner || Some(*node) == hands_over);
        let marked = self.migrating.iter().map(|(from, _)| *from);
        let mut closed: Vec<_> = marked
            .chain(self.importing.iter().copied())
            .filter(|node| !in_order(node))
            .collect();
        closed.sort_unstable();
        closed.dedup();
        Verdict {
            owner,
            hands_over,
            takes: hands_over.is_none() && !owns(owner),
            released: self
                .owners
                .iter()
                .map(|(own, _)| *own)
                .filter(|own| *own != owner && Some(*own) != hands_over)
                .collect(),
            closed,
            bring: self
                .keys
                .iter()
                .map(|(node, _)| *node)
                .filter(|node| *node != owner && Some(*node) != hands_over)
                .collect(),
        }
    }
}

impl Verdict<'_> {
    fn is_needed(&self) -> bool {
        self.takes
            || self.hands_over.is_some()
            || !(self.released.is_empty() && self.closed.is_empty() && self.bring.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mend<'a>(case: &Case<'a>) -> Verdict<'a> {
        match rule(case) {
            Ruling::Mend(verdict) => verdict,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_slot_with_one_owner_and_no_strangers_is_left_alone() {
        let case = Case {
            owners: vec![("n1", Epoch(1))],
            keys: vec![("n1", 7)],
            ..Case::default()
        };
        assert_eq!(rule(&case), Ruling::Leave);
    }

    #[test]
    fn a_move_that_both_ends_know_of_goes_on() {
        let case = Case {
            owners: vec![("n1", Epoch(1))],
            migrating: vec![("n1", Some("n2"))],
            importing: vec!["n2"],
            keys: vec![("n1", 3), ("n2", 2)],
            ..Case::default()
        };
        let verdict = mend(&case);
        assert_eq!((verdict.owner, verdict.hands_over), ("n2", Some("n1")));
        assert!(!verdict.takes && verdict.bring.is_empty() && verdict.closed.is_empty());
    }

    #[test]
    fn a_third_importer_of_a_move_is_closed_and_its_keys_go_to_the_destination() {
        let case = Case {
            owners: vec![("n1", Epoch(1))],
            migrating: vec![("n1", Some("n2"))],
            importing: vec!["n2", "n3"],
            keys: vec![("n3", 1)],
            ..Case::default()
        };
        let verdict = mend(&case);
        assert_eq!((verdict.owner, verdict.hands_over), ("n2", Some("n1")));
        assert_eq!((verdict.closed, verdict.bring), (vec!["n3"], vec!["n3"]));
    }

    #[test]
    fn migrating_without_an_importer_is_closed_at_the_owner() {
        let case = Case {
            owners: vec![("n1", Epoch(1))],
            migrating: vec![("n1", Some("n2"))],
            keys: vec![("n1", 3), ("n2", 2)],
            ..Case::default()
        };
        let verdict = mend(&case);
        assert_eq!((verdict.owner, verdict.hands_over), ("n1", None));
        assert_eq!((verdict.closed, verdict.bring), (vec!["n1"], vec!["n2"]));
    }

    #[test]
    fn importers_without_a_migrating_owner_bring_their_keys_back() {
        let case = Case {
            owners: vec![("n1", Epoch(1))],
            importing: vec!["n2", "n3"],
            keys: vec![("n1", 3), ("n2", 9)],
            ..Case::default()
        };
        let verdict = mend(&case);
        assert_eq!(verdict.owner, "n1");
        assert_eq!(
            (verdict.closed, verdict.bring),
            (vec!["n2", "n3"], vec!["n2"])
        );
    }

    #[test]
    fn a_former_owner_that_still_says_migrating_is_closed() {
        let case = Case {
            owners: vec![("n2", Epoch(5))],
            migrating: vec![("n1", Some("n2"))],
            ..Case::default()
        };
        let verdict = mend(&case);
        assert_eq!((verdict.owner, verdict.closed), ("n2", vec!["n1"]));
    }

    #[test]
    fn keys_in_a_slot_that_is_not_the_holders_go_to_its_owner() {
        let case = Case {
            owners: vec![("n1", Epoch(1))],
            keys: vec![("n3", 1)],
            ..Case::default()
        };
        assert_eq!(mend(&case).bring, ["n3"]);
    }

    #[test]
    fn of_several_owners_the_higher_epoch_wins_then_the_one_with_more_keys() {
        let mut case = Case {
            owners: vec![("n1", Epoch(1)), ("n2", Epoch(4))],
            keys: vec![("n1", 9)],
            ..Case::default()
        };
        let verdict = mend(&case);
        assert_eq!((verdict.owner, verdict.takes), ("n2", false));
        assert_eq!((verdict.released, verdict.bring), (vec!["n1"], vec!["n1"]));
        case.owners = vec![("n1", Epoch(4)), ("n2", Epoch(4))];
        assert_eq!(mend(&case).owner, "n1");
        case.keys.clear();
        assert_eq!(mend(&case).owner, "n1");
    }

    #[test]
    fn an_uncovered_slot_goes_to_who_has_most_of_its_keys() {
        let case = Case {
            keys: vec![("n1", 1), ("n2", 4), ("n3", 4)],
            told: Some("n3"),
            ..Case::default()
        };
        let verdict = mend(&case);
        assert_eq!((verdict.owner, verdict.takes), ("n3", true));
        assert_eq!(verdict.bring, ["n1", "n2"]);
    }

    #[test]
    fn an_uncovered_slot_without_keys_goes_to_who_was_about_to_get_it() {
        let case = Case {
            importing: vec!["n2"],
            migrating: vec![("n1", None)],
            ..Case::default()
        };
        let verdict = mend(&case);
        assert_eq!((verdict.owner, verdict.takes), ("n2", true));
        assert_eq!(verdict.closed, ["n1", "n2"]);
    }

    #[test]
    fn an_uncovered_slot_goes_back_to_who_has_it_as_others_say() {
        let case = Case {
            told: Some("n3"),
            ..Case::default()
        };
        assert_eq!(mend(&case).owner, "n3");
    }

    #[test]
    fn an_uncovered_slot_that_nobody_has_to_do_with_is_dealt_out() {
        assert_eq!(rule(&Case::default()), Ruling::Deal);
    }

    #[test]
    fn nothing_is_decided_without_a_silent_node_that_is_concerned() {
        let case = Case {
            migrating: vec![("n1", None)],
            owners: vec![("n1", Epoch(1))],
            waits: true,
            ..Case::default()
        };
        assert_eq!(rule(&case), Ruling::Leave);
    }
}
