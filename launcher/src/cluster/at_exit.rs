//! Clusters of this process that nobody drops, such as those in statics: removed when it exits.
//!
//! Where the process is killed instead, their servers die with it, and the next command removes the rest.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Cluster;
use crate::state::{Home, Name};

static OWNED: Mutex<Vec<(Home, Name)>> = Mutex::new(Vec::new());

fn owned() -> MutexGuard<'static, Vec<(Home, Name)>> {
    OWNED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes a cluster that is to go with this process.
pub(super) fn remember(home: &Home, name: &Name) {
    owned().push((home.clone(), name.clone()));
}

/// Strikes out a cluster that is gone, or that is to live on.
pub(super) fn forget(home: &Home, name: &Name) {
    owned().retain(|(other, its)| (other, its) != (home, name));
}

// `unsafe` is the crate's reminder that main has ended and thread-locals may be gone: this touches only files,
// processes and the list above.
#[dtor::dtor(unsafe)]
fn remove_what_nobody_dropped() {
    let left = std::mem::take(&mut *owned());
    for (home, name) in left {
        if let Ok(mut cluster) = Cluster::open(&home, &name) {
            cluster.destroy();
        }
    }
}
