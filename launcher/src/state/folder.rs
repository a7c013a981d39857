//! A cluster's folder: whether it is still the one that a record was written for, and whose configs are
//! in it.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::files::read_text;
use crate::config::CONFIG_FILES;

/// One folder among all others: a copy of it has another number, and one that was moved another path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderId {
    /// Where it was when this was written down.
    pub path: PathBuf,
    /// The device that it is on.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
}

/// What has happened to a cluster's folder since its record was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Displaced {
    /// The folder that the record was written for.
    pub from: PathBuf,
    /// Whether this is a copy of it. A folder that is moved to another file system is one, too.
    pub is_copy: bool,
    /// Where the nodes' folders are, if that is elsewhere (`--dir`) and they are not this copy's.
    pub lacks: Option<PathBuf>,
}

impl std::fmt::Display for Displaced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let from = self.from.display();
        if self.is_copy {
            write!(
                f,
                "it is a copy of the one in `{from}`, whose servers and data it tells of"
            )
        } else {
            write!(
                f,
                "it was moved here from `{from}`, where it expects the nodes' folders"
            )
        }
    }
}

impl FolderId {
    /// The folder that is at `path` now.
    ///
    /// # Errors
    /// There is none.
    pub fn of(path: &Path) -> io::Result<Self> {
        let found = fs::metadata(path)?;
        Ok(Self {
            path: path.to_owned(),
            device: found.dev(),
            inode: found.ino(),
        })
    }

    pub(super) fn is(&self, found: &Metadata) -> bool {
        (self.device, self.inode) == (found.dev(), found.ino())
    }
}

/// The texts of the configs in a node's folder.
pub(crate) fn configs_in(dir: &Path) -> impl Iterator<Item = String> {
    let paths = CONFIG_FILES.map(|file| dir.join(file));
    paths.into_iter().filter_map(|path| read_text(&path).ok())
}

/// Whether two paths lead to the same file or folder.
pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
    one == other
        || fs::metadata(one)
            .and_then(|one| Ok((one, fs::metadata(other)?)))
            .is_ok_and(|(one, other)| (one.dev(), one.ino()) == (other.dev(), other.ino()))
}
