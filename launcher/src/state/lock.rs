//! Locks: who may change a cluster, and who chooses ports.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::files::{create_folders, is_temporary, read_regular, set_aside, write_atomically};
use super::flock::{cannot_lock, is_at, is_held, open_lock, try_lock};
use super::layout::{
    COPY_FILE, DIR_FILE, JOURNAL_FILE, LOCK_FILE, NEW_FOLDER, OWNER_FILE, PORTS_LOCK, REAPER_FILE,
    RECORD_FILE,
};
use super::{Home, Name, Record};
use crate::error::{Error, IoContext as _};
use crate::machine::wait::{self, Deadline};

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

impl Home {
    /// Takes the lock of one cluster, creating its folder; waits for another command that holds it.
    ///
    /// # Errors
    /// The folder cannot be made, or the other command does not end before the deadline.
    pub async fn lock(&self, name: &Name, deadline: Deadline) -> Result<Lock, Error> {
        wait::until(deadline, Duration::from_millis(20), || async {
            match Lock::try_take(self.root(), name) {
                Ok(Some(lock)) => ControlFlow::Break(Ok(lock)),
                Ok(None) => ControlFlow::Continue(()),
                Err(error) => ControlFlow::Break(Err(error)),
            }
        })
        .await
        .unwrap_or_else(|()| Err(Error::Busy { name: name.clone() }))
    }

    /// The lock under which free ports are chosen and written down, for all clusters.
    ///
    /// # Errors
    /// The state folder cannot be written, or somebody holds the lock past the deadline.
    pub async fn lock_ports(&self, deadline: Deadline) -> Result<File, Error> {
        create_folders(self.root())?;
        let path = self.root().join(PORTS_LOCK);
        wait::until(deadline, Duration::from_millis(5), || async {
            match open_lock(&path)
                .and_then(|file| try_lock(&file).map(|taken| taken.then_some(file)))
            {
                Ok(Some(file)) => ControlFlow::Break(Ok(file)),
                Ok(None) => ControlFlow::Continue(()),
                Err(error) => ControlFlow::Break(Err(cannot_lock(&path, error))),
            }
        })
        .await
        .unwrap_or_else(|()| {
            Err(Error::PortsBusy {
                path: self.root().join(PORTS_LOCK),
            })
        })
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

/// Whether a command is at work on the cluster in this folder, holding its [`Lock`].
pub fn is_locked(folder: &Path) -> bool {
    is_held(&folder.join(LOCK_FILE)) == Some(true)
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::*;

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(60))
    }

    #[tokio::test]
    async fn a_lock_is_exclusive_and_is_given_back() {
        let root = tempfile::tempdir().unwrap();
        let home = Home::at(root.path());
        let name: Name = "one".parse().unwrap();
        let lock = home.lock(&name, soon()).await.unwrap();
        let refused = home.lock(&name, Deadline::after(Duration::ZERO)).await;
        assert!(matches!(refused, Err(Error::Busy { .. })), "{refused:?}");
        drop(lock);
        home.lock(&name, soon()).await.unwrap();
    }

    #[tokio::test]
    async fn a_lock_whose_file_was_removed_is_not_taken_for_one() {
        let root = tempfile::tempdir().unwrap();
        let home = Home::at(root.path().join("state"));
        let name: Name = "one".parse().unwrap();
        let first = home.lock(&name, soon()).await.unwrap();
        let late = OpenOptions::new()
            .write(true)
            .open(first.folder().join(LOCK_FILE))
            .unwrap();
        first.remove().unwrap();
        assert!(
            try_lock(&late).unwrap(),
            "the removed file itself can be locked"
        );
        let second = home.lock(&name, soon()).await.unwrap();
        assert!(second.folder().join(LOCK_FILE).exists());
        second.remove().unwrap();
        assert!(
            !root.path().join("state").exists(),
            "nothing is left behind"
        );
    }
}
