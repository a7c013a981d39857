//! Locks: who may change a cluster, and whether its owner lives.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::files::{
    create_folders, is_temporary, open_regular, read_regular, set_aside, write_atomically,
};
use super::record::{COPY_FILE, RECORD_FILE};
use super::{Home, Name, Record};
use crate::error::{Error, IoContext as _};
use crate::machine::wait::{self, Deadline};

/// Also what tells a cluster's folder from any other one, so no other program may use the name.
pub(crate) const LOCK_FILE: &str = "shardlab.lock";
/// What a cluster's folder is called until its lock is in it.
const NEW_FOLDER: &str = ".shardlab-new-";
pub(crate) const OWNER_FILE: &str = "owner";
const REAPER_FILE: &str = "reaper";
/// What a command that moves slots has set out to do, until it is done.
pub(crate) const JOURNAL_FILE: &str = "reshape.json";

/// Where the nodes' folders are, if that is elsewhere (`--dir`): for when the record is damaged or gone.
pub(crate) const DIR_FILE: &str = "dir";

/// How long the owner's lock may be held by those who only ask whether there is an owner.
const OWN_TIMEOUT: Duration = Duration::from_secs(10);
const ONCE_MORE: Duration = Duration::from_millis(1);

/// The right to change one cluster. Given back on drop.
#[derive(Debug)]
pub struct Lock {
    name: Name,
    folder: PathBuf,
    root: PathBuf,
    _file: File,
}

impl Lock {
    pub(super) fn try_take(root: &Path, name: &Name) -> Result<Option<Self>, Error> {
        let folder = root.join(name.as_str());
        if !folder.exists() {
            make_folder(root, &folder)?;
        }
        let path = folder.join(LOCK_FILE);
        let file = match open_lock(&path) {
            // Somebody removed the cluster between our two steps.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(cannot_lock(&path, error)),
            Ok(file) => file,
        };
        if !try_lock(&file).doing("lock", &path)? {
            return Ok(None);
        }
        // `down` removes the folder while it holds the lock: what we hold may be nobody's file.
        let there = is_at(&file, &path);
        Ok(there.then(|| Self {
            name: name.clone(),
            folder,
            root: root.to_owned(),
            _file: file,
        }))
    }

    /// The cluster's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The cluster's name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Writes `cluster.json` atomically; it may hold a password, so only its owner can read it.
    ///
    /// # Errors
    /// The file cannot be written (no space, no rights); the old one is then still there.
    pub fn write(&self, record: &Record) -> Result<(), Error> {
        // Who is killed between the two has done nothing yet of what it writes down. The record alone
        // is as good as both; a copy alone is what is left of a record that is gone.
        let mut text = serde_json::to_vec_pretty(record).map_err(|error| Error::State {
            path: self.folder.join(RECORD_FILE),
            reason: error.to_string(),
        })?;
        text.push(b'\n');
        write_atomically(&self.folder.join(RECORD_FILE), &text)?;
        if write_atomically(&self.folder.join(COPY_FILE), &text).is_err() {
            // None is better than one that is out of date. `doctor` tells of what cannot be removed.
            let _ = fs::remove_file(self.folder.join(COPY_FILE));
        }
        Ok(())
    }

    /// Notes where the nodes' folders are.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn write_dir(&self, dir: &Path) -> Result<(), Error> {
        write_atomically(&self.folder.join(DIR_FILE), dir.as_os_str().as_bytes())
    }

    /// Makes `cluster.json` or its copy again of the other one, byte for byte: what is read of a folder that
    /// was moved or copied is not what is written there.
    ///
    /// # Errors
    /// The one cannot be read or the other not written.
    pub(crate) fn copy(&self, from: &str, to: &Path) -> Result<(), Error> {
        let from = self.folder.join(from);
        let text = read_regular(&from).doing("read", &from)?;
        write_atomically(to, &text)
    }

    /// Removes `cluster.json` and its copy: from now on there is no cluster of that name.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub fn forget(&self) -> Result<(), Error> {
        remove_files(
            &self.folder,
            [DIR_FILE, COPY_FILE, RECORD_FILE].map(OsString::from),
        )
    }

    /// Holds the cluster for the life of this process: while the answer is open, it has an owner.
    ///
    /// # Errors
    /// The file cannot be written, or somebody else owns the cluster.
    pub async fn own(&self) -> Result<File, Error> {
        let path = self.folder.join(OWNER_FILE);
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
                name: self.name.clone(),
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
        let path = self.folder.join(REAPER_FILE);
        let file = open_lock(&path).doing("create", &path)?;
        let taken = try_lock(&file).doing("lock", &path)?;
        Ok(taken.then_some(file))
    }

    /// Removes the record, the lock, and the cluster's folder unless somebody else has put
    /// something there; and the state folder if it was the last one.
    ///
    /// # Errors
    /// Something in it cannot be removed.
    pub fn remove(self) -> Result<(), Error> {
        remove_own_files(&self.folder)?;
        Home::at(&self.root).remove_if_empty();
        Ok(())
    }
}

/// Makes a cluster's folder with its lock in it, in one step: a folder without one is not ours.
fn make_folder(root: &Path, folder: &Path) -> Result<(), Error> {
    create_folders(root)?;
    let made = tempfile::Builder::new()
        .prefix(NEW_FOLDER)
        .tempdir_in(root)
        .and_then(|new| {
            open_lock(&new.path().join(LOCK_FILE))?;
            fs::rename(new.path(), folder)?;
            let _ = new.keep();
            Ok(())
        });
    match made {
        // Another command was faster, or took the new folder for a leftover: the caller sees what is there.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound
                    | io::ErrorKind::AlreadyExists
                    | io::ErrorKind::DirectoryNotEmpty
            ) =>
        {
            Ok(())
        }
        made => made.doing("create", folder),
    }
}

/// Whether a folder is one that a launcher is making, or was, for a cluster.
pub(crate) fn is_unfinished_folder(name: &str) -> bool {
    name.starts_with(NEW_FOLDER)
}

/// Removes what launchers have left that were killed while they made a cluster's folder.
pub(super) fn remove_unfinished_folders(root: &Path) {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let is_new = |name: &OsString| is_unfinished_folder(&name.to_string_lossy());
    for entry in entries.filter(|entry| is_new(&entry.file_name())) {
        // A launcher that is at it tries again.
        let _ = fs::remove_file(entry.path().join(LOCK_FILE));
        let _ = fs::remove_dir(entry.path());
    }
}

/// Removes the files of a cluster's folder that are ours, the lock last, and the folder if nothing
/// else is in it.
///
/// # Errors
/// One of them cannot be removed.
pub(crate) fn remove_own_files(folder: &Path) -> Result<(), Error> {
    let unfinished = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name());
    let unfinished: Vec<_> = unfinished.filter(|name| is_temporary(name)).collect();
    let known = [
        DIR_FILE,
        COPY_FILE,
        RECORD_FILE,
        JOURNAL_FILE,
        OWNER_FILE,
        REAPER_FILE,
    ];
    remove_files(
        folder,
        unfinished.into_iter().chain(known.map(OsString::from)),
    )?;
    // In one step: a folder without its lock is nobody's.
    let number = crate::machine::random::number();
    let aside = folder.with_file_name(format!("{NEW_FOLDER}{number:016x}"));
    if holds_lock_alone(folder) && fs::rename(folder, &aside).is_ok() {
        return remove_lock_and_folder(&aside);
    }
    remove_lock_and_folder(folder)
}

/// Whether nothing else is in a cluster's folder than its lock.
fn holds_lock_alone(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| {
        entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == LOCK_FILE))
    })
}

fn remove_lock_and_folder(folder: &Path) -> Result<(), Error> {
    remove_files(folder, [OsString::from(LOCK_FILE)])?;
    match fs::remove_dir(folder) {
        Err(error)
            if !matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty
            ) =>
        {
            Err(error).doing("remove", folder)
        }
        _ => Ok(()),
    }
}

fn remove_files(folder: &Path, names: impl IntoIterator<Item = OsString>) -> Result<(), Error> {
    for name in names {
        let path = folder.join(name);
        match fs::remove_file(&path) {
            Err(_) if path.is_dir() => set_aside(&path)?,
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).doing("remove", &path);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether the owner of a private cluster still lives.
pub fn has_owner(folder: &Path) -> bool {
    is_held(&folder.join(OWNER_FILE)) == Some(true)
}

/// Whether the owner of a private cluster is gone for certain: its lock is there, and nobody holds it.
pub fn has_lost_owner(folder: &Path) -> bool {
    is_held(&folder.join(OWNER_FILE)) == Some(false)
}

/// Whether a command is at work on the cluster in this folder, holding its [`Lock`].
pub fn is_locked(folder: &Path) -> bool {
    is_held(&folder.join(LOCK_FILE)) == Some(true)
}

/// Whether somebody holds a lock; `None` if it is not there or cannot be opened.
fn is_held(path: &Path) -> Option<bool> {
    let file = open_regular(path, OpenOptions::new().read(true)).ok()?;
    // Shared: two that ask at the same time do not take each other for who holds it.
    Some(matches!(
        file.try_lock_shared(),
        Err(TryLockError::WouldBlock)
    ))
}

/// Whether `owner`, from [`Lock::own`], is still the one of the cluster in this folder. It is not once
/// another command has removed the cluster; what is in the folder then is somebody else's.
pub fn is_owner(owner: &File, folder: &Path) -> bool {
    is_at(owner, &folder.join(OWNER_FILE))
}

/// Whether the open file is the one at `path`.
fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(held), Ok(there)) => held.ino() == there.ino() && held.dev() == there.dev(),
        _ => false,
    }
}

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

pub(super) fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

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
