//! What a server has in common with Redis, and since which of its versions. Pure.
//!
//! A fork can do what the Redis could that it comes from, so that what Redis has is written down once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
    /// Whether a server of this version has it, or inherits it from Redis.
    pub(in crate::server) fn has(&self, feature: Feature, version: Version, redis: &Self) -> bool {
        let inherits = || {
            self.redis_up_to
                .is_some_and(|up_to| redis.has_itself(feature, version.min(up_to)))
        };
        !self.lacks.contains(&feature) && (self.has_itself(feature, version) || inherits())
    }

    fn has_itself(&self, feature: Feature, version: Version) -> bool {
        let since = self.since.get(&feature);
        since.is_some_and(|since| version >= *since)
    }
}
