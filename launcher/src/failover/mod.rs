//! Making another node the master of a shard, in an orderly way or by force, and telling what
//! happened when.
//!
//! [`Cluster::failover`](crate::Cluster::failover) does it: `roles` finds out who is who, by `shard` in a
//! cluster and by `set` where there is one master (both pure), `act` kills the master or has `order`
//! tell the one who decides, `watch` listens to all nodes meanwhile, and [`Timeline`] makes moments of
//! what they say (pure).

mod act;
mod candidate;
mod catch_up;
mod deaf;
mod order;
mod rejoin;
mod restart;
mod roles;
mod set;
mod shard;
mod timeline;
mod watch;

use std::time::Duration;

use crate::plan::{Options, Topology};
use crate::wire::view::Epoch;

pub use crate::error::failover::FailoverError;
pub use crate::plan::Mode;

pub use restart::Step;
#[doc(hidden)]
pub use timeline::{Health, NodeView, Timeline};
pub use timeline::{Moment, Phase};

/// How to fail over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Request {
    /// The way to fail over.
    pub mode: Mode,
    /// Whether the master that [`Mode::Crash`] kills stays dead. Otherwise it is started again once all
    /// others agree on the new one, and comes back as its replica.
    pub leave_dead: bool,
    /// How long it may take, at least; [`patience`] if absent.
    pub timeout: Option<Duration>,
}

/// What happens during a failover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailoverEvent<'a> {
    /// A phase was reached.
    Reached(&'a Moment),
    /// The server has undone a promotion ([`Failover::undone`]): the node is told again after so much time,
    /// and no sooner, since until then it would come to the same end.
    Undone(Duration),
}

/// The result of a failover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failover {
    /// The way to fail over.
    pub mode: Mode,
    /// The node that was the shard's master.
    pub old_master: String,
    /// The node that is the master now.
    pub new_master: String,
    /// The shard's configuration epochs, with sentinels those of their failovers; otherwise a set
    /// without cluster mode has none.
    pub epochs: Option<Epochs>,
    /// How often the one who decides was told to: more than once if its own attempt timed out.
    pub orders: u32,
    /// How many times a node has claimed the role in vain, because its server took an earlier election for
    /// a new one (Redis up to 8.2): the order was given again.
    pub undone: u32,
    /// Whether every slot has a master; else no write was waited for, and the cluster was not waited for.
    pub covered: bool,
    /// Who has become the master after the new one, with sentinels: those whose `down-after` is not longer
    /// than a second, in which they ping once, take for down whom they have just begun to watch, each
    /// for a tenth of a second; if enough of them do so at once, they fail over again.
    pub replaced_by: Option<String>,
    /// What happened, in that order, in time from the act on: the first order, or the SIGKILL.
    /// [`Phase::Suspected`] and [`Phase::Failed`] are there if a node said so; [`Phase::Ready`] only if
    /// all nodes run afterwards.
    pub moments: Vec<Moment>,
}

/// By which nodes know which of two masters is the later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epochs {
    /// The old master's.
    pub before: Epoch,
    /// The new master's.
    pub after: Epoch,
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
/// a replica that all others have to hear of. Sentinel tries a failed failover again after twice the
/// failover timeout, and makes a replica of an old master some 20 s after it is back.
#[doc(hidden)]
pub fn patience(options: &Options) -> Duration {
    let own = match options.topology {
        Topology::Cluster => options.node_timeout.saturating_mul(12),
        Topology::Sentinel => {
            let failing_over = options.sentinels.failover_timeout.saturating_mul(3);
            let down = options.sentinels.down_after.saturating_mul(2);
            Duration::from_secs(30)
                .saturating_add(down)
                .saturating_add(failing_over)
        }
        Topology::Replication | Topology::Standalone => Duration::ZERO,
    };
    Duration::from_secs(30).saturating_add(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_times_make_a_patience() {
        for topology in [Topology::Cluster, Topology::Sentinel] {
            let mut options = Options::of(topology);
            options.node_timeout = Duration::MAX;
            options.sentinels.down_after = Duration::MAX;
            options.sentinels.failover_timeout = Duration::MAX;
            assert_eq!(patience(&options), Duration::MAX);
        }
    }
}
