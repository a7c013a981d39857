//! What is wrong with the nodes' folders of a cluster, and with servers beside its nodes.

use std::fs;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use super::files::{Findings, doctor, leftovers, permissions};
use super::finding::{Action, Kind, Remedy, doctor_fix};
use super::remains::{pids, resolved, servers_of};
use crate::cluster::Cluster;
use crate::config::{CLUSTER_FILE, CONFIG_FILES, LOG_FILE, PID_FILE};
use crate::error::data_damage;
use crate::machine::message::{run, run_on, text};
use crate::node::{Damage, Node, Part};
use crate::plan::{Boot, Setting};

/// How many of the last lines of a log are looked at.
const LAST_WORDS: usize = 8;

/// The directives that name what a server writes its data to, with their usual values.
const DATA_FILES: [(&str, &str); 3] = [
    ("dbfilename", "dump.rdb"),
    ("appendfilename", "appendonly.aof"),
    ("appenddirname", "appendonlydir"),
];

/// The folder of one node.
pub(super) fn node(cluster: &Cluster, node: &Node, findings: &mut Findings<'_>) {
    let dir = node.dir();
    permissions(dir, Some(node), findings);
    let runs = node.process().is_some();
    let damages = node.damages();
    for Damage { part, path, reason } in damages {
        let what = format!("`{}` of `{}`: {reason}", path.display(), node.name());
        let (kind, remedy) = match part {
            Part::Folder => (Kind::NodeFolder, folder_remedy(cluster, node, runs)),
            Part::Config => (
                Kind::NodeConfig,
                doctor(Action::RewriteConfig, "writes it again, as `up` did"),
            ),
            Part::Memory if runs => (
                Kind::NodesConf,
                doctor(Action::SaveMemory, "has the server write it again"),
            ),
            Part::Memory => (
                Kind::NodesConf,
                doctor(
                    Action::RestoreMemory,
                    "restores it from what the other nodes remember; if they do not know the node, it is removed",
                ),
            ),
            // The server has opened its log, and writes no other file there until it starts again.
            Part::Other => (
                Kind::NodeFile,
                doctor(
                    Action::SetAside,
                    "removes it, or renames it to `….aside` if it is a folder that is not empty",
                ),
            ),
        };
        findings.add(kind, Some(node), path, what, remedy);
    }
    files(cluster, node, runs, findings);
    if !runs {
        data(cluster, node, findings);
    }
    leftovers(dir, Some(node), findings);
}

fn folder_remedy(cluster: &Cluster, node: &Node, runs: bool) -> Remedy {
    let name = cluster.name();
    if !runs {
        return doctor(
            Action::RemakeFolder,
            "creates it again, with its config; the data that was in it is lost",
        );
    }
    let of_node = |verb| run_on(verb, node.name()).of(name);
    Remedy::Other(text![
        of_node("stop"),
        ", then ",
        doctor_fix(),
        " creates the folder again; what the server has in memory is lost, unless ",
        of_node("failover"),
        " first makes a replica the master"
    ])
}

/// The data, by the last words of a server that could not read it.
fn data(cluster: &Cluster, node: &Node, findings: &mut Findings<'_>) {
    let log = node.log_tail(LAST_WORDS);
    let Some(line) = data_damage(&log) else {
        return;
    };
    // It has been made to forget its data since.
    if node.memory().is_ok_and(|left| left.is_empty()) {
        return;
    }
    let (name, node_name) = (cluster.name(), node.name());
    let text =
        format!("the server of `{node_name}` has ended since it cannot read its data: {line}");
    let remedy = Remedy::Other(text![
        "as the log says; or ",
        run_on("wipe", node_name).of(name),
        ", which makes it forget its data, then ",
        run("start").of(name),
        ", and ",
        run("fix").of(name),
        " takes it back"
    ]);
    findings.add(
        Kind::NodeData,
        Some(node),
        node.dir().to_owned(),
        text,
        remedy,
    );
}

/// Files that a server that runs, or will run, cannot live with.
fn files(cluster: &Cluster, node: &Node, runs: bool, findings: &mut Findings<'_>) {
    let memory = node.dir().join(CLUSTER_FILE);
    let formed = node.bus_port().is_some() && cluster.record().options.boot != Boot::None;
    if runs && formed && node.dir().is_dir() && memory.symlink_metadata().is_err() {
        let text = format!("`{}` of `{}`: it is gone", memory.display(), node.name());
        let remedy = doctor(Action::SaveMemory, "has the server write it again");
        findings.add(Kind::NodesConf, Some(node), memory, text, remedy);
    }
    // What else is in there may be somebody's.
    for path in own_files(cluster, node) {
        permissions(&path, Some(node), findings);
        let is_fifo = fs::symlink_metadata(&path).is_ok_and(|found| found.file_type().is_fifo());
        let leads_nowhere = path.is_symlink() && fs::metadata(&path).is_err();
        let named = findings.all.iter().any(|finding| finding.path == path);
        if (is_fifo || leads_nowhere)
            && !named
            && path.file_name().is_some_and(|name| name != PID_FILE)
        {
            let kind = if is_fifo {
                "a FIFO"
            } else {
                "a link that leads nowhere"
            };
            let text = format!("`{}` of `{}`: it is {kind}", path.display(), node.name());
            findings.add(
                Kind::NodeFile,
                Some(node),
                path,
                text,
                doctor(Action::SetAside, "removes it"),
            );
        }
    }
}

/// The names that the launcher and the server give to what they write, whether or not it is there.
fn own_files(cluster: &Cluster, node: &Node) -> Vec<PathBuf> {
    let settings = &cluster.record().options.settings;
    let named = |(key, usual): (&str, &str)| {
        let asked = Setting::value_in(settings, &[key]);
        asked.unwrap_or(usual).to_owned()
    };
    let written = [LOG_FILE, PID_FILE, CLUSTER_FILE]
        .into_iter()
        .chain(CONFIG_FILES);
    let all = written.map(ToOwned::to_owned).chain(DATA_FILES.map(named));
    let is_name = |name: &String| {
        Path::new(name)
            .file_name()
            .is_some_and(|file| *file == **name)
    };
    all.filter(is_name)
        .map(|name| node.dir().join(name))
        .collect()
}

/// Servers in the cluster's folder that none of its nodes is.
pub(super) fn strays(cluster: &Cluster, findings: &mut Findings<'_>) {
    let folder = cluster.folder();
    let dirs: Vec<_> = cluster
        .nodes()
        .iter()
        .map(|node| resolved(node.dir()))
        .collect();
    let mut strays = servers_of(&folder);
    strays.retain(|server| !dirs.contains(&server.dir));
    if strays.is_empty() {
        return;
    }
    let text = format!(
        "servers run in the folder of the cluster `{}` that are none of its nodes ({})",
        cluster.name(),
        pids(&strays)
    );
    let remedy = doctor(
        Action::EndServers,
        "stops these servers and keeps their data",
    );
    findings.add(Kind::UnownedServers, None, folder, text, remedy);
}
