//! What passed over the wire, kept for the picture of a failure: the last events, each cut to a
//! line.

use std::collections::VecDeque;
use std::fmt::{self, Write as _};
use std::time::{Duration, Instant};

use shardlab::wire::resp::escape;

/// Events that are kept.
const EVENTS: usize = 12;

/// Bytes of an event that are shown.
const SHOWN: usize = 160;

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the server.
    Sent,
    /// From the server.
    Received,
    /// Neither: a connection opened or lost, a process killed.
    Happened,
}

impl Direction {
    /// The sign in a report.
    pub const fn sign(self) -> char {
        match self {
            Self::Sent => '>',
            Self::Received => '<',
            Self::Happened => '!',
        }
    }

    /// The word in a report for programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Received => "received",
            Self::Happened => "happened",
        }
    }
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireEvent {
    /// Since the start of the case.
    pub at: Duration,
    /// The connection, as in a prompt; the node of an action.
    pub connection: String,
    /// Which way.
    pub direction: Direction,
    /// The bytes, escaped and cut; or words.
    pub text: String,
}

impl fmt::Display for WireEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, sign) = (self.at.as_secs_f64(), self.direction.sign());
        write!(f, "{:<5} {at:8.4}s  {sign} {}", self.connection, self.text)
    }
}

/// The last events of a case.
#[derive(Debug)]
pub(super) struct Wire {
    since: Instant,
    events: VecDeque<WireEvent>,
}

impl Wire {
    pub(super) fn new() -> Self {
        Self {
            since: Instant::now(),
            events: VecDeque::new(),
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }

    pub(super) fn bytes(
        &mut self,
        connection: &impl fmt::Display,
        direction: Direction,
        bytes: &[u8],
    ) {
        let mut text = escape(bytes.get(..SHOWN).unwrap_or(bytes));
        if bytes.len() > SHOWN {
            let _ = write!(text, "… ({} bytes)", bytes.len());
        }
        self.push(connection, direction, text);
    }

    pub(super) fn happened(&mut self, connection: &impl fmt::Display, text: String) {
        self.push(connection, Direction::Happened, text);
    }

    /// The events so far, oldest first.
    pub(super) fn events(&self) -> Vec<WireEvent> {
        self.events.iter().cloned().collect()
    }

    fn push(&mut self, connection: &impl fmt::Display, direction: Direction, text: String) {
        if self.events.len() == EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(WireEvent {
            at: self.since.elapsed(),
            connection: connection.to_string(),
            direction,
            text,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_bytes_are_cut_and_old_events_forgotten() {
        let mut wire = Wire::new();
        wire.bytes(&"n1", Direction::Sent, &[b'x'; 1000]);
        assert!(wire.events()[0].text.ends_with("x… (1000 bytes)"));
        for _ in 0..100 {
            wire.bytes(&"n1", Direction::Received, b"+OK\r\n");
        }
        assert_eq!(wire.events().len(), EVENTS);
        assert_eq!(wire.events()[0].text, "+OK\\r\\n");
    }
}
