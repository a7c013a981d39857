//! What a server has in common with Redis, and since which of its versions. Pure.
//!
//! A fork can do what the Redis could that it comes from, so that what Redis has is written down once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::of;
use crate::server::identity::Product;
use crate::server::version::Version;

/// What a server has in common with Redis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::server) struct Lineage {
    /// It has what Redis has, up to this version of Redis at most, and up to its own version.
    redis_up_to: Option<Version>,
    /// What it has not, all the same.
    #[serde(default)]
    lacks: Vec<Feature>,
    /// What it has since which of its own versions.
    #[serde(default)]
    since: BTreeMap<Feature, Version>,
}

/// Something that servers have or lack; the methods of [`Identity`](crate::server::Identity) of the same
/// names tell what each is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::server) enum Feature {
    Addslotsrange,
    AnnounceHostname,
    AtomicSlotMigration,
    BindSourceAddr,
    ClusterPortSetting,
    DisklessSyncByDefault,
    EnableDebugCommand,
    FailoverCommand,
    KnownReplica,
    NamedUsers,
    RdbDelSyncFiles,
    ReplDisklessLoad,
    ReplicaMigrationSetting,
    SentinelHostnames,
    SetslotWaitsForReplicas,
    ShardIds,
    TakeoverAtStart,
}

impl Lineage {
    /// Whether a server of this version has it.
    pub(in crate::server) fn has(&self, feature: Feature, version: Version) -> bool {
        if self.lacks.contains(&feature) {
            return false;
        }
        let own = self.since.get(&feature);
        own.is_some_and(|since| version >= *since) || self.inherits(feature, version)
    }

    /// Whether the Redis that it comes from had it.
    fn inherits(&self, feature: Feature, version: Version) -> bool {
        let Some(up_to) = self.redis_up_to else {
            return false;
        };
        let redis = of(&Product::Redis).and_then(|redis| redis.lineage.as_ref());
        redis.is_some_and(|redis| redis.has(feature, version.min(up_to)))
    }
}
