//! What a node remembers: all that the server has written into its folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Node;
use crate::config::{CLUSTER_FILE, CONFIG_FILES, LOG_FILE};
use crate::error::{Error, IoContext as _};
use crate::state::read_text;
use crate::wire::view::{NodeLine, node_lines};

impl Node {
    /// What is in the node's folder, but for its config and its log: nodes.conf, data, what was
    /// left unfinished.
    pub(crate) fn memory(&self) -> Result<Vec<PathBuf>, Error> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(self.dir()).doing("read", self.dir())? {
            let entry = entry.doing("read", self.dir())?;
            let name = entry.file_name();
            if !CONFIG_FILES.iter().any(|config| name == *config) && name != LOG_FILE {
                paths.push(entry.path());
            }
        }
        Ok(paths)
    }

    /// What the node says of itself in its nodes.conf, for when it does not run. `None` if it has
    /// never run in a cluster.
    pub fn remembered(&self) -> Option<NodeLine> {
        let text = read_text(&self.dir().join(CLUSTER_FILE)).ok()?;
        let own = text.lines().find(|line| line.contains("myself"))?;
        node_lines(own)?.pop()
    }

    /// Removes it. The server must not run.
    pub(crate) fn forget(&self) -> Result<(), Error> {
        self.memory()?.iter().try_for_each(|path| remove(path))
    }

    /// Removes the log.
    pub(crate) fn forget_log(&self) -> Result<(), Error> {
        remove(&self.log_path())
    }
}

/// Removes a file or a folder; one that is gone already is fine.
fn remove(path: &Path) -> Result<(), Error> {
    let is_folder = path.symlink_metadata().is_ok_and(|found| found.is_dir());
    let removed = if is_folder {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.doing("remove", path),
    }
}
