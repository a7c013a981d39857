//! The exit codes of both programs: a promise to scripts, so they never change.

use super::kind::ErrorKind;

/// Done.
pub const DONE: u8 = 0;
/// The answer is no: a check failed, a server departs from the specification.
pub const NO: u8 = 1;
/// The command line, a name or a file of the user's is wrong.
pub const USAGE: u8 = 2;
/// The environment does not allow it: no server, a port taken, a folder not writable.
pub const ENVIRONMENT: u8 = 3;
/// The cluster was not ready in time; what `up` had started is gone again, what `start` and `wait`
/// looked at goes on running.
pub const NOT_READY: u8 = 4;
/// A bug of ours.
pub const BUG: u8 = 70;
/// `run` itself failed, before CMD or after it (the convention of `env`, `timeout` and `docker`).
pub const RUN_FAILED: u8 = 125;
/// `run` found CMD but could not start it.
pub const RUN_NOT_RUNNABLE: u8 = 126;
/// `run` did not find CMD.
pub const RUN_NOT_FOUND: u8 = 127;
/// A process that ended by signal N is reported as this plus N, as shells do.
pub const SIGNAL_BASE: u8 = 128;

/// The exit code of a program that ends with an error of this kind.
pub fn of(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Request => USAGE,
        ErrorKind::Environment => ENVIRONMENT,
        ErrorKind::NotReady => NOT_READY,
        ErrorKind::Interrupted(signal) => of_signal(signal.number()),
    }
}

/// The exit code for a process that ended by this signal.
pub fn of_signal(signal: i32) -> u8 {
    u8::try_from(signal).map_or(BUG, |signal| SIGNAL_BASE.saturating_add(signal))
}
