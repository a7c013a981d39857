//! What a run knows of somebody's cluster, and has changed there.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shardlab::machine::wait::Deadline;

use crate::system::attached::Attached;

use super::footprint::Footprint;
use super::restore::Picture;

/// What a runner knows of somebody's cluster.
#[derive(Debug, Default)]
pub(super) struct Visit {
    /// What a case is doing there.
    pub(super) in_hand: Mutex<Option<InHand>>,
    /// The cluster as it was before the first case that changes more than keys.
    pub(super) picture: Mutex<Option<(Attached, Arc<Picture>)>>,
    /// Whether a case has waited in vain for the cluster to be at rest: others do not wait for it.
    pub(super) restless: AtomicBool,
    /// Until when nobody should stand for election again.
    pub(super) elected: Mutex<Option<Deadline>>,
    /// What could not be put back.
    pub(super) left: Mutex<Option<String>>,
}

/// A case that may have changed something.
#[derive(Debug, Clone)]
pub(super) struct InHand {
    pub(super) target: Attached,
    pub(super) footprint: Footprint,
    /// Of the cluster, by its own names, if more than keys may have changed.
    pub(super) picture: Option<(Attached, Arc<Picture>)>,
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
