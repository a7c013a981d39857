//! Slots as people write them.

use std::str::FromStr;

use super::{Slot, SlotRange, SlotRanges};

/// What is wrong with written slots.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at byte {offset}: expected {expected}, found {}", quoted(.found))]
pub struct ParseSlotsError {
    /// Bytes before the wrong part.
    pub offset: usize,
    /// What should have stood there.
    pub expected: String,
    /// What stands there.
    pub found: String,
}

fn quoted(found: &str) -> String {
    if found.is_empty() {
        "nothing".to_owned()
    } else {
        format!("`{}`", found.escape_debug())
    }
}

impl FromStr for Slot {
    type Err = ParseSlotsError;

    /// Decimal digits without a sign.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        slot(text, 0)
    }
}

impl FromStr for SlotRange {
    type Err = ParseSlotsError;

    /// `0-5460`, or `7` for one slot.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        range(text, 0)
    }
}

impl FromStr for SlotRanges {
    type Err = ParseSlotsError;

    /// Ranges with commas between them, in any order, as `0-5460,10923`; the empty text is
    /// the empty set. No slot may be named twice: that is a slip, never a wish.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut set = Self::default();
        if text.is_empty() {
            return Ok(set);
        }
        let mut offset = 0;
        for part in text.split(',') {
            let range = range(part, offset)?;
            if let Some(twice) = set.first_in(range) {
                let expected = format!("slots that were not named before (`{twice}` was)");
                return Err(ParseSlotsError {
                    offset,
                    expected,
                    found: part.to_owned(),
                });
            }
            set.insert(range);
            offset += part.len() + 1;
        }
        Ok(set)
    }
}

impl TryFrom<String> for SlotRanges {
    type Error = ParseSlotsError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

fn range(text: &str, offset: usize) -> Result<SlotRange, ParseSlotsError> {
    let Some((start, end)) = text.split_once('-') else {
        return slot(text, offset).map(SlotRange::from);
    };
    let end_offset = offset + start.len() + 1;
    let start = slot(start, offset)?;
    SlotRange::new(start, slot(end, end_offset)?).ok_or_else(|| ParseSlotsError {
        offset: end_offset,
        expected: format!("a slot from {start} on"),
        found: end.to_owned(),
    })
}

fn slot(text: &str, offset: usize) -> Result<Slot, ParseSlotsError> {
    let unsigned = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if unsigned { text.parse().ok() } else { None };
    number.and_then(Slot::new).ok_or_else(|| ParseSlotsError {
        offset,
        expected: format!("a slot from {} to {}", Slot::FIRST, Slot::LAST),
        found: text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str) -> String {
        text.parse::<SlotRanges>().unwrap_err().to_string()
    }

    #[test]
    fn ranges_and_single_slots_come_in_any_order() {
        let set: SlotRanges = "10923,0-5460,7000-7000".parse().unwrap();
        assert_eq!(set.to_string(), "0-5460,7000,10923");
        assert_eq!("".parse(), Ok(SlotRanges::default()));
    }

    #[test]
    fn the_error_points_at_the_part_that_is_wrong() {
        let cases = [
            (
                "0-5460,16384",
                "at byte 7: expected a slot from 0 to 16383, found `16384`",
            ),
            (
                "0-5460,+1",
                "at byte 7: expected a slot from 0 to 16383, found `+1`",
            ),
            (
                "0-5460,",
                "at byte 7: expected a slot from 0 to 16383, found nothing",
            ),
            (
                "0-x",
                "at byte 2: expected a slot from 0 to 16383, found `x`",
            ),
            (
                "0- 1",
                "at byte 2: expected a slot from 0 to 16383, found ` 1`",
            ),
            (
                "-1",
                "at byte 0: expected a slot from 0 to 16383, found nothing",
            ),
            (
                "1-2-3",
                "at byte 2: expected a slot from 0 to 16383, found `2-3`",
            ),
            (
                "0,20-10",
                "at byte 5: expected a slot from 20 on, found `10`",
            ),
            (
                "0\n",
                "at byte 0: expected a slot from 0 to 16383, found `0\\n`",
            ),
        ];
        for (text, message) in cases {
            assert_eq!(refused(text), message);
        }
    }

    #[test]
    fn no_slot_is_named_twice() {
        let message =
            "at byte 7: expected slots that were not named before (`9` was), found `9-12`";
        assert_eq!(refused("20,0-9,9-12"), message);
    }

    #[test]
    fn one_range_is_one_range() {
        assert_eq!("0-16383".parse(), Ok(SlotRange::ALL));
        assert!("0,1".parse::<SlotRange>().is_err());
    }
}
