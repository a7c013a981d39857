//! What workers tell of their work, and what comes of it for whoever watches.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::error::reshape::SlowKey;

/// How far a move is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoveProgress {
    /// Slots that have a new owner.
    pub slots_done: usize,
    /// Slots that were to be moved at the start.
    pub slots: usize,
    /// Keys that have left their node.
    pub keys_done: usize,
    /// Keys that were in the slots at the start; clients add and remove some meanwhile.
    pub keys: usize,
    /// Since the start.
    pub elapsed: Duration,
}

impl MoveProgress {
    pub(super) fn new(slots: usize, keys: usize) -> Self {
        Self {
            slots_done: 0,
            slots,
            keys_done: 0,
            keys,
            elapsed: Duration::ZERO,
        }
    }

    /// Keys per second; `None` before there is one.
    pub fn rate(&self) -> Option<f64> {
        let seconds = self.elapsed.as_secs_f64();
        (self.keys_done > 0 && seconds > 0.0).then(|| as_f64(self.keys_done) / seconds)
    }

    /// How long the rest takes if it goes on like this; `None` before there is a way to know.
    pub fn time_left(&self) -> Option<Duration> {
        // Keys are what takes time, unless there are none.
        let (done, all) = if self.keys > 0 {
            (self.keys_done, self.keys)
        } else {
            (self.slots_done, self.slots)
        };
        let left = as_f64(all.saturating_sub(done)) / as_f64(done);
        Duration::try_from_secs_f64(self.elapsed.as_secs_f64() * left).ok()
    }

    pub(super) fn hear(
        &mut self,
        tick: Tick,
        elapsed: Duration,
        observe: &mut impl FnMut(&MoveEvent<'_>),
    ) {
        self.elapsed = elapsed;
        match tick {
            Tick::Keys(keys) => self.keys_done += keys,
            Tick::Slots(slots) => self.slots_done += slots,
            Tick::Slow(key) => return observe(&MoveEvent::SlowKey(&key)),
            Tick::Again { from, to, why } => {
                return observe(&MoveEvent::Again {
                    from: &from,
                    to: &to,
                    why: &why,
                });
            }
        }
        observe(&MoveEvent::Progress(self));
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate needs no 53 bits")]
fn as_f64(count: usize) -> f64 {
    count as f64
}

/// What happens while slots move.
#[derive(Debug)]
#[non_exhaustive]
pub enum MoveEvent<'a> {
    /// Something has moved.
    Progress(&'a MoveProgress),
    /// A key was too slow, and is tried again with more time.
    SlowKey(&'a SlowKey),
    /// The server gave a migration up, and is asked to try again.
    Again {
        /// The source.
        from: &'a str,
        /// The target.
        to: &'a str,
        /// The server's words.
        why: &'a str,
    },
}

/// What has been moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// How many slots; those that had arrived before are not among them.
    pub slots: usize,
    /// How many keys.
    pub keys: usize,
    /// How long it took, until all nodes agreed.
    pub elapsed: Duration,
}

/// What a worker tells.
#[derive(Debug)]
pub(super) enum Tick {
    Keys(usize),
    Slots(usize),
    Slow(SlowKey),
    Again {
        from: String,
        to: String,
        why: String,
    },
}

/// A worker's end of the way to whoever watches.
#[derive(Debug, Clone)]
pub(super) struct Tell(mpsc::UnboundedSender<Tick>);

impl Tell {
    pub(super) fn new(sender: mpsc::UnboundedSender<Tick>) -> Self {
        Self(sender)
    }

    /// Whether nothing new is to be begun: another worker has failed.
    pub(super) fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    pub(super) fn send(&self, tick: Tick) {
        // Whoever watched may have given up; the work goes on until it is dropped.
        let _ = self.0.send(tick);
    }
}
