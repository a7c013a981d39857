//! Mends what was found.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::finding::{Action, Finding, Kind};
use super::memory::{epoch_of, made_of};
use super::remains::{Remains, resolved};
use super::{examine, files};
use crate::cluster::Cluster;
use crate::config::{CLUSTER_FILE, Watch, following, master_of, moved, sentinel_conf};
use crate::error::{Error, IoContext as _};
use crate::machine::wait::Deadline;
use crate::node::Node;
use crate::plan::{Boot, Role};
use crate::state::{
    COPY_FILE, FolderId, Home, LOCK_FILE, Lock, Name, RECORD_FILE, create_folders, is_locked,
    make_node_folder, read_regular, read_text, remove_folder, rename_aside, set_aside,
    write_atomically,
};

/// What [`fix`] tells while it is at work.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A finding is mended.
    Mended(&'a Finding),
    /// A finding cannot be mended.
    Failed(&'a Finding, &'a Error),
    /// A cluster is left alone, since another command is at work on it.
    Busy(&'a Name),
}

/// Mends all that can be mended without a decision. Data of clusters is never removed, but for what
/// an interrupted start or removal and a private cluster without an owner have left.
///
/// # Errors
/// The state folder cannot be read; the cluster `only` does not exist. What cannot be mended is told, and does not keep the rest.
pub async fn fix(
    home: &Home,
    only: Option<&Name>,
    mut observe: impl FnMut(Event<'_>),
) -> Result<(), Error> {
    if let Some(finding) = files::state_folder(home) {
        if finding.action().is_none() {
            return Ok(());
        }
        tell(&finding, by_file(&finding), &mut observe);
    }
    if let Some(finding) = files::ports_lock(home) {
        tell(&finding, set_aside(&finding.path), &mut observe);
    }
    for name in super::chosen(home, only)? {
        if is_locked(&home.folder(&name)) {
            observe(Event::Busy(&name));
            continue;
        }
        fix_cluster(home, &name, &mut observe).await;
    }
    home.remove_if_empty();
    Ok(())
}

fn tell(finding: &Finding, mended: Result<(), Error>, observe: &mut impl FnMut(Event<'_>)) {
    match mended {
        Ok(()) => observe(Event::Mended(finding)),
        Err(error) => observe(Event::Failed(finding, &error)),
    }
}

async fn fix_cluster(home: &Home, name: &Name, observe: &mut impl FnMut(Event<'_>)) {
    let mut tried: Vec<Finding> = Vec::new();
    // Without them there is no lock to take.
    let folder = home.folder(name);
    for finding in examine::cluster(home, name) {
        let first = finding.path == folder || finding.path == folder.join(LOCK_FILE);
        if first && matches!(finding.kind, Kind::Lock | Kind::Permissions) {
            tell(&finding, by_file(&finding), observe);
            tried.push(finding);
        }
    }
    let lock = match home.lock(name, Deadline::after(Duration::ZERO)).await {
        Ok(lock) => lock,
        Err(Error::Busy { .. }) => return observe(Event::Busy(name)),
        // What keeps it from being taken has been told.
        Err(_) => return,
    };
    // One after the other: what is mended first decides what is found then.
    loop {
        let found = examine::cluster(home, name).into_iter();
        let mut open =
            found.filter(|finding| finding.action().is_some() && !tried.contains(finding));
        let Some(finding) = open.next() else {
            break;
        };
        tell(&finding, mend(home, &lock, &finding).await, observe);
        tried.push(finding);
    }
    if matches!(home.record(name), Ok(None)) && Remains::of(home, name).is_empty() {
        let _ = lock.remove();
    }
}

/// Mends what needs nothing but the file.
fn by_file(finding: &Finding) -> Result<(), Error> {
    let path = &finding.path;
    if finding.action() == Some(Action::Permit) {
        let found = fs::symlink_metadata(path).doing("read", path)?;
        if found.is_symlink() {
            return Ok(());
        }
        let right = if found.is_dir() { 0o700 } else { 0o600 };
        let mode = found.permissions().mode() | right;
        return fs::set_permissions(path, Permissions::from_mode(mode)).doing("change", path);
    }
    set_aside(path)
}

async fn mend(home: &Home, lock: &Lock, finding: &Finding) -> Result<(), Error> {
    let name = lock.name();
    let Some(action) = finding.action() else {
        return Ok(());
    };
    match action {
        Action::Permit | Action::SetAside => return by_file(finding),
        Action::RestoreRecord => {
            set_aside(&finding.path)?;
            return lock.copy(COPY_FILE, &finding.path);
        }
        Action::WriteCopy => {
            set_aside(&finding.path)?;
            return lock.copy(RECORD_FILE, &finding.path);
        }
        Action::EndServers => return end_servers(home, name).await,
        Action::RemoveCluster => return clear(home, lock).await,
        _ => {}
    }
    let mut cluster = Cluster::open(home, name)?;
    match (action, &finding.node) {
        (Action::CorrectPaths, _) => correct_paths(&cluster, lock),
        (Action::FixSlots, _) => cluster.fix_locked(lock, |_| {}).await.map(drop),
        (Action::SetRight, _) => cluster.set_right(lock).await,
        (_, Some(node)) => mend_node(&cluster, cluster.node(node)?, action).await,
        (_, None) => Ok(()),
    }
}

/// Makes a cluster that was moved or copied one of the folder that it is in. The record goes last: whoever
/// comes after an interruption goes on.
fn correct_paths(cluster: &Cluster, lock: &Lock) -> Result<(), Error> {
    let mut record = cluster.record().clone();
    if record.displaced.take().is_none() {
        return Ok(());
    }
    for node in cluster.nodes() {
        node.refuse_unseen()?;
        let path = node.config_path();
        match read_regular(&path) {
            Ok(config) => {
                write_atomically(&path, &moved(&config, node.dir(), lock.folder()))?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).doing("read", &path),
        }
    }
    record.folder = Some(FolderId::of(lock.folder()).doing("find", lock.folder())?);
    lock.write(&record)
}

async fn mend_node(cluster: &Cluster, node: &Node, action: Action) -> Result<(), Error> {
    match action {
        Action::RemakeFolder => {
            let found = node.dir().symlink_metadata();
            if found.is_ok_and(|found| found.is_file() && found.len() > 0) {
                rename_aside(node.dir())?;
            }
            set_aside(node.dir())?;
            node.dir().parent().map_or(Ok(()), create_folders)?;
            make_node_folder(node.dir())?;
            rewrite_config(cluster, node).await
        }
        Action::RewriteConfig => rewrite_config(cluster, node).await,
        Action::SaveMemory => {
            let memory = node.dir().join(CLUSTER_FILE);
            if !memory.is_file() {
                set_aside(&memory)?;
            }
            order(node, &["CLUSTER", "SAVECONFIG"]).await
        }
        Action::RestoreMemory => restore_memory(cluster, node),
        _ => Ok(()),
    }
}

/// Writes a node's config as `up` did, but with the master that there is now.
async fn rewrite_config(cluster: &Cluster, node: &Node) -> Result<(), Error> {
    let (record, path) = (cluster.record(), node.config_path());
    // Asked before: a bare config would claim to be a master's.
    let master = master(cluster, node).await;
    set_aside_unless_file(&path)?;
    let conf = match master.map(|master| cluster.announced(master)) {
        Some(master) if node.plan().role == Role::Sentinel => sentinel_conf(
            &cluster.folder(),
            &record.options,
            node.plan(),
            node.dir(),
            &record.server,
            Some(&Watch {
                master,
                known: None,
            }),
        )
        .into_bytes(),
        Some(master) if master != cluster.announced(node) => {
            following(cluster.bare_config(node)?.as_bytes(), Some(&master))
        }
        _ => cluster.bare_config(node)?.into_bytes(),
    };
    write_atomically(&path, &conf)?;
    if node.plan().role == Role::Sentinel && node.process().is_some() {
        order(node, &["SENTINEL", "FLUSHCONFIG"]).await?;
    }
    Ok(())
}

/// The master of a set that has one: who says so, else whom the other nodes' configs follow, else the
/// one that follows nobody.
async fn master<'a>(cluster: &'a Cluster, but: &Node) -> Option<&'a Node> {
    let options = &cluster.record().options;
    if !options.topology.has_one_master() || options.boot == Boot::None {
        return None;
    }
    if let Some(master) = cluster.present_master().await {
        return Some(master);
    }
    let others = cluster
        .nodes_with_data()
        .filter(|node| node.name() != but.name());
    let configs: Vec<_> = others
        .filter_map(|node| Some((node, master_of(&read_regular(&node.config_path()).ok()?))))
        .collect();
    let followed = configs.iter().find_map(|(_, follows)| follows.as_ref());
    let is_followed =
        |node: &&Node| followed.is_some_and(|address| address.port == node.plan().port);
    let claims = || configs.iter().find(|(_, follows)| follows.is_none());
    cluster
        .nodes_with_data()
        .find(is_followed)
        .or_else(|| claims().map(|(node, _)| *node))
}

/// What the others remember of a node that does not run becomes its nodes.conf; if they remember
/// nothing, it starts without one.
fn restore_memory(cluster: &Cluster, node: &Node) -> Result<(), Error> {
    let path = node.dir().join(CLUSTER_FILE);
    set_aside(&path)?;
    let others = cluster
        .nodes()
        .iter()
        .filter(|other| other.name() != node.name());
    let host = cluster.announced(node).host;
    let hosts = [host, node.address().ip().to_string()];
    let newest = others
        .filter_map(|other| read_text(&other.dir().join(CLUSTER_FILE)).ok())
        .filter_map(|text| Some((epoch_of(&text)?, made_of(&text, &hosts, node.plan().port)?)))
        .max_by_key(|(epoch, _)| *epoch);
    newest.map_or(Ok(()), |(_, text)| write_atomically(&path, text.as_bytes()))
}

async fn order(node: &Node, command: &[&str]) -> Result<(), Error> {
    let reply = node.call(command).await?;
    match reply.as_error() {
        None => Ok(()),
        Some(_) => Err(node.answered(&command.join(" "), &reply.raw)),
    }
}

fn set_aside_unless_file(path: &Path) -> Result<(), Error> {
    if path.is_file() {
        Ok(())
    } else {
        set_aside(path)
    }
}

/// Ends servers of which no record tells; their folders stay.
async fn end_servers(home: &Home, name: &Name) -> Result<(), Error> {
    let mut remains = Remains::of(home, name);
    if let Ok(Some(record)) = home.record(name) {
        let dirs: Vec<_> = record
            .nodes
            .iter()
            .map(|node| resolved(&node.dir))
            .collect();
        remains.servers.retain(|server| !dirs.contains(&server.dir));
    }
    remains.end(false).await
}

/// Removes everything of a cluster but the lock.
async fn clear(home: &Home, lock: &Lock) -> Result<(), Error> {
    match home.record(lock.name()) {
        Ok(Some(_)) => Cluster::open(home, lock.name())?.clear(lock).await,
        _ => lock.forget(),
    }
}

/// What has become of a cluster that was to be removed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Removed {
    /// Whether there was one.
    pub was_there: bool,
    /// What is left where it was, since others have put it there.
    pub left: Vec<PathBuf>,
}

/// Removes a cluster with its data, whatever its record says: for `down`.
///
/// # Errors
/// A process does not end, or something cannot be removed.
pub async fn remove(home: &Home, lock: Lock) -> Result<Removed, Error> {
    let name = lock.name().clone();
    let record = match home.record(&name) {
        Ok(record) => record,
        Err(_) => home.copy_of_record(&name).ok().flatten(),
    };
    let was_there = record.is_some() || home.record(&name).is_err();
    let mut left = Vec::new();
    if let Some(record) = record {
        let cluster = Cluster::of(home.clone(), record, false);
        let nodes = cluster.nodes().iter();
        nodes.clone().for_each(Node::adopt);
        left.extend(nodes.map(|node| node.dir().to_owned()));
        cluster.clear(&lock).await?;
    }
    let remains = Remains::of(home, &name);
    remains.end(true).await?;
    remains
        .folders
        .iter()
        .try_for_each(|folder| remove_folder(folder))?;
    let folder = lock.folder().to_owned();
    lock.remove()?;
    let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
    left.extend(entries.map(|entry| entry.path()));
    left.retain(|path| path.symlink_metadata().is_ok());
    left.sort();
    left.dedup();
    Ok(Removed {
        was_there: was_there || !remains.is_empty(),
        left,
    })
}
