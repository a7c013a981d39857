//! Settings that are changed while a cluster boots, because they make it whole in tenths of a second
//! instead of seconds. They stand on the server's command line only; node.conf holds the values
//! that the user wants, and `CONFIG SET` brings those in when the cluster is ready. Pure.
//!
//! Measured on Redis 5.0 to 8.2 and Valkey 8.1 and 9.1.

use crate::plan::{LARGE, Options, Setting, Topology};
use crate::server::Identity;

/// How the cluster is about to become whole, which decides what is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// By nodes.conf files written before the first start.
    Seeded,
    /// By commands to bare nodes.
    Commands,
    /// By itself, from what its nodes remember.
    Restart,
    /// Not at all.
    None,
}

/// A directive that has one value while the cluster boots and another one afterwards.
#[derive(Debug)]
pub struct BootValue {
    /// The directive.
    pub key: &'static str,
    /// Its older name, which a user may use.
    alias: &'static str,
    /// The server's own default, written out because it must be restored by name.
    usual: &'static str,
    /// The value while the cluster boots.
    boot: &'static str,
    /// Why, for the reader of node.conf.
    pub why: &'static str,
}

const BOOT_VALUES: [BootValue; 5] = [
    BootValue {
        key: "hz",
        alias: "hz",
        usual: "10",
        boot: "100",
        why: "Cron ticks a second; a boot uses 100.",
    },
    BootValue {
        key: "repl-ping-replica-period",
        alias: "repl-ping-slave-period",
        usual: "10",
        boot: "1",
        why: "Seconds between a master's pings to its replicas. The first one moves their offset off 0, and\n# replicas at 0 are hidden from CLUSTER SLOTS (isReplicaAvailable), so a boot uses 1.",
    },
    BootValue {
        key: "repl-diskless-sync",
        alias: "repl-diskless-sync",
        usual: "yes",
        boot: "no",
        why: "Whether a first copy goes to the replica without a file. Such a stream stays silent for about a\n# second after it, so a boot uses no.",
    },
    BootValue {
        key: "repl-diskless-load",
        alias: "repl-diskless-load",
        usual: "disabled",
        boot: "on-empty-db",
        why: "How a replica takes in its first copy. Valkey 9.1 looks at a copy on disk only once a second, so a\n# boot uses on-empty-db.",
    },
    BootValue {
        key: "cluster-require-full-coverage",
        alias: "cluster-require-full-coverage",
        usual: "yes",
        boot: "no",
        why: "Whether one slot without a master stops all. While roles settle a slot may be nobody's for a moment,\n# and a master that was OK and falls to FAIL stays there for 2 s, so a seeded boot uses no.",
    },
];

/// What is changed on this server, by one method or another. Servers that know nothing of each other
/// have nothing to wait for.
pub fn boot_values(
    topology: Topology,
    server: &Identity,
) -> impl Iterator<Item = &'static BootValue> {
    let diskless_load = server.repl_diskless_load();
    BOOT_VALUES
        .iter()
        .filter(move |_| topology != Topology::Standalone)
        .filter(move |value| value.key != "repl-diskless-load" || diskless_load)
        .filter(move |value| !value.key.starts_with("cluster-") || topology.is_cluster())
}

/// A cluster of more nodes than this is so busy with gossip that more cron ticks would slow it down.
const FEW_NODES: usize = 40;

/// What the directive is on this server unless somebody sets it.
pub fn usual(value: &BootValue, server: &Identity) -> &'static str {
    if value.key == "repl-diskless-sync" && !server.diskless_sync_by_default() {
        "no"
    } else {
        value.usual
    }
}

/// The command line arguments, behind the config file, that set them on a node of a cluster of so many.
pub fn boot_arguments(
    options: &Options,
    server: &Identity,
    method: Method,
    nodes: usize,
) -> Vec<String> {
    let fixed = changed(options.topology, server, method)
        .filter(|value| value.key != "hz" || nodes <= FEW_NODES)
        .map(|value| (value.key, value.boot.to_owned()));
    let timeout = boot_node_timeout(options, method, nodes)
        .map(|timeout| ("cluster-node-timeout", timeout.to_string()));
    fixed
        .chain(timeout)
        .flat_map(|(key, value)| [format!("--{key}"), value])
        .collect()
}

/// The values that the changed directives must have once the cluster is ready: the last word of
/// node.conf on each.
pub fn final_settings(
    options: &Options,
    server: &Identity,
    method: Method,
) -> Vec<(String, String)> {
    let fixed = changed(options.topology, server, method).map(|directive| {
        let asked = Setting::value_in(&options.settings, &[directive.key, directive.alias]);
        let value = asked.unwrap_or_else(|| usual(directive, server));
        (directive.key.to_owned(), value.to_owned())
    });
    let timeout = boot_node_timeout(options, method, 0).map(|_| {
        (
            "cluster-node-timeout".to_owned(),
            options.node_timeout.as_millis().to_string(),
        )
    });
    fixed.chain(timeout).collect()
}

fn changed(
    topology: Topology,
    server: &Identity,
    method: Method,
) -> impl Iterator<Item = &'static BootValue> {
    boot_values(topology, server).filter(move |value| match method {
        Method::Seeded => true,
        Method::Commands | Method::Restart => value.key != "cluster-require-full-coverage",
        Method::None => false,
    })
}

/// What a cluster of more than [`LARGE`] nodes boots with, in milliseconds.
const MANY_NODES_TIMEOUT: u128 = 30_000;

/// What a cluster boots with that is not whole after some seconds, in milliseconds.
const CALM_TIMEOUT: u128 = 2000;

/// The node timeout while a cluster of so many nodes boots, in milliseconds. Gossip travels in half of
/// it, and a cluster is whole only when everybody has heard of the replicas, so that it is shorter than
/// the user's; below it a busy node would be taken for dead, so that it grows with the number of nodes,
/// and is longer than the user's where hundreds start at once.
pub fn boot_node_timeout(options: &Options, method: Method, nodes: usize) -> Option<u128> {
    let alone = options.replicas.iter().all(|replicas| *replicas == 0);
    let most = match (method, nodes) {
        _ if !options.topology.is_cluster() => return None,
        (Method::None, _) => return None,
        // A phantom that is suspected before its shard has been taken over costs 2 s, and there are
        // no replicas to be heard of.
        (Method::Seeded, _) if alone => 5000,
        (Method::Seeded, ..=16) => 250,
        (_, ..=FEW_NODES) => 500,
        (_, ..=60) => 1000,
        (_, ..=LARGE) => 2000,
        _ => return Some(MANY_NODES_TIMEOUT),
    };
    Some(options.node_timeout.as_millis().min(most))
}

/// What makes a node wait longer for the others before it suspects them, on a machine that is too busy for
/// [`boot_node_timeout`]; `None` if that is long enough, or the user wants it to be short.
pub fn calming_command(options: &Options, method: Method, nodes: usize) -> Option<[String; 4]> {
    let boot = boot_node_timeout(options, method, nodes)?;
    let calm = options.node_timeout.as_millis().min(CALM_TIMEOUT);
    let words = ["CONFIG", "SET", "cluster-node-timeout"].map(ToOwned::to_owned);
    let [config, set, key] = words;
    (calm > boot).then(|| [config, set, key, calm.to_string()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valkey() -> Identity {
        Identity::from_version_output(
            "Valkey server v=9.1.2 sha=00000000:1 malloc=libc bits=64 build=1",
        )
        .unwrap()
    }

    #[test]
    fn what_a_boot_changes_ends_at_the_users_value() {
        let setting = |key: &str, value: &str| Setting {
            key: key.to_owned(),
            value: value.to_owned(),
        };
        let options = Options {
            settings: vec![setting("hz", "20"), setting("repl-ping-slave-period", "3")],
            ..Options::default()
        };
        let settings = final_settings(&options, &valkey(), Method::Seeded);
        let of = |key: &str| {
            settings
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value.as_str())
        };
        assert_eq!(of("hz"), Some("20"));
        assert_eq!(of("repl-ping-replica-period"), Some("3"));
        assert_eq!(of("cluster-node-timeout"), Some("5000"));
        assert_eq!(of("repl-diskless-load"), Some("disabled"));
        assert_eq!(of("cluster-require-full-coverage"), Some("yes"));
    }

    #[test]
    fn everything_that_is_changed_is_set_right_and_nothing_else() {
        let methods = [
            Method::Seeded,
            Method::Commands,
            Method::Restart,
            Method::None,
        ];
        let topologies = [
            Topology::Cluster,
            Topology::Replication,
            Topology::Standalone,
        ];
        let all = topologies.map(|topology| methods.map(|method| (topology, method)));
        for (topology, method) in all.into_iter().flatten() {
            let options = Options::of(topology);
            let arguments = boot_arguments(&options, &valkey(), method, 6);
            let changed: Vec<_> = arguments
                .iter()
                .step_by(2)
                .map(|key| key.trim_start_matches('-').to_owned())
                .collect();
            let settings = final_settings(&options, &valkey(), method);
            let restored: Vec<_> = settings.into_iter().map(|(key, _)| key).collect();
            assert_eq!(changed, restored, "{topology} {method:?}");
        }
    }

    #[test]
    fn hundreds_of_nodes_start_with_more_patience_than_the_user_has() {
        let timeout = |nodes| boot_node_timeout(&Options::default(), Method::Seeded, nodes);
        assert_eq!((timeout(120), timeout(200)), (Some(2000), Some(30_000)));
    }

    #[test]
    fn a_short_node_timeout_of_the_users_is_not_made_longer() {
        let options = Options {
            node_timeout: std::time::Duration::from_millis(100),
            ..Options::default()
        };
        let arguments = boot_arguments(&options, &valkey(), Method::Seeded, 6);
        assert_eq!(arguments.last().map(String::as_str), Some("100"));
    }
}
