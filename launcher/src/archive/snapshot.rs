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
use crate::machine::wait::{Deadline, until};
use crate::node::{Endpoint, Node, put_aside, put_back};
use crate::wire::client::{Connection, REPLY_TIMEOUT};
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
        let deadline = Deadline::after(SNAPSHOT_TIMEOUT);
        let mut connection = self
            .endpoint
            .connect(deadline.at_most(REPLY_TIMEOUT))
            .await
            .map_err(|source| self.failed(source.to_string()))?;
        let name = self.setting(&mut connection, "dbfilename").await?;
        let path = self.dir.join(OsStr::from_bytes(&name));
        let takes_snapshots = !self.setting(&mut connection, "save").await?.is_empty();
        if !takes_snapshots {
            if self.setting(&mut connection, "appendonly").await? == b"no" {
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
        self.begin(&mut connection, deadline).await?;
        self.end(&mut connection, deadline).await?;
        let file = File::open(&path).doing("read", &path)?;
        if !takes_snapshots {
            put_back(&self.dir)?;
        }
        Ok(file)
    }

    async fn setting(&self, connection: &mut Connection, key: &str) -> Result<Vec<u8>, Error> {
        let reply = self.ask(connection, &["CONFIG", "GET", key]).await?;
        let value = reply
            .as_array()
            .and_then(|pair| pair.get(1)?.as_text())
            .map(<[u8]>::to_vec);
        value.ok_or_else(|| self.failed(format!("it does not tell its `{key}`")))
    }

    /// One of another's is under way at times: an append-only file is rewritten, a replica is served.
    async fn begin(&self, connection: &mut Connection, deadline: Deadline) -> Result<(), Error> {
        loop {
            let reply = self.send(connection, &["BGSAVE"]).await?;
            let Some(error) = reply.as_error() else {
                return Ok(());
            };
            let words = escape(error);
            let passes = ["in progress", "child process", "LOADING"];
            if deadline.passed() || !passes.iter().any(|busy| words.contains(busy)) {
                return Err(self.failed(words));
            }
            crate::machine::wait::next_round(LOOK, deadline).await;
        }
    }

    async fn end(&self, connection: &mut Connection, deadline: Deadline) -> Result<(), Error> {
        loop {
            let info = self.ask(connection, &["INFO", "persistence"]).await?;
            let field = |name| view::info_field(&info, name);
            match (
                field("rdb_bgsave_in_progress"),
                field("rdb_last_bgsave_status"),
            ) {
                (Some("0"), Some("ok")) => return Ok(()),
                (Some("0"), status) => {
                    let status = status.unwrap_or("unknown");
                    return Err(self.failed(format!("BGSAVE ended with the status `{status}`")));
                }
                _ if deadline.passed() => {
                    let waited = humantime::format_duration(SNAPSHOT_TIMEOUT);
                    return Err(self.failed(format!("BGSAVE has not ended within {waited}")));
                }
                _ => crate::machine::wait::next_round(LOOK, deadline).await,
            }
        }
    }

    async fn ask(&self, connection: &mut Connection, command: &[&str]) -> Result<Frame, Error> {
        let reply = self.send(connection, command).await?;
        match reply.as_error() {
            Some(error) => Err(self.failed(escape(error))),
            None => Ok(reply),
        }
    }

    async fn send(&self, connection: &mut Connection, command: &[&str]) -> Result<Frame, Error> {
        connection
            .call(command, Deadline::after(REPLY_TIMEOUT))
            .await
            .map_err(|source| self.failed(source.to_string()))
    }

    fn failed(&self, reason: String) -> Error {
        ArchiveError::Snapshot {
            node: self.endpoint.name.clone(),
            reason,
        }
        .into()
    }
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
