//! One hash slot, and the slot of a key.

use std::fmt;

/// One of the 16384 hash slots of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u16);

impl Slot {
    /// How many slots a cluster has (`CLUSTER_SLOTS` in cluster.h).
    pub const COUNT: u16 = 16384;
    /// The lowest slot, 0.
    pub const FIRST: Self = Self(0);
    /// The highest slot, 16383.
    pub const LAST: Self = Self(Self::COUNT - 1);

    /// The slot of that number; `None` from 16384 on.
    pub const fn new(number: u16) -> Option<Self> {
        if number < Self::COUNT {
            Some(Self(number))
        } else {
            None
        }
    }

    /// Its number, 0 to 16383.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The slot after this one; `None` after the last.
    pub const fn next(self) -> Option<Self> {
        Self::new(self.0 + 1)
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The slot of a key: CRC16 of its hash tag, or of all of it, modulo 16384
/// (cluster specification, "Key distribution model" and "Hash tags").
pub fn key_slot(key: &[u8]) -> Slot {
    Slot(crc16(hash_tag(key).unwrap_or(key)) % Slot::COUNT)
}

/// What stands between the first `{` and the first `}` after it, unless that is nothing.
fn hash_tag(key: &[u8]) -> Option<&[u8]> {
    let (_, after_open) = split_at_byte(key, b'{')?;
    let (tag, _) = split_at_byte(after_open, b'}')?;
    (!tag.is_empty()).then_some(tag)
}

fn split_at_byte(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == separator)?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}

/// CRC-16/XMODEM: polynomial 0x1021, initial value 0, nothing reflected (cluster
/// specification, appendix A).
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc: u16, byte| {
        let [high, _] = crc.to_be_bytes();
        (crc << 8) ^ CRC16[usize::from(high ^ byte)]
    })
}

const CRC16: [u16; 256] = {
    let mut table = [0; 256];
    let mut entry = 0_u16;
    while entry < 256 {
        let mut crc = entry << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ 0x1021
            };
            bit += 1;
        }
        table[entry as usize] = crc;
        entry += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn slot_of(key: impl AsRef<[u8]>) -> u16 {
        key_slot(key.as_ref()).number()
    }

    #[test]
    fn the_checksum_is_the_one_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        assert_eq!(slot_of("123456789"), 12739);
    }

    #[test]
    fn plain_keys_are_hashed_whole() {
        let slots = ["a", "b", "c", "foo", "bar", "hello", "key", "somekey"].map(slot_of);
        assert_eq!(slots, [15495, 3300, 7365, 12182, 5061, 866, 12539, 11058]);
        assert_eq!(slot_of(""), 0);
        assert_eq!(slot_of("A"), 6373, "case counts");
        assert_eq!(slot_of("x".repeat(1024)), 5695);
        assert_eq!(slot_of("é"), 10180);
    }

    #[test]
    fn keys_with_the_same_tag_share_a_slot() {
        let slots = ["{user1000}.following", "{user1000}.followers", "user1000"].map(slot_of);
        assert_eq!(slots, [3443; 3]);
        assert_eq!(slot_of("{user}x"), 5474);
    }

    #[test]
    fn an_empty_first_tag_means_the_whole_key() {
        assert_eq!(slot_of("foo{}{bar}"), 8363);
        assert_eq!(["{}", "{}foo", "{}{}"].map(slot_of), [15257, 9500, 15786]);
    }

    #[test]
    fn the_tag_ends_at_the_first_closing_brace() {
        assert_eq!(slot_of("foo{{bar}}zap"), 4015);
        assert_eq!(slot_of("{bar"), 4015);
        assert_eq!(slot_of("foo{bar}{zap}"), 5061);
        assert_eq!(["{{}}", "{{}", "{}}"].map(slot_of), [4092, 4092, 14790]);
    }

    #[test]
    fn a_tag_without_its_closing_brace_is_none() {
        assert_eq!(["foo{bar", "foo{", "{"].map(slot_of), [15278, 7673, 4092]);
    }

    #[test]
    fn a_closing_brace_before_the_opening_one_does_not_count() {
        assert_eq!(["foo}bar{", "}{a}"].map(slot_of), [11073, 15495]);
    }

    #[test]
    fn any_byte_may_stand_in_a_key_or_a_tag() {
        assert_eq!(slot_of(b"\x00\x01{t}\xff"), 15891);
        assert_eq!(slot_of(b"Hm{W\x13\x1c"), 7517);
        assert_eq!(
            ["{ }", "key:{a b}:1", "\r\n{a}"].map(slot_of),
            [9314, 9817, 15495]
        );
    }

    #[test]
    fn a_slot_is_below_16384() {
        assert_eq!(Slot::new(16383), Some(Slot::LAST));
        assert_eq!(Slot::new(16384), None);
        assert_eq!(Slot::LAST.next(), None);
        assert_eq!(Slot::FIRST.next(), Slot::new(1));
    }

    proptest! {
        #[test]
        fn a_second_implementation_agrees(key in "[{}a-c\\x00]{0,12}") {
            prop_assert_eq!(slot_of(&key), resp_rs::cluster::hash_slot(key.as_bytes()));
        }

        #[test]
        fn what_surrounds_a_tag_does_not_matter(
            before in "[^{]{0,8}", tag in "[^{}]{1,8}", after in ".{0,8}",
        ) {
            prop_assert_eq!(slot_of(format!("{before}{{{tag}}}{after}")), slot_of(&tag));
        }
    }
}
