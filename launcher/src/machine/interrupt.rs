//! Signals that end a command early: the work is dropped, which cleans up, and the exit code says
//! which signal it was.

use std::io;

use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

use crate::machine::signal::Signal;

/// The signals by which a user or a system asks a program to end.
#[derive(Debug)]
pub struct Interrupts {
    int: Stream,
    term: Stream,
    hup: Stream,
    /// Caught and ignored: a write beyond `ulimit -f` then fails with an error that can be told.
    _file_size: Stream,
}

impl Interrupts {
    /// Starts to listen.
    ///
    /// # Errors
    /// The system refuses the handlers.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            int: signal(SignalKind::interrupt())?,
            term: signal(SignalKind::terminate())?,
            hup: signal(SignalKind::hangup())?,
            _file_size: signal(SignalKind::from_raw(nix::sys::signal::SIGXFSZ as i32))?,
        })
    }

    /// The next of them.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.int.recv() => Signal::INT,
            _ = self.term.recv() => Signal::TERM,
            _ = self.hup.recv() => Signal::HUP,
        }
    }
}
