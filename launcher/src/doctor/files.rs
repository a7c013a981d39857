//! What can be wrong with any file or folder of ours: its permissions, something else in its place, or that it was
//! never finished.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, Uid};

use super::finding::{Action, Finding, Kind, Remedy};
use crate::machine::message::{Text, text};
use crate::node::Node;
use crate::state::{Home, Name, PORTS_LOCK, is_temporary};

/// Collects findings about one cluster.
pub(super) struct Findings<'a> {
    pub(super) name: &'a Name,
    pub(super) all: Vec<Finding>,
}

impl Findings<'_> {
    pub(super) fn add(
        &mut self,
        kind: Kind,
        node: Option<&Node>,
        path: PathBuf,
        text: String,
        remedy: Remedy,
    ) {
        self.all.push(Finding {
            kind,
            cluster: Some(self.name.clone()),
            node: node.map(|node| node.name().to_owned()),
            path,
            text,
            remedy,
        });
    }
}

/// What [`fix`](super::fix) does.
pub(super) fn doctor(action: Action, does: impl Into<Text>) -> Remedy {
    Remedy::Doctor {
        does: does.into(),
        action,
    }
}

/// The lock under which ports are chosen.
pub(super) fn ports_lock(home: &Home) -> Option<Finding> {
    let path = home.root().join(PORTS_LOCK);
    let reason = odd_lock(&path)?;
    Some(Finding {
        kind: Kind::Lock,
        cluster: None,
        node: None,
        text: format!("the lock `{}` cannot be used: {reason}", path.display()),
        path,
        remedy: doctor(
            Action::SetAside,
            "removes it; the next command creates it again",
        ),
    })
}

/// Files that somebody was writing who was killed.
pub(super) fn leftovers(folder: &Path, node: Option<&Node>, findings: &mut Findings<'_>) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_begun = |entry: &fs::DirEntry| {
        is_temporary(&entry.file_name()) && entry.file_type().is_ok_and(|found| found.is_file())
    };
    for entry in entries.filter(is_begun) {
        let text = format!("`{}` was never finished", entry.path().display());
        let remedy = doctor(Action::SetAside, "removes it");
        findings.add(Kind::Leftover, node, entry.path(), text, remedy);
    }
}

/// Whether we may read and write a file or folder of ours.
pub(super) fn permissions(path: &Path, node: Option<&Node>, findings: &mut Findings<'_>) {
    if let Some((text, remedy)) = odd_permissions(path) {
        findings.add(Kind::Permissions, node, path.to_owned(), text, remedy);
    }
}

/// The same of the state folder.
pub(super) fn state_folder(home: &Home) -> Option<Finding> {
    let (text, remedy) = odd_permissions(home.root())?;
    Some(Finding {
        kind: Kind::Permissions,
        cluster: None,
        node: None,
        path: home.root().to_owned(),
        text,
        remedy,
    })
}

/// What keeps us from reading and writing a plain file or folder, and what mends it. What a link leads to
/// is not ours.
fn odd_permissions(path: &Path) -> Option<(String, Remedy)> {
    let found = fs::symlink_metadata(path).ok()?;
    let (needed, access) = match (found.is_dir(), found.is_file()) {
        (true, _) => (0o700, AccessFlags::all()),
        (_, true) => (0o600, AccessFlags::R_OK | AccessFlags::W_OK),
        _ => return None,
    };
    let (mode, path_text, user) = (found.permissions().mode(), path.display(), Uid::effective());
    if found.uid() != user.as_raw() {
        nix::unistd::access(path, access).err()?;
        let text = format!(
            "`{path_text}` belongs to another user (uid {}), and you may not read and write it",
            found.uid()
        );
        let remedy = Remedy::Other(text![format!("`sudo chown {user} {path_text}`")]);
        return Some((text, remedy));
    }
    if mode & needed == needed {
        return None;
    }
    let text = format!(
        "`{path_text}` has the mode {:04o}: its owner may not read and write it",
        mode & 0o7777
    );
    let remedy = doctor(Action::Permit, "lets its owner read and write it again");
    Some((text, remedy))
}

/// Why what is in a lock's place cannot be locked; one that is not there is made when it is needed.
pub(super) fn odd_lock(path: &Path) -> Option<&'static str> {
    let found = fs::symlink_metadata(path).ok()?;
    (!found.is_file()).then_some("it is not a regular file")
}
