//! Who owns a private cluster: the process that it lives as long as.

use std::fs::File;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use super::Lock;
use super::flock::{cannot_lock, is_at, is_held, open_lock, try_lock};
use super::layout::{OWNER_FILE, REAPER_FILE};
use crate::error::{Error, IoContext as _};
use crate::machine::wait::{self, Deadline};

/// How long the owner's lock may be held by those who only ask whether there is an owner.
const OWN_TIMEOUT: Duration = Duration::from_secs(10);
const ONCE_MORE: Duration = Duration::from_millis(1);

impl Lock {
    /// Holds the cluster for the life of this process: while the answer is open, it has an owner.
    ///
    /// # Errors
    /// The file cannot be written, or somebody else owns the cluster.
    pub async fn own(&self) -> Result<File, Error> {
        let path = self.folder().join(OWNER_FILE);
        let file = open_lock(&path).map_err(|error| cannot_lock(&path, error))?;
        // Whoever asks for an owner (`has_owner`) holds the file for a moment.
        wait::until(Deadline::after(OWN_TIMEOUT), ONCE_MORE, || {
            std::future::ready(match try_lock(&file) {
                Ok(true) => ControlFlow::Break(Ok(())),
                Ok(false) => ControlFlow::Continue(()),
                Err(error) => ControlFlow::Break(Err(error).doing("lock", &path)),
            })
        })
        .await
        .unwrap_or_else(|()| {
            Err(Error::Busy {
                name: self.name().clone(),
            })
        })?;
        Ok(file)
    }

    /// The right to be the process that removes this cluster once its owner is gone: the answer is
    /// that process's to inherit. `None` if there is one already.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn begin_reaper(&self) -> Result<Option<File>, Error> {
        let path = self.folder().join(REAPER_FILE);
        let file = open_lock(&path).doing("create", &path)?;
        let taken = try_lock(&file).doing("lock", &path)?;
        Ok(taken.then_some(file))
    }
}

/// Whether the owner of a private cluster still lives.
pub fn has_owner(folder: &Path) -> bool {
    is_held(&folder.join(OWNER_FILE)) == Some(true)
}

/// Whether the owner of a private cluster is gone for certain: its lock is there, and nobody holds it.
pub fn has_lost_owner(folder: &Path) -> bool {
    is_held(&folder.join(OWNER_FILE)) == Some(false)
}

/// Whether `owner`, from [`Lock::own`], is still the one of the cluster in this folder. It is not once
/// another command has removed the cluster; what is in the folder then is somebody else's.
pub fn is_owner(owner: &File, folder: &Path) -> bool {
    is_at(owner, &folder.join(OWNER_FILE))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::plan::Name;

    #[tokio::test]
    async fn an_owner_is_one_however_many_ask_meanwhile() {
        let root = tempfile::tempdir().unwrap();
        let name: Name = "one".parse().unwrap();
        let lock = Lock::try_take(root.path(), &name).unwrap().unwrap();
        let (folder, enough) = (lock.folder().to_owned(), Arc::new(AtomicBool::new(false)));
        let asking = std::thread::spawn({
            let enough = Arc::clone(&enough);
            move || {
                while !enough.load(Ordering::Relaxed) {
                    has_owner(&folder);
                }
            }
        });
        let mut unowned = 0;
        for _ in 0..500 {
            let owner = lock.own().await.unwrap();
            unowned += usize::from(!has_owner(lock.folder()));
            drop(owner);
        }
        enough.store(true, Ordering::Relaxed);
        asking.join().unwrap();
        assert_eq!(unowned, 0, "owners that hold no lock");
        assert!(!has_owner(lock.folder()));
    }
}
