//! How long a reply is waited for, by what the server has left without one. A server that is silent
//! about a command for ever would cost its whole deadline in every case.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// So many waits in vain are long; later ones, for commands that have never been answered, are short.
const LONG_WAITS: u32 = 3;

/// How much shorter.
const SHORTER: u32 = 20;

/// What a run has seen of its server's answers.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    /// Whether waits become shorter at all.
    ends: bool,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    answered: HashSet<String>,
    in_vain: u32,
}

impl Patience {
    /// For servers that are to answer: it ends.
    pub(crate) fn that_ends() -> Self {
        Self {
            ends: true,
            ..Self::default()
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
            whole / SHORTER
        } else {
            whole
        }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Duration = Duration::from_secs(5);

    #[test]
    fn what_has_never_been_answered_is_waited_for_in_vain_three_times_only() {
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
