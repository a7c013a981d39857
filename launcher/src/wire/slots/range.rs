//! Neighbouring slots.

use std::fmt;

use super::Slot;

/// Slots from one to another, both included; never empty. Written `0-5460`, or `7` for one
/// slot, as in `nodes.conf` and `CLUSTER NODES`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotRange {
    start: Slot,
    end: Slot,
}

impl SlotRange {
    /// All slots.
    pub const ALL: Self = Self {
        start: Slot::FIRST,
        end: Slot::LAST,
    };

    /// The slots from `start` to `end`; `None` if `end` comes before `start`.
    pub fn new(start: Slot, end: Slot) -> Option<Self> {
        (start <= end).then_some(Self { start, end })
    }

    /// The lowest slot.
    pub const fn start(self) -> Slot {
        self.start
    }

    /// The highest slot.
    pub const fn end(self) -> Slot {
        self.end
    }

    /// How many slots there are, 1 to 16384.
    pub const fn count(self) -> u16 {
        self.end.number() - self.start.number() + 1
    }

    /// Whether the slot is one of them.
    pub fn contains(self, slot: Slot) -> bool {
        self.start <= slot && slot <= self.end
    }

    /// The slots, in order.
    pub fn slots(self) -> impl Iterator<Item = Slot> {
        (self.start.number()..=self.end.number()).filter_map(Slot::new)
    }

    /// Both in one range, if no slot lies between them.
    pub(super) fn join(self, other: Self) -> Option<Self> {
        let starts_by = |a: Self, b: Self| a.end.next().is_none_or(|next| b.start <= next);
        (starts_by(self, other) && starts_by(other, self)).then(|| Self {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        })
    }

    /// What is left of it below and above `other`.
    pub(super) fn without(self, other: Self) -> impl Iterator<Item = Self> {
        let before = other.start.number().checked_sub(1).and_then(Slot::new);
        let below = before.and_then(|end| Self::new(self.start, end.min(self.end)));
        let above = other
            .end
            .next()
            .and_then(|start| Self::new(start.max(self.start), self.end));
        below.into_iter().chain(above)
    }
}

impl From<Slot> for SlotRange {
    fn from(slot: Slot) -> Self {
        Self {
            start: slot,
            end: slot,
        }
    }
}

impl fmt::Display for SlotRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.start == self.end {
            write!(formatter, "{}", self.start)
        } else {
            write!(formatter, "{}-{}", self.start, self.end)
        }
    }
}
