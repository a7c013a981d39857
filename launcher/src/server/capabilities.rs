//! What a server can do, by product and version.
//!
//! The profiles of the products have the versions. Of a server that we do not know we assume nothing.

use super::identity::Identity;
use super::product::Product;
use super::profile::{self, Feature};

impl Identity {
    /// The setting `cluster-port`: the bus may listen anywhere. Otherwise the bus port is the
    /// client port + 10000. Redis 7.0.
    pub fn cluster_port_setting(&self) -> bool {
        self.has(Feature::ClusterPortSetting)
    }

    /// `CLUSTER ADDSLOTSRANGE` and `DELSLOTSRANGE`; before them each slot is an argument of
    /// its own. Redis 7.0.
    pub fn addslotsrange(&self) -> bool {
        self.has(Feature::Addslotsrange)
    }

    /// The settings `cluster-announce-hostname` and `cluster-preferred-endpoint-type`. Redis 7.0.
    pub fn announce_hostname(&self) -> bool {
        self.has(Feature::AnnounceHostname)
    }

    /// The setting `bind-source-addr`, the address from which a server connects to others. Redis 7.0.
    pub fn bind_source_addr(&self) -> bool {
        self.has(Feature::BindSourceAddr)
    }

    /// Users with names, of whom `default` is the one whose password `requirepass` is: AUTH may be given a name.
    /// Redis 6.0.
    pub fn named_users(&self) -> bool {
        self.has(Feature::NamedUsers)
    }

    /// The setting `repl-diskless-load`. Redis 6.0.
    pub fn repl_diskless_load(&self) -> bool {
        self.has(Feature::ReplDisklessLoad)
    }

    /// The setting `rdb-del-sync-files`: a node that keeps its data in memory only leaves no file of
    /// a replication behind. Redis 6.0.
    pub fn rdb_del_sync_files(&self) -> bool {
        self.has(Feature::RdbDelSyncFiles)
    }

    /// `repl-diskless-sync` is on unless it is turned off. Redis 7.0.
    pub fn diskless_sync_by_default(&self) -> bool {
        self.has(Feature::DisklessSyncByDefault)
    }

    /// The setting `enable-debug-command`, without which DEBUG is refused; before it DEBUG is
    /// always there. Redis 7.0.
    pub fn enable_debug_command(&self) -> bool {
        self.has(Feature::EnableDebugCommand)
    }

    /// The setting `cluster-allow-replica-migration`. Redis 6.2.
    pub fn replica_migration_setting(&self) -> bool {
        self.has(Feature::ReplicaMigrationSetting)
    }

    /// Nodes have a shard id, and nodes.conf has it after the address, `,,shard-id=<40 hex>`
    /// (`clusterLoadConfig` in `src/cluster.c`). Redis 7.2; Valkey since 8.1 insists on it.
    pub fn shard_ids(&self) -> bool {
        self.has(Feature::ShardIds)
    }

    /// sentinel.conf may say `known-replica` (before it `known-slave`), so that sentinels can be
    /// told at their first start what they would find out in some seconds. Redis 5.0.
    pub fn known_replica(&self) -> bool {
        self.has(Feature::KnownReplica)
    }

    /// `sentinel resolve-hostnames` and `announce-hostnames`. Redis 6.2.
    pub fn sentinel_hostnames(&self) -> bool {
        self.has(Feature::SentinelHostnames)
    }

    /// `FAILOVER`: a master without cluster mode changes places with a replica. Redis 6.2.
    pub fn failover_command(&self) -> bool {
        self.has(Feature::FailoverCommand)
    }

    /// A replica may be told `CLUSTER FAILOVER TAKEOVER` right after its start, so that the
    /// seeded boot works. Proven on Redis 5.0 and later and on Valkey; KeyDB 6.3.4 crashes.
    pub fn takeover_at_start(&self) -> bool {
        self.has(Feature::TakeoverAtStart)
    }

    /// `CLUSTER MIGRATESLOTS`: slots move as one, without ASK. Valkey 9.0
    /// (`src/commands/cluster-migrateslots.json`).
    pub fn atomic_slot_migration(&self) -> bool {
        self.has(Feature::AtomicSlotMigration)
    }

    /// `CLUSTER SETSLOT` is replicated, and a connection that sends it waits until the replicas
    /// have it. Valkey 8.0 (`clusterCommandSetSlot`, `src/cluster_legacy.c`).
    pub fn setslot_waits_for_replicas(&self) -> bool {
        self.has(Feature::SetslotWaitsForReplicas)
    }

    /// Whether its profile says so.
    fn has(&self, feature: Feature) -> bool {
        let lineage = |product| profile::of(product)?.lineage.as_ref();
        match (lineage(&self.product), lineage(&Product::Redis)) {
            (Some(own), Some(redis)) => own.has(feature, self.version, redis),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Identity;

    fn server(identity: &str) -> Identity {
        let (product, version) = identity.split_once(' ').unwrap();
        Identity {
            product: product.parse().unwrap(),
            version: version.parse().unwrap(),
        }
    }

    /// Holds if all of `have` have the capability, and none of `lack`.
    #[track_caller]
    fn assert_since(capability: fn(&Identity) -> bool, have: &[&str], lack: &[&str]) {
        for identity in have {
            assert!(capability(&server(identity)), "{identity} has it");
        }
        for identity in lack {
            assert!(!capability(&server(identity)), "{identity} lacks it");
        }
    }

    #[test]
    fn settings_and_commands_of_redis_7_0() {
        for capability in [
            Identity::cluster_port_setting,
            Identity::addslotsrange,
            Identity::announce_hostname,
            Identity::bind_source_addr,
            Identity::enable_debug_command,
        ] {
            assert_since(
                capability,
                &["redis 7.0.0", "redis 8.2.3", "valkey 7.2.5", "redict 7.3.0"],
                &[
                    "redis 6.2.14",
                    "keydb 6.3.4",
                    "keydb 255.255.255",
                    "disque 9.0.0",
                ],
            );
        }
    }

    #[test]
    fn older_settings() {
        for capability in [Identity::repl_diskless_load, Identity::rdb_del_sync_files] {
            assert_since(
                capability,
                &["redis 6.0.9", "keydb 6.3.4", "valkey 9.1.2"],
                &["redis 5.0.10", "keydb 5.3.3"],
            );
        }
        assert_since(
            Identity::replica_migration_setting,
            &["redis 6.2.14", "keydb 6.3.4", "valkey 9.1.2"],
            &["redis 6.0.9"],
        );
        assert_since(
            Identity::failover_command,
            &["redis 6.2.14", "keydb 6.3.4", "valkey 8.1.8"],
            &["redis 6.0.9"],
        );
    }

    #[test]
    fn shard_ids_came_with_redis_7_2() {
        assert_since(
            Identity::shard_ids,
            &[
                "redis 7.2.0",
                "redis 7.9.224",
                "valkey 7.2.5",
                "valkey 9.1.2",
                "redict 7.3.0",
            ],
            &["redis 7.0.15", "keydb 6.3.4"],
        );
    }

    #[test]
    fn atomic_slot_migration_came_with_valkey_9_0() {
        assert_since(
            Identity::atomic_slot_migration,
            &["valkey 9.0.0", "valkey 9.1.2"],
            &["valkey 8.1.8", "redis 9.0.0", "redict 9.0.0"],
        );
    }

    #[test]
    fn setslot_waits_for_replicas_since_valkey_8_0() {
        assert_since(
            Identity::setslot_waits_for_replicas,
            &["valkey 8.0.0", "valkey 9.1.2"],
            &["valkey 7.2.5", "redis 8.2.3"],
        );
    }

    #[test]
    fn takeover_at_start_is_trusted_only_where_it_is_proven() {
        assert_since(
            Identity::takeover_at_start,
            &["redis 5.0.10", "valkey 9.1.2"],
            &[
                "redis 4.0.14",
                "keydb 6.3.4",
                "redict 7.3.0",
                "disque 1.0.0",
            ],
        );
    }
}
