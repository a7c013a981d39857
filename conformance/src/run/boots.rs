//! Which boots have failed in a run, so that no other case waits for the same again.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use crate::system::launched::Wish;

/// What a run has seen of its boots.
#[derive(Debug, Default)]
pub(super) struct Boots {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// Whatever has come up once may come up again: what failed then is no trait of the server.
    up: HashSet<Wish>,
    failed: HashMap<Wish, String>,
}

impl Boots {
    /// How a boot ended.
    pub(super) fn note(&self, wish: &Wish, failure: Option<&str>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match failure {
            None => {
                seen.up.insert(wish.clone());
                seen.failed.remove(wish);
            }
            Some(reason) if !seen.up.contains(wish) => {
                seen.failed
                    .entry(wish.clone())
                    .or_insert_with(|| reason.to_owned());
            }
            Some(_) => {}
        }
    }

    /// Why there is nothing to be hoped for from this wish.
    pub(super) fn failure(&self, wish: &Wish) -> Option<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.failed.get(wish).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_never_come_up_is_given_up() {
        let transcript = crate::run::tests::transcript("n1> PING\nPONG\n");
        let (boots, wish) = (Boots::default(), Wish::of(&transcript.header));
        assert_eq!(boots.failure(&wish), None);
        boots.note(&wish, Some("no node says `myself`"));
        boots.note(&wish, Some("another reason"));
        assert_eq!(boots.failure(&wish).unwrap(), "no node says `myself`");
        boots.note(&wish, None);
        boots.note(&wish, Some("a busy machine"));
        assert_eq!(boots.failure(&wish), None);
    }
}
