//! How long is waited for a server, by what it has been waited for in vain: a reply that never comes and a
//! state that never does would cost their whole deadlines in every case.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// So many waits in vain are long; later ones, for commands that have never been answered, are short.
const LONG_WAITS: u32 = 2;

/// For so many replies' time all blocks together are repeated in vain.
const BLOCKS: u32 = 3;

/// How much shorter, but never so short that a busy machine looks like a silent server.
const SHORTER: u32 = 20;
const SHORTEST: Duration = Duration::from_millis(200);

/// What a run has seen of its server's answers.
#[derive(Debug, Default)]
pub struct Patience {
    /// Whether waits become shorter at all.
    ends: bool,
    /// Whether nothing changes in the server but by itself.
    is_at_rest: bool,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    answered: HashSet<String>,
    in_vain: u32,
    /// For how long blocks were repeated until their deadlines.
    blocks: Duration,
}

impl Patience {
    /// For servers that are to answer: it ends.
    pub(crate) fn that_ends() -> Self {
        Self {
            ends: true,
            ..Self::default()
        }
    }

    /// For a server that nobody changes meanwhile: what it has not become for long it does not become.
    pub(crate) fn of_a_server_at_rest() -> Self {
        Self {
            is_at_rest: true,
            ..Self::that_ends()
        }
    }

    /// A reply to this command has come.
    pub(crate) fn answered(&self, command: &str) {
        if self.ends && !self.seen().answered.contains(command) {
            self.seen().answered.insert(command.to_owned());
        }
    }

    /// None has come: nothing, half of one, or the end of the connection.
    pub(crate) fn in_vain(&self, command: &str) {
        let mut seen = self.seen();
        if !seen.answered.contains(command) {
            seen.in_vain = seen.in_vain.saturating_add(1);
        }
    }

    /// Whether nothing is to be hoped for from this command.
    pub(crate) fn is_over(&self, command: &str) -> bool {
        let seen = self.seen();
        self.ends && seen.in_vain >= LONG_WAITS && !seen.answered.contains(command)
    }

    /// How long a reply to this command is waited for, which would have `whole` otherwise.
    pub(crate) fn of(&self, command: &str, whole: Duration) -> Duration {
        if self.is_over(command) {
            shortened(whole)
        } else {
            whole
        }
    }

    /// How long a block may be repeated that would have `whole` otherwise. All that are repeated in vain share
    /// three times as long as a reply may take.
    pub(crate) fn of_block(&self, whole: Duration, read: Duration) -> Duration {
        if !self.is_at_rest {
            return whole;
        }
        let left = (read * BLOCKS).saturating_sub(self.seen().blocks);
        whole.min(left.max(shortened(read) * 2))
    }

    /// A block was repeated until its deadline.
    pub(crate) fn block_in_vain(&self, elapsed: Duration) {
        let mut seen = self.seen();
        seen.blocks = seen.blocks.saturating_add(elapsed);
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is left of a wait for what is not to be hoped for.
pub(crate) fn shortened(whole: Duration) -> Duration {
    (whole / SHORTER).max(SHORTEST).min(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Duration = Duration::from_secs(5);

    #[test]
    fn what_has_never_been_answered_is_waited_for_in_vain_twice_only() {
        let patience = Patience::that_ends();
        patience.answered("PING");
        for _ in 0..LONG_WAITS {
            assert_eq!(patience.of("GET", WHOLE), WHOLE);
            patience.in_vain("GET");
        }
        assert_eq!(patience.of("SET", WHOLE), WHOLE / SHORTER);
        assert_eq!(patience.of("PING", WHOLE), WHOLE);
        patience.answered("GET");
        assert_eq!(patience.of("GET", WHOLE), WHOLE);
    }

    #[test]
    fn what_a_server_at_rest_does_not_become_is_not_waited_for_again_and_again() {
        let patience = Patience::of_a_server_at_rest();
        assert_eq!(patience.of_block(WHOLE, WHOLE), WHOLE);
        assert_eq!(patience.of_block(WHOLE * 10, WHOLE), WHOLE * BLOCKS);
        patience.block_in_vain(WHOLE * BLOCKS);
        assert_eq!(patience.of_block(WHOLE * 10, WHOLE), WHOLE / 10);
        let changing = Patience::that_ends();
        changing.block_in_vain(WHOLE * 4);
        assert_eq!(changing.of_block(WHOLE * 10, WHOLE), WHOLE * 10);
    }

    #[test]
    fn a_command_that_is_answered_at_times_is_waited_for_always() {
        let patience = Patience::that_ends();
        patience.answered("GET");
        (0..10).for_each(|_| patience.in_vain("GET"));
        assert!(!patience.is_over("SET"));
        let endless = Patience::default();
        (0..10).for_each(|_| endless.in_vain("GET"));
        assert_eq!(endless.of("GET", WHOLE), WHOLE);
    }
}
