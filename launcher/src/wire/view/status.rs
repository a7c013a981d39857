//! What servers say in INFO and CLUSTER INFO of links and of the cluster. Pure.

use std::fmt;

use serde::Serialize;

use super::info_field;
use crate::wire::resp::Frame;

/// The link of a replica to its master: `master_link_status` of INFO replication, `master-link-status` of
/// SENTINEL REPLICAS. It is down until a full sync is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// `up`; to Sentinel `ok`.
    Up,
    /// `down`, or anything else.
    Down,
}

impl Link {
    /// What a server writes; every word but `up` and `ok` means that it is not up.
    pub fn of(word: &str) -> Self {
        match word {
            "up" | "ok" => Self::Up,
            _ => Self::Down,
        }
    }

    /// Of a replica, whether INFO says that the link to its master is up; `None` of a master.
    pub fn in_info(info: &Frame) -> Option<Self> {
        info_field(info, "master_link_status").map(Self::of)
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Up => "up",
            Self::Down => "down",
        })
    }
}

/// `cluster_state` of CLUSTER INFO: whether the node answers for keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClusterState {
    /// `ok`.
    Ok,
    /// `fail`, or anything else.
    Fail,
}

impl ClusterState {
    /// What CLUSTER INFO says; `None` if it does not.
    pub fn in_info(info: &Frame) -> Option<Self> {
        Some(match info_field(info, "cluster_state")? {
            "ok" => Self::Ok,
            _ => Self::Fail,
        })
    }
}

impl fmt::Display for ClusterState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Fail => "fail",
        })
    }
}
