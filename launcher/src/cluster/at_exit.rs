//! Clusters of this process that nobody drops, such as those in statics: removed when it exits.
//!
//! Where the process is killed instead, their servers die with it, and the next command removes the rest.

use std::fs::File;
use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Cluster;
use crate::state::{Home, Name, is_owner};

/// A cluster that is to go with the process that started it.
struct Owned {
    home: Home,
    name: Name,
    /// What shows whether the cluster of that name is still the one that was started.
    owner: File,
    /// A child that was forked off is not its owner.
    process: u32,
}

static OWNED: Mutex<Vec<Owned>> = Mutex::new(Vec::new());

fn owned() -> MutexGuard<'static, Vec<Owned>> {
    OWNED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes a cluster that is to go with this process.
pub(super) fn remember(home: &Home, name: &Name, owner: &File) {
    if let Ok(owner) = owner.try_clone() {
        owned().push(Owned {
            home: home.clone(),
            name: name.clone(),
            owner,
            process: process::id(),
        });
    }
}

/// Strikes out a cluster that is gone, or that is to live on.
pub(super) fn forget(home: &Home, name: &Name) {
    owned().retain(|one| (&one.home, &one.name) != (home, name));
}

// `unsafe` is the crate's reminder that main has ended and thread-locals may be gone: this touches only files,
// processes and the list above.
#[dtor::dtor(unsafe)]
fn remove_what_nobody_dropped() {
    let left = std::mem::take(&mut *owned());
    for one in left.into_iter().filter(|one| one.process == process::id()) {
        let is_ours = is_owner(&one.owner, &one.home.folder(&one.name));
        if is_ours && let Ok(mut cluster) = Cluster::open(&one.home, &one.name) {
            cluster.destroy();
        }
    }
}
