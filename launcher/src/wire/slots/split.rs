//! Slots for new masters.

use super::{Slot, SlotRange};

/// Deals all slots out to that many masters in their order, exactly as
/// `redis-cli --cluster create` does (`clusterManagerCommandCreate` in redis-cli.c, the same
/// from Redis 5.0 to Valkey 9): in single precision, rounding half up, the rest to the last
/// master. Three masters get 0-5460, 5461-10922 and 10923-16383.
///
/// None for no masters; beyond 16384 masters each slot has one already and the rest get none.
pub fn split_evenly(masters: usize) -> Vec<SlotRange> {
    let masters = u16::try_from(masters).map_or(Slot::COUNT, |masters| masters.min(Slot::COUNT));
    let share = f32::from(Slot::COUNT) / f32::from(masters);
    let mut cursor = 0.0_f32;
    let mut first = Some(Slot::FIRST);
    (1..=masters)
        .map_while(|master| {
            let start = first?;
            let end = if master == masters {
                Slot::LAST
            } else {
                rounded(cursor + share - 1.0)
            };
            let end = end.max(start);
            cursor += share;
            first = end.next();
            SlotRange::new(start, end)
        })
        .collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the conversion saturates, and what is out of range becomes the last slot"
)]
fn rounded(slot: f32) -> Slot {
    Slot::new(slot.round() as u16).unwrap_or(Slot::LAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(masters: usize) -> Vec<String> {
        split_evenly(masters)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn slots_are_dealt_out_as_redis_cli_does() {
        assert_eq!(split(1), ["0-16383"]);
        assert_eq!(split(2), ["0-8191", "8192-16383"]);
        assert_eq!(split(3), ["0-5460", "5461-10922", "10923-16383"]);
        assert_eq!(
            split(5),
            [
                "0-3276",
                "3277-6553",
                "6554-9829",
                "9830-13106",
                "13107-16383"
            ]
        );
    }

    #[test]
    fn single_precision_decides_where_seven_shares_end() {
        let ranges = "0-2340 2341-4680 4681-7021 7022-9361 9362-11702 11703-14042 14043-16383";
        assert_eq!(split(7).join(" "), ranges);
    }

    #[test]
    fn every_slot_has_one_master_and_every_master_a_slot() {
        for masters in (1..=1000).chain([16383, 16384]) {
            let ranges = split_evenly(masters);
            assert_eq!(ranges.len(), masters);
            let (first, last) = (ranges[0].start(), ranges[masters - 1].end());
            assert_eq!(
                (first, last),
                (Slot::FIRST, Slot::LAST),
                "{masters} masters"
            );
            let adjoin =
                |pair: &[SlotRange]| pair[0].end().number() + 1 == pair[1].start().number();
            assert!(ranges.windows(2).all(adjoin), "{masters} masters");
        }
    }

    #[test]
    fn nobody_gets_nothing() {
        assert!(split(0).is_empty());
        assert_eq!(split(20_000).len(), 16384);
    }
}
