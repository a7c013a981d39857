//! How slots are to be moved. Pure.

use std::num::NonZeroUsize;
use std::time::Duration;

/// How slots are moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Way {
    /// `atomic` if all servers support it, else `keys`.
    #[default]
    Auto,
    /// The server moves whole slots: CLUSTER MIGRATESLOTS, Valkey 9.0 and later.
    ///
    /// Slots that are open already, and those that both ends have, go key by key all the same.
    Atomic,
    /// Key by key: CLUSTER SETSLOT and MIGRATE, any server.
    Keys,
}

/// How to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoveOptions {
    /// Which way.
    pub way: Way,
    /// MIGRATE's first time-out, in whole milliseconds; a key that is too slow gets five times as
    /// much, three times. Its source serves nobody meanwhile.
    pub migrate_timeout: Duration,
    /// Key by key: how many workers there are between two nodes; if not said, as many as suit the
    /// server.
    pub lanes: Option<NonZeroUsize>,
}

impl Default for MoveOptions {
    fn default() -> Self {
        Self {
            way: Way::default(),
            migrate_timeout: Duration::from_secs(2),
            lanes: None,
        }
    }
}
