//! What can be wrong with the files that a node's server needs to start.

use std::io;
use std::path::{Path, PathBuf};

use super::Node;
use crate::config::{CLUSTER_FILE, PID_FILE, cluster_folder};
use crate::error::Error;
use crate::state::{is_config_of, read_text};

/// A part of a node's folder that keeps its server from starting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage {
    pub(crate) part: Part,
    pub(crate) path: PathBuf,
    /// As in "it is a FIFO, not a regular file".
    pub(crate) reason: String,
}

/// The parts of a node's folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The folder itself.
    Folder,
    /// node.conf or sentinel.conf.
    Config,
    /// nodes.conf.
    Memory,
    /// Log or pid file.
    Other,
}

impl Node {
    /// What keeps the server from starting.
    pub(crate) fn damages(&self) -> Vec<Damage> {
        let damage = |part, path, reason| Damage { part, path, reason };
        match std::fs::metadata(&self.dir) {
            Ok(found) if found.is_dir() && !self.is_elsewhere() => {}
            found => {
                let reason = match found {
                    Ok(found) if found.is_dir() => {
                        "it is a link to a folder that is not the node's".to_owned()
                    }
                    Ok(_) => "it is not a folder".to_owned(),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        "it is gone".to_owned()
                    }
                    Err(error) => error.to_string(),
                };
                return vec![damage(Part::Folder, self.dir.clone(), reason)];
            }
        }
        let mut damages = Vec::new();
        if let Some(reason) = self.damage_of_config() {
            damages.push(damage(Part::Config, self.config_path(), reason));
        }
        let memory = self.dir.join(CLUSTER_FILE);
        // What else a server keeps under this name, nobody knows.
        if self.plan.bus_port.is_some()
            && !self.launch.profiled
            && let Some(reason) = unusable(&memory, |text| !is_whole(text))
        {
            damages.push(damage(Part::Memory, memory, reason));
        }
        for path in [self.log_path(), self.dir.join(PID_FILE)] {
            // Of any length: it is not read.
            let special = std::fs::metadata(&path).is_ok_and(|found| !found.is_file());
            if special {
                let reason = "it is not a regular file".to_owned();
                damages.push(damage(Part::Other, path, reason));
            }
        }
        damages
    }

    /// Whether a link has taken the folder's place that leads to somebody else's.
    fn is_elsewhere(&self) -> bool {
        // A server that has rewritten its config names the folder that the link leads to; whose it is tell
        // the cluster's folder, in which no other node has this port.
        let port = format!("port {}", self.plan.port);
        let is_beside = |config: &str| {
            let cluster = cluster_folder(config).and_then(|folder| folder.canonicalize().ok());
            let parent = self.dir.parent().and_then(|dir| dir.canonicalize().ok());
            cluster.is_some() && cluster == parent && config.lines().any(|line| line.trim() == port)
        };
        let is_own = |config: &str| is_config_of(config, &self.dir) || is_beside(config);
        self.dir.is_symlink() && !read_text(&self.config_path()).is_ok_and(|config| is_own(&config))
    }

    fn damage_of_config(&self) -> Option<String> {
        let (port, path) = (format!("port {}", self.plan.port), self.config_path());
        if path.symlink_metadata().is_err() {
            return Some("it is gone".to_owned());
        }
        unusable(&path, |text| !text.lines().any(|line| line.trim() == port))
    }

    /// Refuses to start a server that would only say in its own words that its files are damaged.
    ///
    /// # Errors
    /// [`Error::State`], for the first one.
    pub(crate) fn refuse_damaged(&self) -> Result<(), Error> {
        match self.damages().into_iter().next() {
            None => Ok(()),
            Some(Damage { path, reason, .. }) => Err(Error::State { path, reason }),
        }
    }
}

/// Why a file is of no use; one that is not there is no damage.
fn unusable(path: &Path, is_damaged: impl Fn(&str) -> bool) -> Option<String> {
    match read_text(path) {
        Err(_) if path.symlink_metadata().is_err() => None,
        Err(error) => Some(error.to_string()),
        Ok(text) if text.trim().is_empty() => Some("it is empty".to_owned()),
        Ok(text) if is_damaged(&text) => Some("it is damaged".to_owned()),
        Ok(_) => None,
    }
}

/// Whether a nodes.conf is whole: it tells of the node itself, and servers write the line with the
/// epochs last (`clusterSaveConfig`, `cluster_legacy.c`).
fn is_whole(text: &str) -> bool {
    let last = text.lines().rfind(|line| !line.trim().is_empty());
    super::identity::id_of_myself(text).is_some()
        && last.is_some_and(|line| line.starts_with("vars currentEpoch "))
        && !text.contains(['\0', char::REPLACEMENT_CHARACTER])
}
