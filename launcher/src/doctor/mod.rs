//! What is wrong in the whole state folder, and what mends it: state that is damaged or gone must
//! not strand what runs.

mod examine;
mod files;
mod finding;
mod memory;
mod mend;
mod nodes;
mod remains;

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, IoContext as _, Text};
use crate::node::{FoundServer, servers};
use crate::state::{Home, Name, PORTS_LOCK, is_locked, is_unfinished_folder};

pub use finding::{Action, Finding, Kind, Remedy};
pub use mend::{Event, Removed, fix, remove};

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

impl Diagnosis {
    /// Whether all was looked at and nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty() && self.busy.is_empty()
    }
}

/// Looks at the state folder, of all clusters or of `only` one. Nothing is changed, and no server is asked.
///
/// # Errors
/// The state folder cannot be read; the cluster `only` does not exist.
pub fn examine(home: &Home, only: Option<&Name>) -> Result<Diagnosis, Error> {
    if let Some(finding) = files::state_folder(home) {
        // What is in it can be told when it can be read.
        return Ok(Diagnosis {
            findings: vec![finding],
            ..Diagnosis::default()
        });
    }
    let mut diagnosis = Diagnosis {
        findings: files::ports_lock(home).into_iter().collect(),
        foreign: foreign(home)?,
        ..Diagnosis::default()
    };
    for name in chosen(home, only)? {
        if is_locked(&home.folder(&name)) {
            diagnosis.busy.push(name);
        } else {
            diagnosis.findings.extend(examine::cluster(home, &name));
        }
    }
    Ok(diagnosis)
}

/// What mends the state file over which a command has stumbled ([`Error::State`]), if that is known. Whoever
/// asks may be at work on the cluster.
pub fn mend_of(home: &Home, path: &Path, reason: &str) -> Option<Text> {
    let mut findings: Vec<_> = files::ports_lock(home).into_iter().collect();
    for name in names(home).ok()? {
        findings.extend(examine::cluster(home, &name));
    }
    let about = |finding: &&Finding| finding.path == path;
    let mut abouts = findings.iter().filter(about);
    let same = abouts.clone().find(|finding| finding.text.contains(reason));
    // A folder that is in the wrong place makes its files unusable.
    let around = || {
        findings
            .iter()
            .find(|finding| path.starts_with(&finding.path))
    };
    same.or_else(|| abouts.next())
        .or_else(around)
        .map(Finding::hint)
}

/// The clusters of which there is anything, be it only servers that run.
///
/// # Errors
/// The state folder cannot be read.
pub fn names(home: &Home) -> Result<Vec<Name>, Error> {
    let mut names = home.names()?;
    let root = remains::resolved(home.root());
    names.extend(
        servers()
            .iter()
            .filter_map(|server| cluster_of(server, &root)),
    );
    names.sort();
    names.dedup();
    Ok(names)
}

/// All of them, or the one that is asked for.
fn chosen(home: &Home, only: Option<&Name>) -> Result<Vec<Name>, Error> {
    let mut names = names(home)?;
    if let Some(only) = only {
        names.retain(|name| name == only);
        if names.is_empty() {
            return Err(Error::NoCluster(only.clone()));
        }
    }
    Ok(names)
}

/// The cluster in the state folder `root` that a server belongs to: a node's folder is in its cluster's, or
/// its config names that one.
fn cluster_of(server: &FoundServer, root: &Path) -> Option<Name> {
    let name = |inside: &Path| {
        inside
            .components()
            .next()?
            .as_os_str()
            .to_str()?
            .parse()
            .ok()
    };
    if let Ok(inside) = server.dir.strip_prefix(root) {
        return name(inside.parent()?);
    }
    let folder = remains::resolved(&remains::cluster_folder_of(server)?);
    name(folder.strip_prefix(root).ok()?)
}

/// Refuses to take a cluster for one that does not exist while its servers run.
///
/// # Errors
/// [`Error::State`].
pub fn refuse_remains(home: &Home, name: &Name) -> Result<(), Error> {
    let servers = remains::servers_of(&home.folder(name));
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
