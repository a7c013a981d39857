//! The data of a node that runs, written down by itself while it goes on.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::time::Duration;

use super::ArchiveError;
use super::nodes_conf::is_whole;
use crate::config::CLUSTER_FILE;
use crate::error::{Error, IoContext as _};
use crate::machine::wait::{Deadline, Rounds, until};
use crate::node::{Endpoint, Node, Session, put_aside, put_back};
use crate::wire::client::REPLY_TIMEOUT;
use crate::wire::resp::{Frame, escape};
use crate::wire::view;

/// How long a node may take to write its data down: minutes for gigabytes on a slow disk.
const SNAPSHOT_TIMEOUT: Duration = Duration::from_secs(600);
const LOOK: Duration = Duration::from_millis(10);
/// How long a copy for a replica may stay on the disk of a node that keeps its data in memory only: 1 s, and patience.
const SYNC_FILE_TIMEOUT: Duration = Duration::from_secs(3);
/// How long nodes.conf may be found half written.
const TORN_TIMEOUT: Duration = Duration::from_secs(5);

/// A node whose data is to be written down.
#[derive(Debug)]
pub(super) struct Snapshot {
    endpoint: Endpoint,
    dir: PathBuf,
}

impl Snapshot {
    pub(super) fn of(node: &Node) -> Self {
        Self {
            endpoint: node.endpoint(),
            dir: node.dir().to_owned(),
        }
    }

    /// Has the node write its data down (BGSAVE) and opens what it has written. On the disk all is
    /// as before then, unless the node takes snapshots for itself: one that keeps its data in
    /// memory only must not find any when it is started again. What an interruption leaves is set
    /// right by the node's next start.
    pub(super) async fn take(self) -> Result<File, Error> {
        let mut session = Session::unconnected(self.endpoint);
        let name = setting(&mut session, "dbfilename").await?;
        let path = self.dir.join(OsStr::from_bytes(&name));
        let takes_snapshots = !setting(&mut session, "save").await?.is_empty();
        if !takes_snapshots {
            if setting(&mut session, "appendonly").await? == b"no" {
                // A copy for a replica, which the server removes within a second (`rdb-del-sync-files`,
                // `replicationCron`, replication.c), is not what is to come back.
                let is_gone = || {
                    if path.exists() {
                        ControlFlow::Continue(())
                    } else {
                        ControlFlow::Break(())
                    }
                };
                let waited = Deadline::after(SYNC_FILE_TIMEOUT);
                let _ = until(waited, LOOK, || std::future::ready(is_gone())).await;
            }
            put_aside(&path)?;
        }
        let deadline = Deadline::after(SNAPSHOT_TIMEOUT);
        begin(&mut session, deadline).await?;
        end(&mut session, deadline).await?;
        let file = File::open(&path).doing("read", &path)?;
        if !takes_snapshots {
            put_back(&self.dir)?;
        }
        Ok(file)
    }
}

async fn setting(session: &mut Session, key: &str) -> Result<Vec<u8>, Error> {
    let reply = ask(session, &["CONFIG", "GET", key]).await?;
    let value = reply
        .as_array()
        .and_then(|pair| pair.get(1)?.as_text())
        .map(<[u8]>::to_vec);
    value.ok_or_else(|| failed(session, format!("it does not tell its `{key}`")))
}

/// Another snapshot is under way at times: an append-only file is rewritten, a replica is served.
async fn begin(session: &mut Session, deadline: Deadline) -> Result<(), Error> {
    let mut rounds = Rounds::until(deadline, LOOK);
    loop {
        let reply = say(session, &["BGSAVE"]).await?;
        let Some(error) = reply.as_error() else {
            return Ok(());
        };
        let words = escape(error);
        let passes = ["in progress", "child process", "LOADING"];
        if !passes.iter().any(|busy| words.contains(busy)) || !rounds.next().await {
            return Err(failed(session, words));
        }
    }
}

async fn end(session: &mut Session, deadline: Deadline) -> Result<(), Error> {
    let mut rounds = Rounds::until(deadline, LOOK);
    loop {
        let info = ask(session, &["INFO", "persistence"]).await?;
        let field = |name| view::info_field(&info, name);
        match (
            field("rdb_bgsave_in_progress"),
            field("rdb_last_bgsave_status"),
        ) {
            (Some("0"), Some("ok")) => return Ok(()),
            (Some("0"), status) => {
                let status = status.unwrap_or("unknown");
                let reason = format!("BGSAVE ended with the status `{status}`");
                return Err(failed(session, reason));
            }
            _ => {}
        }
        if !rounds.next().await {
            let waited = humantime::format_duration(SNAPSHOT_TIMEOUT);
            let reason = format!("BGSAVE has not ended within {waited}");
            return Err(failed(session, reason));
        }
    }
}

async fn ask(session: &mut Session, command: &[&str]) -> Result<Frame, Error> {
    let reply = say(session, command).await?;
    match reply.as_error() {
        Some(error) => Err(failed(session, escape(error))),
        None => Ok(reply),
    }
}

/// What is refused for a moment is tried again for as long as a snapshot may take, so that each command is
/// given once.
async fn say(session: &mut Session, command: &[&str]) -> Result<Frame, Error> {
    let reply = session.call(command, Deadline::after(REPLY_TIMEOUT)).await;
    reply.map_err(|source| failed(session, source.to_string()))
}

fn failed(session: &Session, reason: String) -> Error {
    ArchiveError::Snapshot {
        node: session.name().to_owned(),
        reason,
    }
    .into()
}

/// What a node remembers of the cluster. Servers write nodes.conf in place, so it is read until it is whole.
pub(super) async fn nodes_conf(node: &Node) -> Result<String, Error> {
    let path = node.dir().join(CLUSTER_FILE);
    let read = || {
        std::future::ready(match fs::read(&path) {
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) if is_whole(&text) => ControlFlow::Break(Ok(text)),
                _ => ControlFlow::Continue("it is not whole"),
            },
            Err(error) => ControlFlow::Break(Err(error)),
        })
    };
    match until(Deadline::after(TORN_TIMEOUT), LOOK, read).await {
        Ok(text) => text.doing("read", &path),
        Err(reason) => Err(Error::State {
            path,
            reason: reason.to_owned(),
        }),
    }
}
