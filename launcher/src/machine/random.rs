//! Randomness that needs to be different, not secret: std's seed for hash maps.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// A random number.
pub(crate) fn number() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A random number below `limit`; 0 if the limit is 0.
pub(crate) fn below(limit: u16) -> u16 {
    u16::try_from(number() % u64::from(limit.max(1))).unwrap_or(0)
}

/// 40 random hex digits, as node ids and shard ids are.
pub(crate) fn hex40() -> String {
    format!(
        "{:016x}{:016x}{:08x}",
        number(),
        number(),
        number() & 0xffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_forty_hex_digits_and_differ() {
        let (one, other) = (hex40(), hex40());
        assert_eq!(one.len(), 40);
        assert!(
            one.bytes()
                .all(|digit| digit.is_ascii_hexdigit() && !digit.is_ascii_uppercase())
        );
        assert_ne!(one, other);
    }
}
