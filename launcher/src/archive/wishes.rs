//! What an archive, which may be a stranger's, may ask of the cluster that is made from it. Pure.

use std::net::IpAddr;

use super::manifest::escaped;
use crate::machine::message::Part;
use crate::machine::parameter::Parameter;
use crate::plan::{Options, Setting};

/// Directives that an archive may set: they are about data, memory and time. Every other one may run code, open
/// doors, or reach beyond the node's folder, on this server or on the next, and is the user's to give.
const TAKEN: [&str; 33] = [
    "acllog-max-len",
    "activedefrag",
    "activerehashing",
    "appenddirname",
    "appendfilename",
    "appendfsync",
    "availability-zone",
    "busy-reply-threshold",
    "databases",
    "dbfilename",
    "dynamic-hz",
    "events-per-io-thread",
    "extended-redis-compatibility",
    "hide-user-data-from-log",
    "hz",
    "io-threads",
    "io-threads-do-reads",
    "jemalloc-bg-thread",
    "loglevel",
    "lua-time-limit",
    "maxclients",
    "no-appendfsync-on-rewrite",
    "notify-keyspace-events",
    "prefetch-batch-max-size",
    "propagation-error-behavior",
    "rdbchecksum",
    "rdbcompression",
    "sanitize-dump-payload",
    "save",
    "stop-writes-on-bgsave-error",
    "tcp-backlog",
    "tcp-keepalive",
    "timeout",
];

/// The same, by how their names begin.
const TAKEN_FAMILIES: [&str; 26] = [
    "active-",
    "aof-",
    "auto-aof-",
    "client-",
    "cluster-",
    "commandlog-",
    "hash-",
    "hll-",
    "latency-",
    "lazyfree-",
    "lfu-",
    "list-",
    "maxmemory",
    "min-replicas-",
    "min-slaves-",
    "proto-",
    "rdb-",
    "repl-",
    "replica-",
    "set-",
    "shutdown-",
    "slave-",
    "slowlog-",
    "stream-",
    "tracking-",
    "zset-",
];

/// What such a name may hold that tells others where to go.
const NOT_TAKEN: &str = "announce";

/// Whether an archive may set this directive.
fn is_taken(key: &str) -> bool {
    let family = || TAKEN_FAMILIES.iter().any(|family| key.starts_with(family));
    (TAKEN.contains(&key) || family()) && !key.contains(NOT_TAKEN)
}

/// Takes out of the options what is for the user to decide, who need not know who wrote the archive: what
/// opens doors, tells clients to go elsewhere, or runs code. Returns it as parameters.
pub(super) fn leave_out(options: &mut Options) -> Vec<Part> {
    let mut left_out = Vec::new();
    if !options.bind.iter().all(IpAddr::is_loopback) {
        let addresses = std::mem::replace(&mut options.bind, Options::default().bind);
        let addresses = addresses.iter();
        left_out.extend(addresses.map(|address| Parameter::Bind.as_part(address.to_string())));
    }
    let is_here = |host: &str| match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost",
    };
    if let Some(host) = options.announce.take_if(|host| !is_here(host)) {
        left_out.push(Parameter::Announce.as_part(escaped(&host)));
    }
    let settings = std::mem::take(&mut options.settings);
    let (taken, others): (Vec<_>, Vec<_>) = settings
        .into_iter()
        .partition(|setting| is_taken(&setting.key));
    options.settings = taken;
    let told = |Setting { key, value }: Setting| {
        Parameter::Set.as_part(format!("{key}={}", escaped(&value)))
    };
    left_out.extend(others.into_iter().map(told));
    left_out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left out of a manifest with these options, and the options that are left.
    fn left_out(change: impl FnOnce(&mut Options)) -> (Vec<Part>, Options) {
        let mut options = Options::default();
        change(&mut options);
        (leave_out(&mut options), options)
    }

    fn setting(key: &str, value: &str) -> Setting {
        Setting {
            key: key.to_owned(),
            value: value.to_owned(),
        }
    }

    #[test]
    fn what_opens_doors_or_runs_code_is_never_an_archives() {
        let keys = [
            "loadmodule",
            "aclfile",
            "user",
            "rename-command",
            "unixsocket",
            "enable-debug-command",
            "tls-cert-file",
            "cluster-announce-tls-port",
            "replica-announce-ip",
            "slave-announce-port",
            "lua-enable-insecure-api",
            "rdma-bind",
            "syslog-enabled",
            "what-comes-with-the-next-server",
        ];
        for key in keys {
            let (left_out, options) = left_out(|it| {
                it.settings = vec![setting(key, "./data/x"), setting("maxmemory", "1gb")];
            });
            assert_eq!(
                left_out,
                [Parameter::Set.as_part(format!("{key}=./data/x"))]
            );
            let kept: Vec<_> = options.settings.into_iter().map(|it| it.key).collect();
            assert_eq!(kept, ["maxmemory"]);
        }
        for bind in ["0.0.0.0", "::", "192.0.2.1"] {
            let (left_out, options) = left_out(|it| it.bind.push(bind.parse().unwrap()));
            assert_eq!(
                left_out,
                ["127.0.0.1", bind].map(|bind| Parameter::Bind.as_part(bind))
            );
            assert_eq!(options.bind, Options::default().bind);
        }
        let (told, options) = left_out(|it| it.announce = Some("evil.example\u{1b}".to_owned()));
        assert_eq!(told, [Parameter::Announce.as_part(r"evil.example\x1b")]);
        assert_eq!(options.announce, None);
    }

    #[test]
    fn what_stays_on_this_machine_is_an_archives() {
        for announce in ["127.0.0.1", "::1", "localhost"] {
            let (told, options) = left_out(|it| {
                it.announce = Some(announce.to_owned());
                it.bind = ["127.0.0.2", "::1"]
                    .map(|bind| bind.parse().unwrap())
                    .into();
                it.settings = vec![setting("cluster-databases", "4")];
            });
            assert!(told.is_empty(), "{told:?}");
            assert_eq!(options.announce.as_deref(), Some(announce));
            assert_eq!((options.bind.len(), options.settings.len()), (2, 1));
        }
    }
}
