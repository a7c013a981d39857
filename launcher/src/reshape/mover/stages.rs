//! The order of the moves: a master that gives all its slots away keeps one of them for the end. Pure.
//!
//! A master that learns from a bus packet that its last slot is gone becomes a replica of whoever has
//! it, and from then on puts *that* master's epoch into its packets (`clusterBuildMessageHdr`). Who gets
//! such a packet that is no PING or PONG, such as an UPDATE, notes the epoch and not the new role
//! (`clusterProcessPacket`, `cluster.c` of Redis 5.0 to 7.0, later `cluster_legacy.c`): to him, whatever slots
//! he has not heard of yet are still the former master's, with an epoch above that of their new owner.
//! He tells the new owner so, which lets go of them and *deletes their keys*. Seen on Redis 6.0, with
//! the replica of the emptied master as the one who lags behind, in 4 of 32 moves where it was stopped for
//! some 100 ms. So the master keeps one slot until everybody has heard of all the others.

use std::collections::BTreeSet;

use crate::probe::survey::Survey;
use crate::reshape::Move;
use crate::wire::slots::{Slot, SlotRanges};

/// The moves in the order in which they can be made: all at once, or all but one slot of each master
/// that gives everything away to several others, then these.
pub(super) fn stages(moves: Vec<Move>, survey: &Survey) -> Vec<Vec<Move>> {
    let sources: BTreeSet<&str> = moves.iter().map(|part| part.from.as_str()).collect();
    let finals: Vec<Move> = sources
        .into_iter()
        .filter_map(|source| final_slot(source, &moves, survey))
        .collect();
    if finals.is_empty() {
        return vec![moves];
    }
    let mut first = moves;
    for part in &mut first {
        let of_source = finals.iter().filter(|slot| slot.from == part.from);
        for slot in of_source.flat_map(|slot| slot.slots.slots()) {
            part.slots.remove(slot);
        }
    }
    vec![first, finals]
}

fn final_slot(source: &str, moves: &[Move], survey: &Survey) -> Option<Move> {
    let line = survey.node(source)?;
    let parts = || moves.iter().filter(|part| part.from == source);
    let goes = |slot: Slot| parts().any(|part| part.slots.contains(slot));
    let mut owned = line.slots.slots();
    if !owned.all(goes) {
        return None;
    }
    let still = |part: &Move| part.slots.slots().filter(|slot| line.owns(*slot)).last();
    let mut left = parts().filter_map(|part| Some((part, still(part)?))).rev();
    let (part, slot) = left.next()?;
    left.any(|(other, _)| other.to != part.to).then(|| Move {
        slots: SlotRanges::from_iter([slot]),
        ..part.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::survey::Account;
    use crate::wire::resp::{Frame, Value};
    use crate::wire::view;

    fn staged(own: &str, moves: &[(&str, &str)]) -> Vec<String> {
        let text = format!("aa h:1@2 myself,master - 0 0 1 connected {own}\n");
        let text = Frame::from_value(Value::BulkString(text.into_bytes().into()));
        let survey = Survey::new(vec![Account {
            node: "n1".to_owned(),
            says: Ok(view::nodes(&text).unwrap()),
        }]);
        let moves = moves.iter().map(|(slots, to)| Move {
            slots: slots.parse().unwrap(),
            from: "n1".to_owned(),
            to: (*to).to_owned(),
        });
        let told = |part: &Move| format!("{} to {}", part.slots, part.to);
        let staged = stages(moves.collect(), &survey).into_iter();
        staged
            .map(|stage| stage.iter().map(told).collect::<Vec<_>>().join(", "))
            .collect()
    }

    #[test]
    fn who_gives_everything_to_several_keeps_one_slot_for_the_end() {
        let stages = staged("0-9", &[("0-4", "n2"), ("5-9", "n3")]);
        assert_eq!(stages, ["0-4 to n2, 5-8 to n3", "9 to n3"]);
    }

    #[test]
    fn what_has_gone_already_is_not_kept() {
        let stages = staged("3-6", &[("0-4", "n2"), ("5-9", "n3")]);
        assert_eq!(stages, ["0-4 to n2, 5,7-9 to n3", "6 to n3"]);
    }

    #[test]
    fn who_keeps_some_or_gives_all_to_one_gives_it_at_once() {
        for (own, moves) in [
            ("0-10", [("0-4", "n2"), ("5-9", "n3")]),
            ("0-9", [("0-4", "n2"), ("5-9", "n2")]),
            ("0-3", [("0-4", "n2"), ("5-9", "n3")]),
            ("", [("0-4", "n2"), ("5-9", "n3")]),
        ] {
            assert_eq!(staged(own, &moves).len(), 1, "{own} {moves:?}");
        }
    }
}
