//! What a sentinel says of whom it watches: SENTINEL MASTER, REPLICAS and SENTINELS. Pure.
//!
//! Format: `addReplySentinelRedisInstance`, `addReplySentinelValkeyInstance` (sentinel.c; Redis 5
//! to 8, Valkey 8 and 9): field and value in turns, in RESP3 as a map.

use std::collections::BTreeSet;
use std::fmt;

use super::{Epoch, HostPort, Link};
use crate::wire::resp::Frame;

/// A server that a sentinel knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Where it listens.
    pub address: HostPort,
    /// What it is marked as.
    pub flags: BTreeSet<WatchFlag>,
    /// The link of a replica to its master, as it said in its last INFO.
    pub link: Option<Link>,
    /// `config-epoch` of a master: of the failover that made it one.
    pub epoch: Option<Epoch>,
    /// `slave-priority` of a replica, as it said in its last INFO.
    pub priority: Option<u32>,
}

/// What a sentinel marks a server as. Sentinels know others, which tell nothing that is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WatchFlag {
    /// A quorum of sentinels says that it does not answer.
    ObjectivelyDown,
    /// It does not answer the sentinel that says so.
    SubjectivelyDown,
    /// There is no connection to it.
    Disconnected,
    /// Another one is being made the master instead.
    FailingOver,
    /// Somebody has asked for that (Valkey 9.1).
    ForcedFailover,
}

impl WatchFlag {
    const ALL: [Self; 5] = [
        Self::ObjectivelyDown,
        Self::SubjectivelyDown,
        Self::Disconnected,
        Self::FailingOver,
        Self::ForcedFailover,
    ];

    /// As sentinels write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::ObjectivelyDown => "o_down",
            Self::SubjectivelyDown => "s_down",
            Self::Disconnected => "disconnected",
            Self::FailingOver => "failover_in_progress",
            Self::ForcedFailover => "force_failover",
        }
    }

    fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|flag| flag.word() == word)
    }
}

impl fmt::Display for WatchFlag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl Watched {
    /// Whether it carries a flag.
    pub fn has(&self, flag: WatchFlag) -> bool {
        self.flags.contains(&flag)
    }

    /// The first flag that says it cannot be reached.
    pub fn unreachable(&self) -> Option<WatchFlag> {
        use WatchFlag::{Disconnected, ObjectivelyDown, SubjectivelyDown};
        [ObjectivelyDown, SubjectivelyDown, Disconnected]
            .into_iter()
            .find(|flag| self.has(*flag))
    }
}

/// Takes the reply of SENTINEL MASTER apart; `None` if it is something else.
pub fn watched(reply: &Frame) -> Option<Watched> {
    let fields = reply.as_array()?;
    let field = |name: &str| {
        let pair = fields.chunks_exact(2).find(|pair| {
            pair.first()
                .and_then(Frame::as_text)
                .is_some_and(|key| key == name.as_bytes())
        })?;
        String::from_utf8(pair.get(1)?.as_text()?.to_vec()).ok()
    };
    Some(Watched {
        address: HostPort {
            host: field("ip")?,
            port: field("port")?.parse().ok()?,
        },
        flags: field("flags")?
            .split(',')
            .filter_map(WatchFlag::of)
            .collect(),
        link: field("master-link-status").as_deref().map(Link::of),
        epoch: field("config-epoch").and_then(|epoch| epoch.parse().ok().map(Epoch)),
        priority: field("slave-priority").and_then(|priority| priority.parse().ok()),
    })
}

/// Takes the reply of SENTINEL REPLICAS or SENTINELS apart.
pub fn all_watched(reply: &Frame) -> Option<Vec<Watched>> {
    reply.as_array()?.iter().map(watched).collect()
}
