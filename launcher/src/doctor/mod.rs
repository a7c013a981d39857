//! What is wrong in the whole state folder, and what mends it: state that is damaged or gone must
//! not strand what runs.

mod examine;
mod finding;
mod memory;
mod mend;
mod nodes;
mod remains;

use std::fs;
use std::path::PathBuf;

use crate::error::{Error, IoContext as _};
use crate::node::servers;
use crate::state::{Home, Name, PORTS_LOCK, is_locked, is_unfinished_folder};

pub use finding::{Action, Finding, Kind, Remedy};
pub use mend::{Event, fix, remove};

/// What the state folder looks like.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Diagnosis {
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// Clusters that another command is at work on: they are not looked at.
    pub busy: Vec<Name>,
    /// What others have put into the state folder. It is no fault, and stays.
    pub foreign: Vec<PathBuf>,
}

/// Looks at the state folder. Nothing is changed, and no server is asked.
///
/// # Errors
/// The state folder cannot be read.
pub fn examine(home: &Home) -> Result<Diagnosis, Error> {
    let mut diagnosis = Diagnosis {
        findings: examine::ports_lock(home).into_iter().collect(),
        foreign: foreign(home)?,
        ..Diagnosis::default()
    };
    for name in names(home)? {
        if is_locked(&home.folder(&name)) {
            diagnosis.busy.push(name);
        } else {
            diagnosis.findings.extend(examine::cluster(home, &name));
        }
    }
    Ok(diagnosis)
}

/// The clusters of which there is anything, be it only servers that run.
///
/// # Errors
/// The state folder cannot be read.
pub fn names(home: &Home) -> Result<Vec<Name>, Error> {
    let mut names = home.names()?;
    let root = remains::resolved(home.root());
    for server in servers() {
        let inside = server.dir.strip_prefix(&root).ok();
        let mut parts = inside.into_iter().flat_map(|path| path.components());
        // A node's folder is in its cluster's.
        let (Some(first), Some(_)) = (parts.next(), parts.next()) else {
            continue;
        };
        let name = first
            .as_os_str()
            .to_str()
            .and_then(|name| name.parse().ok());
        names.extend(name);
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// Refuses to take a cluster for one that does not exist while its servers run.
///
/// # Errors
/// [`Error::State`].
pub fn refuse_remains(home: &Home, name: &Name) -> Result<(), Error> {
    let servers = remains::servers_within(&home.folder(name));
    if servers.is_empty() {
        return Ok(());
    }
    Err(Error::State {
        path: home.folder(name).join(crate::state::RECORD_FILE),
        reason: format!(
            "it is gone, while servers of the cluster run ({})",
            remains::pids(&servers)
        ),
    })
}

fn foreign(home: &Home) -> Result<Vec<PathBuf>, Error> {
    let entries = match fs::read_dir(home.root()) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.doing("read", home.root())?,
    };
    let ours = home.names()?;
    let is_ours = |name: &str| {
        name == PORTS_LOCK
            || is_unfinished_folder(name)
            || ours.iter().any(|one| one.as_str() == name)
    };
    let entries = entries.flatten();
    let mut foreign: Vec<_> = entries
        .filter(|entry| !is_ours(&entry.file_name().to_string_lossy()))
        .map(|entry| entry.path())
        .collect();
    foreign.sort();
    Ok(foreign)
}
