//! Slots that are to go somewhere are dealt out so that the masters have as many as each other. Pure.

use crate::wire::slots::SlotRanges;

/// Deals slots out to masters that have so many already, those with the fewest first; in few ranges,
/// in slot order. Masters that get none are left out; without masters nobody gets any.
pub(crate) fn deal<'a>(
    slots: &SlotRanges,
    masters: &[(&'a str, u16)],
) -> Vec<(&'a str, SlotRanges)> {
    let level = level(slots.count(), masters);
    let mut rooms: Vec<(&'a str, u16)> = masters
        .iter()
        .filter(|(_, has)| *has <= level)
        .map(|(node, has)| (*node, level - has))
        .collect();
    // What is left is less than one for each of those that stand at the level now; who gets many
    // anyway does not need a range of its own for it.
    let left = slots.count() - rooms.iter().map(|(_, room)| room).sum::<u16>();
    let mut order: Vec<_> = rooms.iter_mut().collect();
    order.sort_by_key(|(_, room)| std::cmp::Reverse(*room));
    order
        .into_iter()
        .take(usize::from(left))
        .for_each(|(_, room)| *room += 1);
    let mut rest = slots.slots();
    let mut shares: Vec<(&'a str, SlotRanges)> = rooms
        .into_iter()
        .map(|(node, room)| (node, rest.by_ref().take(usize::from(room)).collect()))
        .collect();
    shares.retain(|(_, share)| !share.is_empty());
    shares
}

/// The most slots to which every master with fewer can be brought.
fn level(slots: u16, masters: &[(&str, u16)]) -> u16 {
    let needed = |level: u16| -> u32 {
        let room = masters.iter().map(|(_, has)| level.saturating_sub(*has));
        room.map(u32::from).sum()
    };
    let mut level = 0;
    for power in (0..15).rev() {
        let higher = level + (1 << power);
        if needed(higher) <= u32::from(slots) && !masters.is_empty() {
            level = higher;
        }
    }
    level
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dealt(slots: &str, masters: &[(&str, u16)]) -> Vec<String> {
        deal(&slots.parse().unwrap(), masters)
            .iter()
            .map(|(node, slots)| format!("{node} {slots}"))
            .collect()
    }

    #[test]
    fn who_has_lost_all_gets_all_back() {
        let masters = [("n1", 5461), ("n2", 0), ("n3", 5461)];
        assert_eq!(dealt("5461-10922", &masters), ["n2 5461-10922"]);
    }

    #[test]
    fn shares_are_even_and_in_few_ranges() {
        assert_eq!(
            dealt("0-8", &[("n1", 100), ("n2", 100), ("n3", 100)]),
            ["n1 0-2", "n2 3-5", "n3 6-8"]
        );
        assert_eq!(dealt("0-3", &[("n1", 2), ("n2", 0)]), ["n1 0", "n2 1-3"]);
    }

    #[test]
    fn masters_of_which_nothing_is_counted_get_the_same_number() {
        let three = [("n1", 0), ("n2", 0), ("n3", 0)];
        assert_eq!(dealt("0-9", &three), ["n1 0-3", "n2 4-6", "n3 7-9"]);
        assert_eq!(dealt("7", &three), ["n1 7"]);
    }

    #[test]
    fn every_slot_is_dealt_out_also_when_it_does_not_come_out_even() {
        for (slots, masters) in [
            ("0-16383", vec![("n1", 0), ("n2", 0), ("n3", 0)]),
            ("7", vec![("n1", 9), ("n2", 9)]),
            ("3-4,9", vec![("n1", 8190), ("n2", 8191)]),
            ("0-16383", vec![("n1", 0)]),
        ] {
            let all: SlotRanges = slots.parse().unwrap();
            let shares = deal(&all, &masters);
            let dealt: u16 = shares.iter().map(|(_, share)| share.count()).sum();
            assert_eq!(dealt, all.count(), "{slots} {masters:?}: {shares:?}");
        }
        assert!(dealt("0-10", &[]).is_empty());
    }
}
