//! Signals as users write them, and what they do to a server. Pure.

use std::fmt;
use std::str::FromStr;

use nix::sys::signal::Signal as System;
use thiserror::Error;

use crate::machine::suggestion::closest;

/// A word that means no signal.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{word}` is not a signal{}", suggestion.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
pub struct SignalError {
    /// The word.
    pub word: String,
    /// The signal that it looks like.
    pub suggestion: Option<&'static str>,
}

/// A signal to a node's server. Those that have no constant here are made by name or number:
/// `"WINCH".parse()`, with or without `SIG` in front, in upper or lower case.
///
/// ```
/// use shardlab::Signal;
///
/// assert_eq!("sigterm".parse(), Ok(Signal::TERM));
/// let refused = "KIL".parse::<Signal>().unwrap_err();
/// assert_eq!(refused.to_string(), "`KIL` is not a signal; did you mean `KILL`?");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal(System);

impl Signal {
    /// Ends the server at once.
    pub const KILL: Self = Self(System::SIGKILL);
    /// Asks the server to write its data down and end.
    pub const TERM: Self = Self(System::SIGTERM);
    /// The same, as by Ctrl-C.
    pub const INT: Self = Self(System::SIGINT);
    /// Ignored by servers.
    pub const HUP: Self = Self(System::SIGHUP);
    /// Ends the server at once.
    pub const QUIT: Self = Self(System::SIGQUIT);
    /// A crash: the server writes a report into its log and ends.
    pub const ABRT: Self = Self(System::SIGABRT);
    /// A crash, as by a bad pointer.
    pub const SEGV: Self = Self(System::SIGSEGV);
    /// Freezes the server.
    pub const STOP: Self = Self(System::SIGSTOP);
    /// Lets a frozen server go on.
    pub const CONT: Self = Self(System::SIGCONT);

    /// Its name without `SIG`.
    pub fn name(self) -> &'static str {
        self.0.as_str().trim_start_matches("SIG")
    }

    /// Its number on this system.
    pub fn number(self) -> i32 {
        self.0 as i32
    }

    /// Whether a server ends by it. Servers ignore HUP and PIPE (`initServer`, server.c), write their data
    /// down at TERM and INT, and have no handler that survives any other one.
    pub fn is_deadly(self) -> bool {
        !matches!(
            self.0,
            System::SIGSTOP
                | System::SIGTSTP
                | System::SIGTTIN
                | System::SIGTTOU
                | System::SIGCONT
                | System::SIGCHLD
                | System::SIGURG
                | System::SIGWINCH
                | System::SIGHUP
                | System::SIGPIPE
        )
    }

    /// As the system's calls want it.
    pub(crate) fn system(self) -> System {
        self.0
    }
}

impl FromStr for Signal {
    type Err = SignalError;

    fn from_str(word: &str) -> Result<Self, SignalError> {
        let upper = word.to_ascii_uppercase();
        let short = upper.strip_prefix("SIG").unwrap_or(&upper);
        let by_number = word
            .parse::<i32>()
            .ok()
            .and_then(|number| System::try_from(number).ok());
        by_number
            .or_else(|| format!("SIG{short}").parse().ok())
            .map(Self)
            .ok_or_else(|| SignalError {
                word: word.to_owned(),
                suggestion: closest(short, System::iterator().map(|other| Self(other).name())),
            })
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_a_name_with_or_without_sig_or_a_number() {
        for (word, signal) in [
            ("TERM", Signal::TERM),
            ("SIGSTOP", Signal::STOP),
            ("sigkill", Signal::KILL),
            ("9", Signal::KILL),
            ("15", Signal::TERM),
        ] {
            assert_eq!(word.parse(), Ok(signal), "{word}");
        }
        for word in ["", "SIG", "TREM", "0", "-9", "999", "9 "] {
            assert!(word.parse::<Signal>().is_err(), "{word:?}");
        }
    }

    #[test]
    fn a_slip_of_the_finger_is_recognised() {
        let error = "TREM".parse::<Signal>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`TREM` is not a signal; did you mean `TERM`?"
        );
    }

    #[test]
    fn only_signals_that_servers_survive_are_not_deadly() {
        assert!(Signal::KILL.is_deadly() && Signal::TERM.is_deadly());
        assert!(!Signal::STOP.is_deadly() && !Signal::HUP.is_deadly());
    }
}
