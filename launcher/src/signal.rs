//! Signals as users write them, and what they do to a server. Pure.

use nix::sys::signal::Signal;
use thiserror::Error;

use crate::suggestion::closest;

/// A word that means no signal.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{word}` is no signal{}", suggestion.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
pub struct SignalError {
    /// The word.
    pub word: String,
    /// The signal that it looks like.
    pub suggestion: Option<&'static str>,
}

/// The signal of that name, with or without `SIG` in front, in upper or lower case; or of that number.
///
/// # Errors
/// There is none.
pub fn parse(word: &str) -> Result<Signal, SignalError> {
    let upper = word.to_ascii_uppercase();
    let short = upper.strip_prefix("SIG").unwrap_or(&upper);
    let by_number = word
        .parse::<i32>()
        .ok()
        .and_then(|number| Signal::try_from(number).ok());
    by_number
        .or_else(|| format!("SIG{short}").parse().ok())
        .ok_or_else(|| SignalError {
            word: word.to_owned(),
            suggestion: closest(short, Signal::iterator().map(name)),
        })
}

/// A signal's name without `SIG`.
pub fn name(signal: Signal) -> &'static str {
    signal.as_str().trim_start_matches("SIG")
}

/// Whether a server ends by it. Servers ignore HUP and PIPE (`initServer`, server.c), write their data
/// down at TERM and INT, and have no handler that survives any other one.
pub fn is_deadly(signal: Signal) -> bool {
    !matches!(
        signal,
        Signal::SIGSTOP
            | Signal::SIGTSTP
            | Signal::SIGTTIN
            | Signal::SIGTTOU
            | Signal::SIGCONT
            | Signal::SIGCHLD
            | Signal::SIGURG
            | Signal::SIGWINCH
            | Signal::SIGHUP
            | Signal::SIGPIPE
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_a_name_with_or_without_sig_or_a_number() {
        for (word, signal) in [
            ("TERM", Signal::SIGTERM),
            ("SIGSTOP", Signal::SIGSTOP),
            ("sigkill", Signal::SIGKILL),
            ("9", Signal::SIGKILL),
            ("15", Signal::SIGTERM),
        ] {
            assert_eq!(parse(word), Ok(signal), "{word}");
        }
        for word in ["", "SIG", "TREM", "0", "-9", "999", "9 "] {
            assert!(parse(word).is_err(), "{word:?}");
        }
    }

    #[test]
    fn a_slip_of_the_finger_is_recognised() {
        let error = parse("TREM").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`TREM` is no signal; did you mean `TERM`?"
        );
    }

    #[test]
    fn only_signals_that_servers_survive_are_not_deadly() {
        assert!(is_deadly(Signal::SIGKILL) && is_deadly(Signal::SIGTERM));
        assert!(!is_deadly(Signal::SIGSTOP) && !is_deadly(Signal::SIGHUP));
    }
}
