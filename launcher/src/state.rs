//! What Shardlab remembers between two commands: one folder per cluster in the state folder, with
//! a versioned `cluster.json`, written atomically, and a lock.
//!
//! What is about to be spawned is written down before the spawn, so that a later command finds
//! what a killed launcher left. The lock is `flock(2)`'s and therefore belongs to the open file: a
//! launcher that is killed between fork and exec leaves it held until its child has executed the
//! server, hence whoever gets the lock sees every process in its node's folder.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::ops::ControlFlow;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Error, IoContext as _};
use crate::plan::{NodePlan, Options};
use crate::process::ProcessId;
use crate::server::Identity;
use crate::wait::{self, Deadline};

/// The version of `cluster.json` that this program writes and reads.
pub const SCHEMA: u32 = 1;

const RECORD_FILE: &str = "cluster.json";
const LOCK_FILE: &str = "lock";
const OWNER_FILE: &str = "owner";
const PORTS_LOCK: &str = ".ports.lock";

/// A cluster's name: 1 to 64 of `a-z A-Z 0-9 . _ -`, not starting with a dot or a dash. It is a
/// folder's name and nothing else can be smuggled in with it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl std::str::FromStr for Name {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for Name {
    type Error = Error;

    fn try_from(name: String) -> Result<Self, Error> {
        let stray = name
            .chars()
            .find(|c| !c.is_ascii_alphanumeric() && !"._-".contains(*c));
        let reason = match (name.as_bytes().first(), stray) {
            (None, _) => "it is empty".to_owned(),
            (_, Some(c)) => format!("it holds {c:?}"),
            (Some(first @ (b'.' | b'-')), _) => format!("it starts with `{}`", char::from(*first)),
            _ if name.len() > 64 => "it is longer than 64 characters".to_owned(),
            _ => return Ok(Self(name)),
        };
        Err(Error::Name { name, reason })
    }
}

/// How far a cluster has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// A launcher is, or was, about to start it. Found without its launcher, it is a leftover.
    Starting,
    /// It was whole once; its nodes may run or not.
    Up,
    /// Stopped on purpose; data and ports are kept.
    Stopped,
}

/// The whole of `cluster.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The cluster's name, which is its folder's name.
    pub name: Name,
    /// How far it has come.
    pub phase: Phase,
    /// Whether it lives only as long as the process that holds the owner's lock (`run`, the
    /// library, `--foreground`).
    pub private: bool,
    /// What the user asked for.
    pub options: Options,
    /// The server program.
    pub program: PathBuf,
    /// The name it is started under, where that decides what it is.
    pub argv0: Option<String>,
    /// What it says it is.
    pub server: Identity,
    /// The folder that holds the nodes' folders.
    pub dir: PathBuf,
    /// Folders, outermost first, that did not exist before and that we remove when they are empty.
    pub created: Vec<PathBuf>,
    /// The nodes.
    pub nodes: Vec<NodeRecord>,
}

/// One node in `cluster.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeRecord {
    /// Name, ports and slots at birth.
    pub plan: NodePlan,
    /// The node's folder.
    pub dir: PathBuf,
    /// The process, once it has been started and written down.
    pub process: Option<ProcessId>,
}

/// The state folder.
#[derive(Debug, Clone)]
pub struct Home {
    root: PathBuf,
}

impl Home {
    /// The state folder at `root`; it is created when something is first written.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The usual place: `shardlab` in the XDG state folder.
    ///
    /// # Errors
    /// There is no home folder.
    pub fn usual() -> Result<Self, Error> {
        use etcetera::BaseStrategy as _;
        let base = etcetera::choose_base_strategy().map_err(|_| Error::NoHome)?;
        Ok(Self::at(
            base.state_dir()
                .unwrap_or_else(|| base.data_dir())
                .join("shardlab"),
        ))
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of one cluster.
    pub fn folder(&self, name: &Name) -> PathBuf {
        self.root.join(name.as_str())
    }

    /// The names of all clusters of which there is anything, in order.
    ///
    /// # Errors
    /// The state folder exists but cannot be read.
    pub fn names(&self) -> Result<Vec<Name>, Error> {
        let entries = match fs::read_dir(&self.root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.doing("read", &self.root)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.doing("read", &self.root)?;
            let name = entry
                .file_name()
                .into_string()
                .ok()
                .and_then(|name| Name::try_from(name).ok());
            names.extend(name.filter(|_| entry.path().is_dir()));
        }
        names.sort();
        Ok(names)
    }

    /// What is remembered of a cluster; `None` if there is none of that name.
    ///
    /// # Errors
    /// `cluster.json` cannot be read, or is not ours to understand.
    pub fn record(&self, name: &Name) -> Result<Option<Record>, Error> {
        let path = self.folder(name).join(RECORD_FILE);
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text.doing("read", &path)?,
        };
        #[derive(Deserialize)]
        struct Versioned {
            schema: u32,
        }
        let refuse = |reason: String| Error::State {
            path: path.clone(),
            reason,
        };
        let versioned: Versioned =
            serde_json::from_slice(&text).map_err(|error| refuse(error.to_string()))?;
        if versioned.schema != SCHEMA {
            return Err(refuse(format!(
                "it has schema {}, this shardlab knows {SCHEMA}",
                versioned.schema
            )));
        }
        serde_json::from_slice(&text)
            .map(Some)
            .map_err(|error| refuse(error.to_string()))
    }

    /// Takes the lock of one cluster, creating its folder; waits for another command that holds it.
    ///
    /// # Errors
    /// The folder cannot be made, or the other command does not end before the deadline.
    pub async fn lock(&self, name: &Name, deadline: Deadline) -> Result<Lock, Error> {
        wait::until(deadline, Duration::from_millis(20), || async {
            match Lock::try_take(&self.root, name) {
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
        create_folders(&self.root)?;
        let path = self.root.join(PORTS_LOCK);
        wait::until(deadline, Duration::from_millis(5), || async {
            match open_lock(&path)
                .and_then(|file| try_lock(&file).map(|taken| taken.then_some(file)))
            {
                Ok(Some(file)) => ControlFlow::Break(Ok(file)),
                Ok(None) => ControlFlow::Continue(()),
                Err(error) => ControlFlow::Break(Err(error).doing("lock", &path)),
            }
        })
        .await
        .unwrap_or_else(|()| {
            Err(Error::PortsBusy {
                path: self.root.join(PORTS_LOCK),
            })
        })
    }

    /// Removes the state folder if no cluster is left in it.
    pub fn remove_if_empty(&self) {
        // Whoever chooses ports at this moment holds the file open and has it; the next one makes
        // a new file, and the check of every port by binding it still stands.
        if self.names().is_ok_and(|names| names.is_empty()) {
            let _ = fs::remove_file(self.root.join(PORTS_LOCK));
            let _ = fs::remove_dir(&self.root);
        }
    }
}

/// The folder for what can be fetched again: `shardlab` in the XDG cache folder.
///
/// # Errors
/// There is no home folder.
pub fn usual_cache() -> Result<PathBuf, Error> {
    use etcetera::BaseStrategy as _;
    let base = etcetera::choose_base_strategy().map_err(|_| Error::NoHome)?;
    Ok(base.cache_dir().join("shardlab"))
}

/// The right to change one cluster. Given back on drop.
#[derive(Debug)]
pub struct Lock {
    name: Name,
    folder: PathBuf,
    root: PathBuf,
    _file: File,
}

impl Lock {
    fn try_take(root: &Path, name: &Name) -> Result<Option<Self>, Error> {
        let folder = root.join(name.as_str());
        create_folders(&folder)?;
        let path = folder.join(LOCK_FILE);
        let file = match open_lock(&path) {
            // Somebody removed the cluster between our two steps.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.doing("create", &path)?,
        };
        if !try_lock(&file).doing("lock", &path)? {
            return Ok(None);
        }
        // `down` removes the folder while it holds the lock: what we hold may be nobody's file.
        let held = file.metadata().doing("look at", &path)?;
        let there = fs::metadata(&path)
            .is_ok_and(|there| there.ino() == held.ino() && there.dev() == held.dev());
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
        let path = self.folder.join(RECORD_FILE);
        let mut text = serde_json::to_vec_pretty(record).map_err(|error| Error::State {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        text.push(b'\n');
        write_atomically(&path, &text)
    }

    /// Removes `cluster.json`: from now on there is no cluster of that name.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn forget(&self) -> Result<(), Error> {
        let path = self.folder.join(RECORD_FILE);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).doing("remove", &path)
            }
            _ => Ok(()),
        }
    }

    /// Holds the cluster for the life of this process: while the answer is open, it has an owner.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn own(&self) -> Result<File, Error> {
        let path = self.folder.join(OWNER_FILE);
        let file = open_lock(&path).doing("create", &path)?;
        try_lock(&file).doing("lock", &path)?;
        Ok(file)
    }

    /// Removes the cluster's folder, lock included, and the state folder if it was the last one.
    ///
    /// # Errors
    /// Something in it cannot be removed.
    pub fn remove(self) -> Result<(), Error> {
        remove_folder(&self.folder)?;
        Home::at(&self.root).remove_if_empty();
        Ok(())
    }
}

/// Whether the owner of a private cluster still lives.
pub fn has_owner(folder: &Path) -> bool {
    match OpenOptions::new().write(true).open(folder.join(OWNER_FILE)) {
        Ok(file) => !try_lock(&file).unwrap_or(false),
        Err(_) => false,
    }
}

/// Removes a folder and all that is in it; one that is gone already is fine.
///
/// # Errors
/// Something in it cannot be removed.
pub fn remove_folder(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).doing("remove", folder),
        _ => Ok(()),
    }
}

/// The folders on the way to `folder`, and itself, that do not exist yet, outermost first.
pub fn missing_folders(folder: &Path) -> Vec<PathBuf> {
    let mut missing: Vec<_> = folder
        .ancestors()
        .take_while(|ancestor| !ancestor.as_os_str().is_empty() && !ancestor.exists())
        .map(Path::to_owned)
        .collect();
    missing.reverse();
    missing
}

/// Creates a folder with its parents, for the user only.
///
/// # Errors
/// The first folder that could not be made.
pub fn create_folders(folder: &Path) -> Result<(), Error> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .doing("create", folder)
}

/// Writes a file in one step, readable by its owner only: readers see the old text or the new one.
///
/// # Errors
/// The file cannot be written.
pub fn write_atomically(path: &Path, text: &[u8]) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).doing("write", path)?;
    file.write_all(text).doing("write", path)?;
    file.persist(path)
        .map_err(|error| error.error)
        .doing("write", path)?;
    Ok(())
}

fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(60))
    }

    #[test]
    fn names_that_could_leave_the_state_folder_are_refused() {
        for bad in [
            "",
            ".",
            "..",
            "a/b",
            "../x",
            "-n",
            ".hidden",
            "a b",
            "ä",
            "a\0",
            &"x".repeat(65),
        ] {
            assert!(Name::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
        for good in ["default", "a", "run-12.3_x", &"x".repeat(64)] {
            assert!(Name::try_from(good.to_owned()).is_ok(), "{good:?}");
        }
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

    #[tokio::test]
    async fn a_state_file_of_another_time_is_refused_and_kept() {
        let root = tempfile::tempdir().unwrap();
        let home = Home::at(root.path());
        let name: Name = "one".parse().unwrap();
        let lock = home.lock(&name, soon()).await.unwrap();
        for (text, reason) in [("{\"schema\": 99}", "schema 99"), ("{", "EOF"), ("", "EOF")] {
            fs::write(lock.folder().join(RECORD_FILE), text).unwrap();
            let error = home.record(&name).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
