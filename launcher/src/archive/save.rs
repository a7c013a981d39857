//! A cluster becomes an archive.

use std::collections::HashSet;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use tokio::task::JoinSet;

use super::ArchiveError;
use super::background::{self, ArchiveProgress};
use super::manifest::{FileKind, Manifest, SCHEMA, escaped, member_path};
use super::nodes_conf::{myself, needed_stranger};
use super::pack::{Content, NodeSources, Source, pack};
use super::snapshot::{Snapshot, nodes_conf};
use crate::cluster::{Cluster, LOCK_PATIENCE};
use crate::error::reshape::MoveError;
use crate::error::{Error, IoContext as _};
use crate::machine::wait::Deadline;
use crate::node::{Node, put_back};
use crate::plan::{Boot, Role};

use crate::state::{Journal, Lock, target_of};
use crate::wire::client::REPLY_TIMEOUT;
use crate::wire::resp::escape;
use crate::wire::slots::SlotRanges;
use crate::wire::view::{Epoch, NodeId};

/// What servers call files that they have not finished.
const SERVERS_TEMPORARY: &str = "temp-";

/// An archive that has been written.
#[derive(Debug)]
#[non_exhaustive]
pub struct Saved {
    /// Where it is, absolute.
    pub path: PathBuf,
    /// Its length in bytes.
    pub length: u64,
    /// What it holds.
    pub manifest: Manifest,
}

/// What one node says of roles and slots: its id, its master's, its epoch, its slots.
type Shape = Vec<(NodeId, Option<NodeId>, Epoch, SlotRanges)>;

impl Cluster {
    /// Writes the cluster with its data to a file, which only its owner can read since it holds the
    /// passwords, too. Nodes that run go on running, and each writes its data down at a moment of
    /// its own; of nodes that do not run the files are taken as they are. An archive that exists is
    /// replaced in one step, and only with `force`. Other commands cannot change the cluster meanwhile.
    ///
    /// # Errors
    /// [`ArchiveError`]; a node does not answer, or a file cannot be read or written. Then `path` is
    /// as it was before. Another command keeps the lock for [`LOCK_PATIENCE`].
    pub async fn save(&self, path: &Path, force: bool) -> Result<Saved, Error> {
        let lock = self.lock(LOCK_PATIENCE).await?;
        self.save_locked(&lock, path, force, &|_| {}).await
    }

    /// As [`Cluster::save`], under a lock that the caller has; tells of its progress.
    ///
    /// # Errors
    /// As [`Cluster::save`].
    pub async fn save_locked(
        &self,
        _lock: &Lock,
        path: &Path,
        force: bool,
        observe: &(dyn Fn(ArchiveProgress) + Sync),
    ) -> Result<Saved, Error> {
        self.refuse_unfinished()?;
        let record = self.record();
        let clustered = record.options.topology.is_cluster();
        if let Some(node) = self.nodes().iter().find(|node| !node.is_ours()) {
            return Err(ArchiveError::NotOurs(node.name().to_owned()).into());
        }
        if let Some(node) = self.nodes().iter().find(|node| !node.stage().is_member()) {
            return Err(ArchiveError::Unsettled(node.name().to_owned()).into());
        }
        if let Some(Journal { intent, .. }) = Journal::read(&self.folder())? {
            return Err(MoveError::Unfinished { intent }.into());
        }
        (self.nodes().iter()).try_for_each(Node::must_not_be_paused)?;
        let path = self.archive_path(path, force)?;
        let before = self.shape(clustered).await?;
        let master = self.last_master().await?.map(Node::name);
        let mut nodes = self.data().await?;
        if clustered {
            self.memories(&mut nodes).await?;
        }
        let same_master = master == self.last_master().await?.map(Node::name);
        if !same_master || before != self.shape(clustered).await? {
            return Err(ArchiveError::Changed(self.name().clone()).into());
        }
        let manifest = Manifest {
            schema: SCHEMA,
            name: self.name().clone(),
            options: record.options.clone(),
            server: record.server.clone(),
            // Bare nodes come back as such.
            master: master
                .filter(|_| record.options.boot != Boot::None)
                .map(ToOwned::to_owned),
            retired: record.retired.clone(),
            reshaped: record.reshaped.clone(),
            nodes: Vec::new(),
        };
        let to = path.clone();
        let lost = |source| Error::Io {
            action: "write",
            path: path.clone(),
            source,
        };
        let (manifest, length) = background::run(
            move |job| pack(&to, force, manifest, nodes, job),
            observe,
            lost,
        )
        .await?;
        Ok(Saved {
            path,
            length,
            manifest,
        })
    }

    /// The file that is to be the archive, links followed.
    fn archive_path(&self, path: &Path, force: bool) -> Result<PathBuf, ArchiveError> {
        let refuse = |reason: String| ArchiveError::Target {
            path: path.to_owned(),
            reason,
        };
        let target = target_of(path).map_err(|error| refuse(error.to_string()))?;
        if self.home().holds(&target) {
            return Err(refuse("shardlab keeps its own files there".to_owned()));
        }
        if !force && path.symlink_metadata().is_ok() {
            return Err(ArchiveError::Exists(target));
        }
        Ok(target)
    }

    /// Roles and slots of all nodes that run, by their own words.
    async fn shape(&self, clustered: bool) -> Result<Shape, Error> {
        if !clustered {
            return Ok(Vec::new());
        }
        let survey = self.survey(Deadline::after(REPLY_TIMEOUT)).await;
        let silent = survey.accounts().iter().find_map(|account| {
            let runs = self
                .node(&account.node)
                .is_ok_and(|node| node.process().is_some());
            let reason = account.says.as_ref().err().filter(|_| runs)?;
            Some(ArchiveError::Snapshot {
                node: account.node.clone(),
                reason: reason.clone(),
            })
        });
        match silent {
            Some(error) => Err(error.into()),
            None => Ok(survey
                .selves()
                .map(|(_, own)| {
                    (
                        own.id.clone(),
                        own.master.clone(),
                        own.epoch,
                        own.slots.clone(),
                    )
                })
                .collect()),
        }
    }

    /// The data of every node, written down by those that run, all at the same time.
    async fn data(&self) -> Result<Vec<NodeSources>, Error> {
        let mut writing: JoinSet<(usize, Result<File, Error>)> = JoinSet::new();
        let mut nodes = Vec::new();
        for (index, node) in self.nodes().iter().enumerate() {
            let files = if node.plan().role == Role::Sentinel {
                // It holds no data, and is told anew whom to watch.
                Vec::new()
            } else if node.process().is_some() {
                let snapshot = Snapshot::of(node);
                writing.spawn(async move { (index, snapshot.take().await) });
                Vec::new()
            } else {
                files_of(node)?
            };
            nodes.push(NodeSources {
                plan: node.plan().clone(),
                files,
            });
        }
        while let Some(joined) = writing.join_next().await {
            let (index, written) = joined.map_err(|error| {
                Error::Unsupported(format!("a node's data was not written down: {error}").into())
            })?;
            let content = Content::File(written?);
            if let Some(node) = nodes.get_mut(index) {
                node.files.push(Source {
                    kind: FileKind::Snapshot,
                    content,
                });
            }
        }
        Ok(nodes)
    }

    /// What every node remembers of the cluster, in front of its data.
    async fn memories(&self, nodes: &mut [NodeSources]) -> Result<(), Error> {
        let mut texts = Vec::new();
        for node in self.nodes() {
            if node.process().is_some() {
                // They write it whenever it changes; one of an older disk may lag behind.
                node.call(&["CLUSTER", "SAVECONFIG"]).await?;
            }
            let text = nodes_conf(node).await?;
            let (id, _) = myself(&text).map_err(|reason| Error::State {
                path: node.dir().join(crate::config::CLUSTER_FILE),
                reason,
            })?;
            texts.push((node.name(), id, text));
        }
        let ours: HashSet<String> = texts.iter().map(|(_, id, _)| id.clone()).collect();
        for ((name, _, text), sources) in texts.into_iter().zip(nodes) {
            if let Some(id) = needed_stranger(&text, &|id| ours.contains(id)) {
                return Err(ArchiveError::Stranger {
                    node: name.to_owned(),
                    id: escaped(&id),
                }
                .into());
            }
            sources.files.insert(
                0,
                Source {
                    kind: FileKind::NodesConf,
                    content: Content::Text(text.into_bytes()),
                },
            );
        }
        Ok(())
    }
}

/// The data files of a node that does not run.
fn files_of(node: &Node) -> Result<Vec<Source>, Error> {
    // Of a node that keeps nothing an interrupted save may have left a dump.
    put_back(node.dir())?;
    let mut sources = Vec::new();
    for path in node.memory()? {
        if path.is_dir() {
            for entry in fs::read_dir(&path).doing("read", &path)? {
                add(node, &entry.doing("read", &path)?.path(), &mut sources)?;
            }
        } else {
            add(node, &path, &mut sources)?;
        }
    }
    // Always in the same order, whatever the file system's is.
    sources.sort_by_key(|source| source.kind.path());
    Ok(sources)
}

fn add(node: &Node, path: &Path, sources: &mut Vec<Source>) -> Result<(), Error> {
    let place = path.strip_prefix(node.dir()).unwrap_or(path);
    let refuse = |reason| ArchiveError::File {
        node: node.name().to_owned(),
        path: escape(place.as_os_str().as_bytes()),
        reason,
    };
    let place = place
        .to_str()
        .ok_or_else(|| refuse("its name is not UTF-8"))?;
    let file = place.rsplit('/').next().unwrap_or_default();
    let is_plain = path.symlink_metadata().doing("read", path)?.is_file();
    let passing = file.starts_with(SERVERS_TEMPORARY) || file.starts_with('.');
    if place == crate::config::CLUSTER_FILE
        || place == crate::config::PID_FILE
        || passing
        || !is_plain
    {
        return Ok(());
    }
    let kind = FileKind::Data(place.to_owned());
    // Only what can be restored is saved.
    FileKind::parse(&kind.path()).map_err(refuse)?;
    member_path(node.name(), &kind.path()).map_err(refuse)?;
    let file = File::open(path).doing("read", path)?;
    sources.push(Source {
        kind,
        content: Content::File(file),
    });
    Ok(())
}
