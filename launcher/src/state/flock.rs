//! Files that are locked (`flock(2)`): a lock belongs to the open file and goes with it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::files::open_regular;
use crate::error::Error;

/// Whether somebody holds a lock; `None` if it is not there or cannot be opened.
pub(super) fn is_held(path: &Path) -> Option<bool> {
    let file = open_regular(path, OpenOptions::new().read(true)).ok()?;
    // Shared: two that ask at the same time do not take each other for who holds it.
    Some(matches!(
        file.try_lock_shared(),
        Err(TryLockError::WouldBlock)
    ))
}

/// Whether the open file is the one at `path`.
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(held), Ok(there)) => held.ino() == there.ino() && held.dev() == there.dev(),
        _ => false,
    }
}

/// Opens a file to lock it, and makes it if there is none.
pub(super) fn open_lock(path: &Path) -> io::Result<File> {
    if path.is_symlink() {
        let reason = "it is a symbolic link, not a regular file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    open_regular(path, &mut options)
}

/// A lock that is there and cannot be opened is a damaged one.
pub(super) fn cannot_lock(path: &Path, source: io::Error) -> Error {
    if path.symlink_metadata().is_ok() {
        Error::State {
            path: path.to_owned(),
            reason: source.to_string(),
        }
    } else {
        Error::Io {
            action: "create",
            path: path.to_owned(),
            source,
        }
    }
}

/// Locks an open file unless somebody else has.
pub(super) fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
