//! The state folder: one folder for each cluster.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use super::files::{is_config_of, read_regular};
use super::folder::{configs_in, is_same};
use super::layout::{
    COPY_FILE, DIR_FILE, LOCK_FILE, PORTS_LOCK, RECORD_FILE, is_unfinished_folder,
};
use super::{Name, Record};
use crate::config::{LOG_FILE, PID_FILE, cluster_folder, cluster_name, is_ours};
use crate::error::{Error, IoContext as _};

/// The state folder.
#[derive(Debug, Clone, PartialEq, Eq)]
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
            // Whatever else lies in the state folder is not ours.
            names.extend(name.filter(|name| self.is_cluster(name)));
        }
        names.sort();
        Ok(names)
    }

    /// Whether there are folders in a cluster's folder, such as its nodes'.
    pub fn holds_nodes(&self, name: &Name) -> bool {
        let entries = fs::read_dir(self.folder(name)).into_iter().flatten();
        entries.flatten().any(|entry| entry.path().is_dir())
    }

    /// Whether a file is, or would be, among those of the clusters: in a cluster's folder or a node's,
    /// or one of ours in the state folder itself. `path` has no links in it.
    pub(crate) fn holds(&self, path: &Path) -> bool {
        let is_within = |folder: &Path| {
            fs::canonicalize(folder).is_ok_and(|folder| path != folder && path.starts_with(folder))
        };
        let of_cluster = |name: &Name| {
            let record = self.record(name).ok().flatten();
            is_within(&self.folder(name))
                || record.is_some_and(|record| record.nodes.iter().any(|node| is_within(&node.dir)))
        };
        let is_lock = path.file_name().is_some_and(|name| name == PORTS_LOCK);
        is_lock && is_within(&self.root)
            || self.names().is_ok_and(|names| names.iter().any(of_cluster))
    }

    /// Whether a folder is a cluster's: by its lock, or by its record or a node's folder if the lock
    /// is gone.
    fn is_cluster(&self, name: &Name) -> bool {
        let folder = self.folder(name);
        folder.join(LOCK_FILE).symlink_metadata().is_ok() || !matches!(self.record(name), Ok(None))
    }

    /// What is remembered of a cluster; `None` if there is none of that name.
    ///
    /// # Errors
    /// [`Error::State`]: `cluster.json` cannot be read, is not ours to understand, or is gone while
    /// the rest of the cluster is there.
    pub fn record(&self, name: &Name) -> Result<Option<Record>, Error> {
        let folder = self.folder(name);
        let path = folder.join(RECORD_FILE);
        match Record::read(&path, name)? {
            None if folder.join(COPY_FILE).symlink_metadata().is_ok()
                || node_folders(&folder).next().is_some() =>
            {
                Err(Error::State {
                    path,
                    reason: "it is gone".to_owned(),
                })
            }
            record => Ok(record),
        }
    }

    /// The last that was remembered of a cluster whose `cluster.json` is of no use, by its copy.
    ///
    /// # Errors
    /// The copy is of no use either.
    pub fn copy_of_record(&self, name: &Name) -> Result<Option<Record>, Error> {
        Record::read(&self.folder(name).join(COPY_FILE), name)
    }

    /// Removes the state folder if no cluster is left in it.
    pub fn remove_if_empty(&self) {
        // Whoever chooses ports at this moment holds the file open and has it; the next one makes
        // a new file, and the check of every port by binding it still stands.
        if self.names().is_ok_and(|names| names.is_empty()) {
            remove_unfinished_folders(&self.root);
            let _ = fs::remove_file(self.root.join(PORTS_LOCK));
            let _ = fs::remove_dir(&self.root);
        }
    }
}

/// Removes what launchers have left that were killed while they made a cluster's folder.
fn remove_unfinished_folders(root: &Path) {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let is_new = |name: &OsString| is_unfinished_folder(&name.to_string_lossy());
    for entry in entries.filter(|entry| is_new(&entry.file_name())) {
        // A launcher that is at it tries again.
        let _ = fs::remove_file(entry.path().join(LOCK_FILE));
        let _ = fs::remove_dir(entry.path());
    }
}

/// The folders of a cluster's nodes, by the configs that a launcher has written there: in the cluster's
/// folder, and where `--dir` has them.
pub(crate) fn node_folders(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    // Where it was written for, or at the same place in a folder that was moved or copied since.
    let is_node = |path: &PathBuf| {
        configs_in(path).any(|config| {
            let before = cluster_folder(&config).zip(path.file_name());
            is_config_of(&config, path)
                || before.is_some_and(|(folder, name)| is_ours(&config, &folder.join(name)))
        })
    };
    // Of a node whose config is damaged: a folder that is named for a port, beside the cluster's lock.
    let is_locked = folder.join(LOCK_FILE).symlink_metadata().is_ok();
    let is_remnant = move |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        let is_there = |file: &&str| path.join(file).symlink_metadata().is_ok();
        let is_empty = || fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
        is_locked
            && name.is_some_and(|name| name.parse::<u16>().is_ok())
            && ([LOG_FILE, PID_FILE].iter().any(is_there) || is_empty())
            && configs_in(path).all(|config| cluster_name(&config).is_none())
    };
    let inside = entries(folder).map(|entry| entry.path());
    let inside = inside.filter(move |path| is_node(path) || is_remnant(path));
    let outside = read_regular(&folder.join(DIR_FILE)).ok();
    let outside = outside.map(|path| PathBuf::from(OsString::from_vec(path)));
    let folder = folder.to_owned();
    let of_cluster = move |path: &PathBuf| {
        let mut configs = configs_in(path).filter_map(|config| cluster_folder(&config));
        configs.any(|written| is_same(&written, &folder))
    };
    let outside = outside.into_iter().flat_map(move |dir| entries(&dir));
    let outside = outside.map(|entry| entry.path());
    inside.chain(outside.filter(is_node).filter(of_cluster))
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::machine::wait::Deadline;

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(60))
    }

    #[tokio::test]
    async fn a_state_file_of_another_time_is_refused_and_kept() {
        let root = tempfile::tempdir().unwrap();
        let home = Home::at(root.path());
        let name: Name = "one".parse().unwrap();
        let lock = home.lock(&name, soon()).await.unwrap();
        let record = lock.folder().join(RECORD_FILE);
        for (text, reason) in [
            ("{\"schema\": 99}", "it has schema 99"),
            ("{", "it is damaged: EOF"),
            ("[1]", "it is damaged"),
            ("\0\0", "it is damaged"),
            ("", "it is empty"),
        ] {
            fs::write(&record, text).unwrap();
            let error = home.record(&name).unwrap_err();
            assert!(error.to_string().contains(reason), "{error}");
            assert!(
                error
                    .hint()
                    .unwrap()
                    .to_string()
                    .contains("shardlab doctor")
            );
        }
        fs::remove_file(&record).unwrap();
        assert_eq!(home.record(&name).unwrap(), None);
        std::os::unix::fs::symlink("nowhere", &record).unwrap();
        let error = home.record(&name).unwrap_err().to_string();
        assert!(error.contains("leads nowhere"), "{error}");
        fs::remove_file(&record).unwrap();
        fs::create_dir(&record).unwrap();
        let error = home.record(&name).unwrap_err().to_string();
        assert!(error.contains("it is a directory"), "{error}");
    }

    #[tokio::test]
    async fn a_cluster_whose_record_or_lock_is_gone_is_still_one() {
        let root = tempfile::tempdir().unwrap();
        let home = Home::at(root.path());
        let name: Name = "one".parse().unwrap();
        let lock = home.lock(&name, soon()).await.unwrap();
        let node = lock.folder().join("7001");
        fs::create_dir(&node).unwrap();
        fs::write(node.join("node.conf"), "port 7001\n").unwrap();
        assert_eq!(home.record(&name).unwrap(), None, "somebody else's");
        let first = "# Node n1 of the cluster one, written by shardlab for valkey 9.1.2.";
        let conf = |dir: &Path| format!("{first}\ndir \"{}\"\n", dir.display());
        fs::write(node.join("node.conf"), conf(&root.path().join("one/7002"))).unwrap();
        assert_eq!(home.record(&name).unwrap(), None, "somebody's copy of it");
        fs::write(node.join("node.conf"), conf(&node)).unwrap();
        let gone = home.record(&name).unwrap_err().to_string();
        assert!(
            gone.ends_with("cluster.json` cannot be used: it is gone"),
            "{gone}"
        );
        fs::remove_file(lock.folder().join(LOCK_FILE)).unwrap();
        assert_eq!(home.names().unwrap(), [name]);
    }
}
