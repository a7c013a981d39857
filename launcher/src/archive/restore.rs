//! An archive becomes a cluster.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::IpAddr;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;
use std::time::Instant;

use super::background::ArchiveProgress;
use super::manifest::{FILE_NAMES, FileKind};
use super::nodes_conf::{Place, Places, myself, needed_stranger, relocate};
use super::{Archive, ArchiveError, Damage, background};
use crate::boot::{Event, Request, arrange, replicated_method};
use crate::cluster::Cluster;
use crate::config::CLUSTER_FILE;
use crate::config::directive::split_words;
use crate::error::{Error, IoContext as _};
use crate::ladder::Standing;
use crate::machine::random;
use crate::machine::text::counted;
use crate::plan::{Boot, NodePlan, Options, Plan, PortChoice, Setting};
use crate::server::{Identity, Server};
use crate::state::ports;
use crate::state::{Home, Lock, Phase, write_atomically};

/// The saved nodes, with names, roles and slots of birth as they were, on other ports.
pub(crate) fn plan(
    archive: &Archive,
    options: &Options,
    server: &Identity,
    home: &Home,
) -> Result<Plan, Error> {
    refuse_contradictions(archive, options)?;
    let saved: Vec<NodePlan> = archive
        .manifest()
        .nodes
        .iter()
        .map(|node| node.plan.clone())
        .collect();
    let clients = match &options.ports {
        // Sentinels have ports of their own.
        _ if !options.topology.is_cluster() => ports::of(options, 1, home)?,
        PortChoice::Auto => ports::choose(saved.len(), 1, &options.bind, home)?,
        PortChoice::List(ports) => ports.clone(),
        PortChoice::From(first) => consecutive(*first, saved.len()),
    };
    let ports = ports::with_bus_ports(&clients, options, server, home)?;
    Ok(Plan::at_ports(saved, options.topology, &ports)?)
}

/// Unpacks what was saved into the nodes' folders, which have their configs already, and starts the
/// nodes as a stopped cluster is started. What has been unpacked when this fails is the caller's to remove.
pub(crate) async fn restore(
    archive: &Archive,
    request: &Request<'_>,
    cluster: &mut Cluster,
    lock: &Lock,
    server: &Server,
    since: Instant,
) -> Result<(), Error> {
    refuse_lack_of_space(archive, &cluster.record().dir)?;
    let texts = unpack(archive, request, cluster).await?;
    let memories = relocated(archive, request, cluster, server, &texts)
        .map_err(|damage| damaged(archive, damage))?;
    for (node, memory) in cluster.nodes().iter().zip(memories) {
        if let Some(text) = memory {
            write_atomically(&node.dir().join(CLUSTER_FILE), text.as_bytes())?;
        }
    }
    if let Some(master) = &archive.manifest().master {
        let method = replicated_method(Boot::Auto, &server.identity);
        arrange(cluster, cluster.node(master)?, method)?;
    }
    // Whole and at rest: killed from now on, it is started with its data by the next `up`.
    cluster.remember(lock, Phase::Stopped)?;
    (request.observer)(&Event::Spawned {
        nodes: cluster.nodes().len(),
        server: &server.identity,
    });
    let observe = |standings: &[Standing]| {
        (request.observer)(&Event::Looked {
            standings,
            elapsed: since.elapsed(),
        });
    };
    let started = cluster
        .start_locked(lock, &[], request.rung, Some(request.patience()), observe)
        .await;
    started.map_err(|error| explain(archive, server, error))?;
    forget_snapshots(cluster, &request.options)
}

/// What keeps its data in memory only must not find at its next start what it was restored from.
fn forget_snapshots(cluster: &Cluster, options: &Options) -> Result<(), Error> {
    let takes_snapshots = last_word(options, "save").is_some_and(|word| !word.is_empty());
    if options.persist || takes_snapshots {
        return Ok(());
    }
    for node in cluster.nodes() {
        let path = node.dir().join(snapshot_name(options));
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).doing("remove", &path);
            }
            _ => {}
        }
    }
    Ok(())
}

async fn unpack(
    archive: &Archive,
    request: &Request<'_>,
    cluster: &Cluster,
) -> Result<Vec<Option<String>>, Error> {
    let folders: Vec<_> = cluster
        .nodes()
        .iter()
        .map(|node| node.dir().to_owned())
        .collect();
    let snapshot = snapshot_name(&request.options);
    let lost = |source| Error::Io {
        action: "read",
        path: archive.path().to_owned(),
        source,
    };
    let observe = |ArchiveProgress { done, total }: ArchiveProgress| {
        (request.observer)(&Event::Unpacked { done, total });
    };
    let from = archive.clone();
    let work = move |job: &background::Job| {
        let place = |index: usize, kind: &FileKind| {
            let folder = folders.get(index).cloned().unwrap_or_default();
            match kind {
                FileKind::Data(place) => folder.join(place),
                FileKind::Snapshot | FileKind::NodesConf => folder.join(&snapshot),
            }
        };
        from.unpack(place, job)
    };
    background::run(work, &observe, lost).await
}

/// What a snapshot must be called to be loaded: the beginning of an append-only file, or an RDB
/// file.
fn snapshot_name(options: &Options) -> OsString {
    let (key, usual) = if options.persist {
        ("appendfilename", "appendonly.aof")
    } else {
        ("dbfilename", "dump.rdb")
    };
    last_word(options, key).map_or_else(|| usual.into(), OsString::from_vec)
}

/// The value of a directive of one word, if the user has set it.
fn last_word(options: &Options, key: &str) -> Option<Vec<u8>> {
    let value = Setting::value_in(&options.settings, &[key])?;
    split_words(value).ok()?.into_iter().next()
}

/// Every node's nodes.conf for the new addresses.
fn relocated(
    archive: &Archive,
    request: &Request<'_>,
    cluster: &Cluster,
    server: &Server,
    texts: &[Option<String>],
) -> Result<Vec<Option<String>>, Damage> {
    let announced = request.options.announce.as_deref().unwrap_or_default();
    let is_name = announced.parse::<IpAddr>().is_err();
    let hostname = if is_name { announced } else { "" };
    let host = request.options.told_address().to_string();
    let mut nodes = BTreeMap::new();
    let mut shards = BTreeMap::new();
    for ((node, saved), text) in cluster
        .nodes()
        .iter()
        .zip(&archive.manifest().nodes)
        .zip(texts)
    {
        let Some(text) = text else { continue };
        let name = &saved.plan.name;
        let (id, master) = myself(text).map_err(|reason| bad_memory(name, reason))?;
        let place = Place {
            host: host.clone(),
            port: node.plan().port,
            bus_port: node.plan().bus_port.unwrap_or_default(),
            hostname: hostname.to_owned(),
        };
        shards
            .entry(master.unwrap_or_else(|| id.clone()))
            .or_insert_with(random::hex40);
        if nodes.insert(id, place).is_some() {
            return Err(bad_memory(name, "another node has its id".to_owned()));
        }
    }
    let places = Places {
        nodes,
        shards: server.identity.shard_ids().then_some(shards),
    };
    let ours = |id: &str| places.nodes.contains_key(id);
    texts
        .iter()
        .zip(&archive.manifest().nodes)
        .map(|(text, saved)| {
            let Some(text) = text else { return Ok(None) };
            let name = &saved.plan.name;
            if needed_stranger(text, &ours).is_some() {
                return Err(bad_memory(
                    name,
                    "it has to do with a node that is not there".to_owned(),
                ));
            }
            relocate(text, &places)
                .map(Some)
                .map_err(|reason| bad_memory(name, reason))
        })
        .collect()
}

fn bad_memory(node: &str, reason: String) -> Damage {
    Damage::NodesConf {
        node: node.to_owned(),
        reason,
    }
}

fn damaged(archive: &Archive, damage: Damage) -> Error {
    ArchiveError::Damaged {
        path: archive.path().to_owned(),
        damage,
    }
    .into()
}

fn consecutive(first: u16, count: usize) -> Vec<u16> {
    // Those beyond the last port are refused by what they are.
    (0..count)
        .map(|step| u16::try_from(usize::from(first) + step).unwrap_or(u16::MAX))
        .collect()
}

/// What a cluster is born with, and how it keeps its data, cannot be asked of one that is there.
fn refuse_contradictions(archive: &Archive, options: &Options) -> Result<(), Error> {
    let saved = &archive.manifest().options;
    let checks = [
        (
            options.masters == saved.masters,
            format!("it has {}", counted(saved.masters, "master")),
        ),
        (
            options.replicas == saved.replicas,
            "it has other replicas".to_owned(),
        ),
        (
            options.slots == saved.slots,
            "its slots are split in another way".to_owned(),
        ),
        (
            options.persist == saved.persist,
            "it keeps its data in another way".to_owned(),
        ),
        (
            options.topology == saved.topology,
            "it is of another topology".to_owned(),
        ),
    ];
    let renamed = FILE_NAMES
        .into_iter()
        .filter(|key| last_word(options, key) != last_word(saved, key))
        .map(|key| (false, format!("its `{key}` is another one")));
    let found: Vec<_> = checks
        .into_iter()
        .chain(renamed)
        .filter(|(same, _)| !same)
        .map(|(_, difference)| difference)
        .collect();
    if found.is_empty() {
        return Ok(());
    }
    Err(ArchiveError::Contradicts {
        path: archive.path().to_owned(),
        differences: found.join("; "),
    }
    .into())
}

fn refuse_lack_of_space(archive: &Archive, dir: &Path) -> Result<(), Error> {
    let disk = nix::sys::statvfs::statvfs(dir)
        .map_err(std::io::Error::from)
        .doing("look at", dir)?;
    #[cfg_attr(
        target_os = "linux",
        expect(clippy::useless_conversion, reason = "narrower elsewhere")
    )]
    let there = u64::from(disk.blocks_available()).saturating_mul(disk.fragment_size());
    let needed = archive.manifest().length();
    if needed <= there {
        return Ok(());
    }
    Err(ArchiveError::Space {
        path: archive.path().to_owned(),
        needed,
        there,
    }
    .into())
}

/// A log line without process, time and level.
fn message(line: &str) -> &str {
    let parts = line.split_once(" # ").or_else(|| line.split_once(" * "));
    parts.map_or(line, |(_, message)| message).trim()
}

/// What servers say of data that another one has written, what tells most first (`rdb.c` and
/// `aof.c`: Redis 5.0 to 8, Valkey 7.2 to 9).
const REFUSALS: [&str; 5] = [
    "RDB format version",
    "RDB version",
    "Wrong signature",
    "Bad file format",
    "Unrecoverable error reading the append only file",
];

/// A server that died of what another one has written says so in its log.
fn explain(archive: &Archive, server: &Server, error: Error) -> Error {
    let Error::Died { log, .. } = &error else {
        return error;
    };
    let words = REFUSALS
        .iter()
        .find_map(|words| log.iter().find(|line| line.contains(words)));
    match words {
        Some(words) => ArchiveError::Foreign {
            saved: archive.manifest().server.clone(),
            server: server.identity.clone(),
            words: message(words).to_owned(),
        }
        .into(),
        None => error,
    }
}
