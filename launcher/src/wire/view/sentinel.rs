//! What a sentinel says of whom it watches: SENTINEL MASTER, REPLICAS and SENTINELS. Pure.
//!
//! Format: `addReplySentinelRedisInstance`, `addReplySentinelValkeyInstance` (sentinel.c; Redis 5
//! to 8, Valkey 8 and 9): field and value in turns, in RESP3 as a map.

use super::HostPort;
use crate::wire::resp::Frame;

/// A server that a sentinel knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Where it listens.
    pub address: HostPort,
    /// Split at commas: `master`, `slave`, `sentinel`, `s_down`, `o_down`, `disconnected`,
    /// `failover_in_progress`, ….
    pub flags: Vec<String>,
    /// `master-link-status` of a replica, `ok` or `err`: what it said in its last INFO.
    pub link: Option<String>,
    /// `config-epoch` of a master: of the failover that made it one.
    pub epoch: Option<u64>,
    /// `slave-priority` of a replica, as it said in its last INFO.
    pub priority: Option<u32>,
}

impl Watched {
    /// Whether it carries a flag.
    pub fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|own| own == flag)
    }

    /// The first flag that says it cannot be reached.
    pub fn unreachable(&self) -> Option<&str> {
        ["o_down", "s_down", "disconnected"]
            .into_iter()
            .find(|flag| self.has(flag))
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
        flags: field("flags")?.split(',').map(ToOwned::to_owned).collect(),
        link: field("master-link-status"),
        epoch: field("config-epoch").and_then(|epoch| epoch.parse().ok()),
        priority: field("slave-priority").and_then(|priority| priority.parse().ok()),
    })
}

/// Takes the reply of SENTINEL REPLICAS or SENTINELS apart.
pub fn all_watched(reply: &Frame) -> Option<Vec<Watched>> {
    reply.as_array()?.iter().map(watched).collect()
}
