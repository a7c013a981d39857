//! Which folders are a cluster's own, and their removal.

use std::fs;
use std::path::Path;

use super::Cluster;
use crate::config::{CONFIG_FILES, LOG_FILE, PID_FILE};
use crate::error::Error;
use crate::node::Node;
use crate::state::{configs_in, is_config_of, is_same, is_temporary, remove_folder, set_aside};

impl Cluster {
    /// Removes the nodes' folders, and those that were made for them.
    pub(super) fn remove_folders(&self) -> Result<(), Error> {
        for node in self.nodes() {
            self.remove_node_folder(node)?;
        }
        let dir = &self.record().dir;
        let created = self.record().created.iter().rev();
        for created in created.filter(|created| dir.starts_with(created)) {
            // Ours only if they are empty: whoever put something else there keeps it.
            let _ = fs::remove_dir(created);
        }
        Ok(())
    }

    /// Removes the folder of a node, if it and what is in it are ours. Of one that was replaced by a link
    /// that is the link.
    pub(crate) fn remove_node_folder(&self, node: &Node) -> Result<(), Error> {
        let dir = node.dir();
        if !node.is_ours() {
            return Ok(());
        }
        if !self.is_inside(node) && !is_evident(dir) {
            // Made, and interrupted before its config was written; or somebody else's.
            let _ = fs::remove_dir(dir);
            return Ok(());
        }
        if dir.is_symlink() || is_void(dir) {
            return set_aside(dir);
        }
        if is_made(dir) {
            // The config goes last: without it nobody can tell that the folder is ours.
            node.forget()?;
            node.forget_log()?;
            return remove_folder(dir);
        }
        Ok(())
    }

    /// Refuses to remove what is in a node's folder if nothing tells that it is the node's.
    ///
    /// # Errors
    /// [`Error::State`].
    pub(super) fn refuse_others_folder(&self, node: &Node) -> Result<(), Error> {
        let dir = node.dir();
        if self.is_inside(node) && !dir.is_symlink() || is_evident(dir) {
            return Ok(());
        }
        Err(Error::State {
            path: node.config_path(),
            reason: format!(
                "it does not tell that `{}` is the node's folder",
                dir.display()
            ),
        })
    }

    /// Whether a node's folder is in the cluster's, where nobody else's is.
    fn is_inside(&self, node: &Node) -> bool {
        (node.dir().parent()).is_some_and(|parent| is_same(parent, &self.folder()))
    }
}

/// Whether a folder tells by itself that a launcher has made it for a node.
fn is_evident(dir: &Path) -> bool {
    configs_in(dir).any(|config| is_config_of(&config, dir))
}

/// Whether something stands in the place of a node's folder that holds nothing: an empty file, a FIFO.
fn is_void(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_dir() && found.len() == 0)
}

/// Whether a launcher has begun to fill a folder. A record names the folders before they are made, so
/// somebody else's may be there instead; ours has a config, a log or a pid file, or nothing but the
/// beginning of a file.
fn is_made(dir: &Path) -> bool {
    let begun = |entry: fs::DirEntry| is_temporary(&entry.file_name());
    let only_begun =
        || fs::read_dir(dir).is_ok_and(|mut entries| entries.all(|entry| entry.is_ok_and(begun)));
    // Whatever has become of them.
    let mut own = CONFIG_FILES.into_iter().chain([LOG_FILE, PID_FILE]);
    own.any(|file| dir.join(file).symlink_metadata().is_ok()) || only_begun()
}
