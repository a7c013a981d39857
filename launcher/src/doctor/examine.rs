//! What is wrong with one cluster's files.

use std::path::Path;

use super::files::{Findings, doctor, leftovers, odd_lock, permissions};
use super::finding::{Action, Finding, Kind, Remedy};
use super::nodes;
use super::remains::{Remains, pids};
use crate::cluster::Cluster;
use crate::error::Error;
use crate::machine::message::{Part, run, text};
use crate::node::Node;
use crate::state::{
    COPY_FILE, Displaced, Home, JOURNAL_FILE, Journal, LOCK_FILE, Name, OWNER_FILE, Phase,
    RECORD_FILE, Record, Stage, has_lost_owner, has_owner,
};

/// All that is wrong with a cluster. What is found while another command is at work on it may be a
/// change half done.
pub(super) fn cluster(home: &Home, name: &Name) -> Vec<Finding> {
    let folder = home.folder(name);
    let mut findings = Findings {
        name,
        all: Vec::new(),
    };
    files(&folder, &mut findings);
    match home.record(name) {
        Ok(Some(record)) => {
            let cluster = Cluster::of(home.clone(), record, false);
            cluster.nodes().iter().for_each(Node::adopt);
            known(&cluster, &folder, &mut findings);
        }
        Ok(None) => without_record(home, &folder.join(RECORD_FILE), "it is gone", &mut findings),
        Err(Error::State { path, reason }) => without_record(home, &path, &reason, &mut findings),
        Err(error) => without_record(home, &folder, &error.to_string(), &mut findings),
    }
    findings.all
}

/// The files of the cluster itself.
fn files(folder: &Path, findings: &mut Findings<'_>) {
    let own =
        [COPY_FILE, RECORD_FILE, JOURNAL_FILE, OWNER_FILE, LOCK_FILE].map(|file| folder.join(file));
    for path in std::iter::once(folder.to_owned()).chain(own) {
        permissions(&path, None, findings);
    }
    for (file, what) in [
        (LOCK_FILE, "the cluster's lock"),
        (OWNER_FILE, "the lock of the cluster's owner"),
    ] {
        let path = folder.join(file);
        if let Some(reason) = odd_lock(&path) {
            let text = format!("{what}, `{}`, cannot be used: {reason}", path.display());
            let remedy = doctor(Action::SetAside, "removes it");
            findings.add(Kind::Lock, None, path, text, remedy);
        }
    }
    leftovers(folder, None, findings);
}

/// A cluster whose record is of no use.
fn without_record(home: &Home, path: &Path, reason: &str, findings: &mut Findings<'_>) {
    let name = findings.name;
    let remains = Remains::of(home, name);
    let copy = path.with_file_name(COPY_FILE);
    let is_there = path.symlink_metadata().is_ok() || copy.symlink_metadata().is_ok();
    if !is_there && remains.is_empty() {
        // Nothing but the lock: whoever made it was killed at once, and every command sweeps it.
        let text = format!(
            "`{}` was left by a command that was interrupted",
            home.folder(name).display()
        );
        let remedy = doctor(Action::RemoveCluster, "removes it");
        return findings.add(
            Kind::InterruptedStart,
            None,
            home.folder(name),
            text,
            remedy,
        );
    }
    let down = run("down").of(name);
    let what = format!(
        "the record of the cluster, `{}`, cannot be used: {reason}",
        path.display()
    );
    let (text, remedy) = if let Ok(Some(_)) = home.copy_of_record(name) {
        (
            what,
            doctor(Action::RestoreRecord, "restores it from its copy"),
        )
    } else if Record::is_newer(path) {
        let remedy = text![
            "use the shardlab that wrote it; ",
            down,
            " removes the cluster with its data"
        ];
        (what, Remedy::Other(remedy))
    } else if !remains.servers.is_empty() {
        let text = format!(
            "{what}; servers of the cluster run ({})",
            pids(&remains.servers)
        );
        let does = text![
            "stops the servers of the cluster and keeps their data; ",
            down,
            " removes that, too"
        ];
        (text, doctor(Action::EndServers, does))
    } else if !remains.folders.is_empty() {
        let folders: Vec<_> = remains
            .folders
            .iter()
            .map(|folder| format!("`{}`", folder.display()))
            .collect();
        let text = format!("{what}; the nodes' data is in {}", folders.join(", "));
        let remedy = text!["keep of it what you need; ", down, " removes it"];
        (text, Remedy::Other(remedy))
    } else {
        let text = format!("{what}, and nothing else is left of the cluster");
        (text, doctor(Action::RemoveCluster, "removes it"))
    };
    findings.add(Kind::Record, None, path.to_owned(), text, remedy);
}

/// A cluster whose record is good.
fn known(cluster: &Cluster, folder: &Path, findings: &mut Findings<'_>) {
    let (name, record) = (findings.name, cluster.record());
    if let Some(found) = &record.displaced {
        return displaced(cluster, folder, found, findings);
    }
    if record.phase == Phase::Removing {
        let text = format!("the removal of the cluster `{name}` was interrupted");
        let remedy = doctor(
            Action::RemoveCluster,
            "finishes it, as `down` and every command that starts or lists clusters does",
        );
        let path = folder.to_owned();
        return findings.add(Kind::InterruptedRemoval, None, path, text, remedy);
    }
    if record.phase == Phase::Starting && !has_owner(folder) {
        let text = format!("the start of the cluster `{name}` was interrupted before it finished");
        let remedy = doctor(
            Action::RemoveCluster,
            "removes what it left behind, as `up` does",
        );
        return findings.add(
            Kind::InterruptedStart,
            None,
            folder.to_owned(),
            text,
            remedy,
        );
    }
    if record.private && !has_owner(folder) && (has_lost_owner(folder) || !cluster.is_running()) {
        let text = format!("the process that the private cluster `{name}` belonged to is gone");
        let remedy = doctor(Action::RemoveCluster, "removes the cluster");
        return findings.add(Kind::Ownerless, None, folder.to_owned(), text, remedy);
    }
    copy(record, folder, findings);
    journal(cluster, folder, findings);
    if record.boot_settings {
        let text = format!(
            "a restart of the cluster `{name}` was interrupted: its servers have settings that are not the user's"
        );
        let remedy = if cluster.is_running() {
            doctor(Action::SetRight, "restores them")
        } else {
            Remedy::Other(text![run("start").of(name)])
        };
        findings.add(
            Kind::InterruptedRestart,
            None,
            folder.to_owned(),
            text,
            remedy,
        );
    }
    for node in cluster.nodes().iter().filter(|node| node.is_ours()) {
        match node.stage() {
            Stage::Member => nodes::node(cluster, node, findings),
            stage => {
                let joins = matches!(stage, Stage::Joining { .. });
                let end = if joins { "be added" } else { "be deleted" };
                let text = format!(
                    "{} was about to {end} when the command was interrupted",
                    node.name()
                );
                let remedy = Remedy::Other("the same command again finishes it".into());
                findings.add(
                    Kind::UnfinishedChange,
                    Some(node),
                    node.dir().to_owned(),
                    text,
                    remedy,
                );
            }
        }
    }
    nodes::strays(cluster, findings);
}

/// A cluster whose folder is another one than its record was written for.
fn displaced(cluster: &Cluster, folder: &Path, found: &Displaced, findings: &mut Findings<'_>) {
    let (name, from) = (findings.name, found.from.display());
    let (kind, what) = if found.is_copy {
        (Kind::Copied, "is a copy of")
    } else {
        (Kind::Moved, "was moved from")
    };
    let text = format!(
        "the folder of the cluster `{name}`, `{}`, {what} `{from}`",
        folder.display()
    );
    let spared = if found.is_copy {
        format!(", and neither touches `{from}`")
    } else {
        String::new()
    };
    let down = text![run("down").of(name), format!(" removes it{spared}")];
    let remedy = match &found.lacks {
        Some(dir) => {
            let place = dir.display();
            let lacks = format!("its nodes' folders are not in it, but in `{place}`: ");
            Remedy::Other(text![lacks].and(down))
        }
        None if cluster.nodes().iter().any(Node::is_unseen) => Remedy::Other(
            "its servers run where they cannot be seen from here: use it there, or stop it there first"
                .into(),
        ),
        None => doctor(
            Action::CorrectPaths,
            text!["writes the new place into its record and its nodes' configs; "].and(down),
        ),
    };
    findings.add(kind, None, folder.to_owned(), text, remedy);
}

fn copy(record: &Record, folder: &Path, findings: &mut Findings<'_>) {
    let path = folder.join(COPY_FILE);
    let reason = match Record::read(&path, findings.name) {
        Ok(Some(copy)) if copy != *record => Some("is out of date".to_owned()),
        Err(Error::State { reason, .. }) => Some(format!("cannot be used: {reason}")),
        _ => None,
    };
    if let Some(reason) = reason {
        let path_text = path.display();
        let text = format!("the copy of the cluster's record, `{path_text}`, {reason}");
        let remedy = doctor(Action::WriteCopy, "writes it again");
        findings.add(Kind::RecordCopy, None, path, text, remedy);
    }
}

fn journal(cluster: &Cluster, folder: &Path, findings: &mut Findings<'_>) {
    let name = findings.name;
    let path = folder.join(JOURNAL_FILE);
    match Journal::read(folder) {
        Ok(None) => {}
        Ok(Some(journal)) => {
            let text = format!(
                "slots of the cluster `{name}` are on their way: {} was interrupted",
                journal.intent
            );
            let remedy = if cluster.is_running() {
                doctor(
                    Action::FixSlots,
                    text![
                        "finishes it, as ",
                        run("fix").of(name),
                        " does; so does ",
                        Part::from(&journal.intent).of(name)
                    ],
                )
            } else {
                Remedy::Other(text![
                    run("start").of(name),
                    ", then ",
                    Part::from(&journal.intent).of(name),
                    ", or ",
                    run("fix").of(name)
                ])
            };
            findings.add(Kind::UnfinishedMove, None, path, text, remedy);
        }
        Err(error) => {
            let reason = match error {
                Error::State { reason, .. } => reason,
                other => other.to_string(),
            };
            let text = format!(
                "what a command that moves slots has set out to do, `{}`, cannot be used: {reason}",
                path.display()
            );
            let does = text![
                "removes it; ",
                run("fix").of(name),
                " then finishes what was interrupted"
            ];
            findings.add(
                Kind::Journal,
                None,
                path,
                text,
                doctor(Action::SetAside, does),
            );
        }
    }
}
