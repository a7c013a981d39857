//! Making another node the master of a shard, in an orderly way or by force, and telling what
//! happened when.
//!
//! [`Cluster::failover`](crate::Cluster::failover) does it: `shard` finds out who is who (pure),
//! `order` tells the replica or kills the master, `watch` listens to all nodes meanwhile, and
//! [`Timeline`] makes moments of what they say (pure).

mod act;
mod error;
mod order;
mod shard;
mod timeline;
mod watch;

use std::time::Duration;

use serde::Serialize;

pub use error::FailoverError;
pub use timeline::{Health, Moment, Phase, Sight, Timeline};

/// By which means the master loses its role.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// `CLUSTER FAILOVER`: the master waits until the replica has all that it has; nothing is lost.
    #[default]
    Graceful,
    /// `CLUSTER FAILOVER FORCE`: without the master, by the votes of the others.
    Force,
    /// `CLUSTER FAILOVER TAKEOVER`: without anybody.
    Takeover,
    /// SIGKILL of the master; the others find out by themselves.
    Crash,
}

impl Mode {
    /// All modes.
    pub const ALL: [Self; 4] = [Self::Graceful, Self::Force, Self::Takeover, Self::Crash];

    /// The mode's name, as on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Graceful => "graceful",
            Self::Force => "force",
            Self::Takeover => "takeover",
            Self::Crash => "crash",
        }
    }
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// How a shard is to fail over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Request {
    /// By which means.
    pub mode: Mode,
    /// Whether the master that [`Mode::Crash`] kills stays dead; else it is started again once all
    /// others agree on the new one, and comes back as its replica.
    pub leave_dead: bool,
    /// How long it may take, at least; [`patience`] if absent.
    pub timeout: Option<Duration>,
}

/// What has come of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failover {
    /// By which means.
    pub mode: Mode,
    /// Who was the shard's master.
    pub old_master: String,
    /// Who is.
    pub new_master: String,
    /// The shard's configuration epoch before.
    pub epoch_before: u64,
    /// And after.
    pub epoch_after: u64,
    /// How often the replica was told to: more than once if the server's own attempt timed out.
    pub orders: u32,
    /// What happened, in that order, in time from the act on: the first order, or the SIGKILL.
    /// [`Phase::Suspected`] and [`Phase::Failed`] are there if a node said so; [`Phase::Whole`] only if
    /// all nodes run afterwards.
    pub moments: Vec<Moment>,
}

impl Failover {
    /// When a phase was reached, from the act on.
    pub fn reached(&self, phase: Phase) -> Option<Duration> {
        let moment = self.moments.iter().find(|moment| moment.phase == phase)?;
        Some(moment.at)
    }
}

/// How long a failover may take unless somebody says otherwise: after the node timeout T a master is
/// suspected, an election that is lost is tried again after max(4T, 4 s) (`auth_retry_time`,
/// `cluster_legacy.c`), the server gives up an order of ours after 5 s, and the old master comes back as
/// a replica that all others have to hear of.
pub fn patience(node_timeout: Duration) -> Duration {
    Duration::from_secs(30) + 12 * node_timeout
}
