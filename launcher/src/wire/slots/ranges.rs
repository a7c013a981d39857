//! A set of slots.

use std::fmt;

use super::{Slot, SlotRange};

/// A set of slots, kept as the fewest ranges, in order. Written `0-5460,10923`.
#[derive(
    Debug,
    Clone,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct SlotRanges(Vec<SlotRange>);

impl From<SlotRanges> for String {
    fn from(ranges: SlotRanges) -> Self {
        ranges.to_string()
    }
}

/// How reports have it: a list of the ranges, each as it is written.
pub fn as_list<S: serde::Serializer>(slots: &SlotRanges, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(slots.ranges().iter().map(ToString::to_string))
}

impl SlotRanges {
    /// Adds slots; those that are in it already stay.
    pub fn insert(&mut self, range: impl Into<SlotRange>) {
        let mut added = range.into();
        self.0.retain(|range| match added.join(*range) {
            Some(joined) => {
                added = joined;
                false
            }
            None => true,
        });
        let place = self.0.partition_point(|range| *range < added);
        self.0.insert(place, added);
    }

    /// Takes slots out; those that are not in it stay out.
    pub fn remove(&mut self, range: impl Into<SlotRange>) {
        let gone = range.into();
        self.0 = self
            .0
            .iter()
            .flat_map(|range| range.without(gone))
            .collect();
    }

    /// Whether the slot is in it.
    pub fn contains(&self, slot: Slot) -> bool {
        let place = self.0.partition_point(|range| range.end() < slot);
        self.0.get(place).is_some_and(|range| range.contains(slot))
    }

    /// The first slot of a range that is in it.
    pub(super) fn first_in(&self, range: SlotRange) -> Option<Slot> {
        let place = self.0.partition_point(|own| own.end() < range.start());
        let first = self.0.get(place)?.start().max(range.start());
        range.contains(first).then_some(first)
    }

    /// How many slots are in it, 0 to 16384.
    pub fn count(&self) -> u16 {
        self.0.iter().map(|range| range.count()).sum()
    }

    /// Whether no slot is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ranges, in order; between two of them at least one slot is missing.
    pub fn ranges(&self) -> &[SlotRange] {
        &self.0
    }

    /// The slots, in order.
    pub fn slots(&self) -> impl Iterator<Item = Slot> {
        self.0.iter().flat_map(|range| range.slots())
    }
}

impl<R: Into<SlotRange>> FromIterator<R> for SlotRanges {
    fn from_iter<I: IntoIterator<Item = R>>(ranges: I) -> Self {
        let mut ranges: Vec<SlotRange> = ranges.into_iter().map(Into::into).collect();
        ranges.sort_unstable();
        ranges.dedup_by(|next, last| match last.join(*next) {
            Some(joined) => {
                *last = joined;
                true
            }
            None => false,
        });
        Self(ranges)
    }
}

impl<R: Into<SlotRange>> Extend<R> for SlotRanges {
    fn extend<I: IntoIterator<Item = R>>(&mut self, ranges: I) {
        for range in ranges {
            self.insert(range);
        }
    }
}

/// `0-99,105`; with `{:#}` as a sentence names them, `slots 0-99,105` or `slot 7`.
impl fmt::Display for SlotRanges {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if formatter.alternate() {
            let word = if self.count() == 1 { "slot" } else { "slots" };
            write!(formatter, "{word} ")?;
        }
        for (index, range) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(formatter, "{comma}{range}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn range(start: u16, end: u16) -> SlotRange {
        let (start, end) = (Slot::new(start).unwrap(), Slot::new(end).unwrap());
        SlotRange::new(start, end).unwrap()
    }

    #[test]
    fn a_range_does_not_run_backwards() {
        assert_eq!(SlotRange::new(Slot::LAST, Slot::FIRST), None);
        assert_eq!(range(7, 7).to_string(), "7");
        assert_eq!(range(0, 5460).to_string(), "0-5460");
    }

    #[test]
    fn neighbours_become_one_range() {
        let set: SlotRanges = [range(6, 9), range(0, 4), range(5, 5)]
            .into_iter()
            .collect();
        assert_eq!(set.ranges(), [range(0, 9)]);
    }

    #[test]
    fn all_slots_are_16384() {
        let set = SlotRanges::from_iter([SlotRange::ALL]);
        assert_eq!((set.count(), set.slots().count()), (Slot::COUNT, 16384));
        assert_eq!(set.to_string(), "0-16383");
    }

    #[test]
    fn removing_from_the_middle_leaves_both_ends() {
        let mut set = SlotRanges::from_iter([SlotRange::ALL]);
        set.remove(range(100, 16382));
        assert_eq!(set.to_string(), "0-99,16383");
    }

    /// Ranges that touch and overlap often, at both ends of the slots.
    fn some_range() -> impl Strategy<Value = SlotRange> {
        (prop_oneof![0_u16..40, 16340_u16..16384], 0_u16..9)
            .prop_map(|(start, more)| range(start, (start + more).min(16383)))
    }

    proptest! {
        #[test]
        fn it_behaves_as_a_set_of_slots(
            changes in prop::collection::vec((any::<bool>(), some_range()), 0..20),
        ) {
            let (mut set, mut model) = (SlotRanges::default(), BTreeSet::new());
            for (added, range) in changes {
                if added {
                    set.insert(range);
                    model.extend(range.slots());
                } else {
                    set.remove(range);
                    model.retain(|slot| !range.contains(*slot));
                }
            }
            prop_assert_eq!(set.slots().collect::<Vec<_>>(), Vec::from_iter(model.clone()));
            prop_assert_eq!(usize::from(set.count()), model.len());
            prop_assert_eq!(set.is_empty(), model.is_empty());
            prop_assert!(SlotRange::ALL.slots().all(|slot| set.contains(slot) == model.contains(&slot)));
            for pair in set.ranges().windows(2) {
                prop_assert!(pair[0].end().number() + 1 < pair[1].start().number());
            }
            prop_assert_eq!(set.to_string().parse::<SlotRanges>().unwrap(), set);
        }
    }
}
