//! The text of a sentinel.conf. Pure.
//!
//! The sentinel rewrites the file itself whenever it learns something (`sentinelFlushConfig`,
//! sentinel.c): what is written here is what it knows at its first start.

use std::path::Path;

use super::{Conf, origin};
use crate::plan::{NodePlan, Options, Sentinels};
use crate::server::Identity;
use crate::wire::view::HostPort;

/// Whom a sentinel watches from its first start on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// The master.
    pub master: HostPort,
    /// What it would otherwise find out by itself, in some seconds.
    pub known: Option<Known>,
}

/// What a sentinel usually finds out by itself: the replicas from the master's INFO, the other
/// sentinels from what they publish there every two seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its own id, 40 hex digits.
    pub own_id: String,
    /// The master's replicas.
    pub replicas: Vec<HostPort>,
    /// The other sentinels.
    pub others: Vec<Acquaintance>,
}

/// Another sentinel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acquaintance {
    /// Where it listens.
    pub address: HostPort,
    /// Its id.
    pub id: String,
}

/// Writes the whole sentinel.conf of `node`, which lives in `dir`, of the cluster whose folder is `folder`.
pub fn sentinel_conf(
    folder: &Path,
    options: &Options,
    node: &NodePlan,
    dir: &Path,
    server: &Identity,
    watch: Option<&Watch>,
) -> String {
    let header = origin::header(&format!("Sentinel {}", node.name), folder, server);
    let mut conf = Conf(format!(
        "{header}# The sentinel writes down here what it learns.\n"
    ));
    conf.listening(options, node, server);
    if let Some(password) = &options.password {
        conf.line(
            "The password of clients, with which sentinels log in at each other, too.",
            "requirepass",
            &[password],
        );
    }
    conf.working(dir);
    conf.announcing(options, node);
    if let Some(watch) = watch {
        conf.watching(options, watch);
    }
    conf.0
}

impl Conf {
    fn announcing(&mut self, options: &Options, node: &NodePlan) {
        self.section("What it tells the others of itself");
        let host = options.told_host();
        if host.parse::<std::net::IpAddr>().is_err() {
            self.sentinel("Names are looked up.", &["resolve-hostnames", "yes"]);
            self.sentinel(
                "And told instead of addresses.",
                &["announce-hostnames", "yes"],
            );
        }
        self.sentinel("Its host.", &["announce-ip", &host]);
        self.sentinel("Its port.", &["announce-port", &node.port.to_string()]);
    }

    fn watching(&mut self, options: &Options, watch: &Watch) {
        let Sentinels {
            quorum,
            down_after,
            failover_timeout,
            master_name,
            ..
        } = &options.sentinels;
        self.section("Whom it watches");
        let HostPort { host, port } = &watch.master;
        self.sentinel(
            "The master, and how many sentinels must find it down.",
            &[
                "monitor",
                master_name,
                host,
                &port.to_string(),
                &quorum.to_string(),
            ],
        );
        self.sentinel(
            "Milliseconds without a valid answer until a server counts as down.",
            &[
                "down-after-milliseconds",
                master_name,
                &down_after.as_millis().to_string(),
            ],
        );
        self.sentinel(
            "Milliseconds, twice of which pass before a failover is tried again.",
            &[
                "failover-timeout",
                master_name,
                &failover_timeout.as_millis().to_string(),
            ],
        );
        if let Some(password) = &options.password {
            self.sentinel(
                "The password of the master and of its replicas.",
                &["auth-pass", master_name, password],
            );
        }
        if let Some(known) = &watch.known {
            self.knowing(master_name, known);
        }
    }

    fn knowing(&mut self, master_name: &str, known: &Known) {
        self.section("What it would find out by itself, in some seconds");
        self.sentinel("Its own id.", &["myid", &known.own_id]);
        for HostPort { host, port } in &known.replicas {
            self.sentinel(
                "A replica.",
                &["known-replica", master_name, host, &port.to_string()],
            );
        }
        for Acquaintance { address, id } in &known.others {
            self.sentinel(
                "Another sentinel.",
                &[
                    "known-sentinel",
                    master_name,
                    &address.host,
                    &address.port.to_string(),
                    id,
                ],
            );
        }
    }

    fn sentinel(&mut self, why: &str, words: &[&str]) {
        self.line(why, "sentinel", words);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Plan, Topology};

    fn conf(options: &Options, watch: Option<&Watch>) -> String {
        let ports = Plan::wanted_ports(options).unwrap();
        let ports: Vec<_> = ports.into_iter().flatten().collect();
        let plan = Plan::new(options, &ports).unwrap();
        let server = Identity::from_version_output("Redis server v=7.0.15").unwrap();
        let dir = Path::new("/lab/27001");
        sentinel_conf(
            Path::new("/state/default"),
            options,
            &plan.nodes[3],
            dir,
            &server,
            watch,
        )
    }

    fn at(port: u16) -> HostPort {
        HostPort {
            host: "127.0.0.1".to_owned(),
            port,
        }
    }

    fn words(text: &str) -> Vec<&str> {
        text.lines()
            .filter(|line| line.starts_with("sentinel "))
            .collect()
    }

    #[test]
    fn a_seeded_sentinel_knows_everybody() {
        let options = Options {
            password: Some("a b".to_owned()),
            ..Options::of(Topology::Sentinel)
        };
        let watch = Watch {
            master: at(7001),
            known: Some(Known {
                own_id: "1".repeat(40),
                replicas: vec![at(7002)],
                others: vec![Acquaintance {
                    address: at(27_002),
                    id: "2".repeat(40),
                }],
            }),
        };
        let text = conf(&options, Some(&watch));
        assert_eq!(
            words(&text),
            [
                "sentinel announce-ip 127.0.0.1",
                "sentinel announce-port 27001",
                "sentinel monitor mymaster 127.0.0.1 7001 2",
                "sentinel down-after-milliseconds mymaster 5000",
                "sentinel failover-timeout mymaster 10000",
                "sentinel auth-pass mymaster \"a b\"",
                "sentinel myid 1111111111111111111111111111111111111111",
                "sentinel known-replica mymaster 127.0.0.1 7002",
                "sentinel known-sentinel mymaster 127.0.0.1 27002 2222222222222222222222222222222222222222",
            ]
        );
        assert!(text.contains("\nrequirepass \"a b\"\n"), "{text}");
        assert!(!text.contains("masterauth"), "{text}");
    }

    #[test]
    fn a_bare_sentinel_watches_nobody_and_one_by_commands_knows_only_the_master() {
        let options = Options::of(Topology::Sentinel);
        assert!(!conf(&options, None).contains("mymaster"));
        let watch = Watch {
            master: at(7001),
            known: None,
        };
        let text = conf(&options, Some(&watch));
        assert!(text.contains("sentinel monitor mymaster 127.0.0.1 7001 2\n"));
        assert!(!text.contains("known-") && !text.contains("myid"), "{text}");
    }

    #[test]
    fn a_host_name_is_looked_up_and_told() {
        let options = Options {
            announce: Some("localhost".to_owned()),
            ..Options::of(Topology::Sentinel)
        };
        let text = conf(&options, None);
        assert_eq!(
            words(&text),
            [
                "sentinel resolve-hostnames yes",
                "sentinel announce-hostnames yes",
                "sentinel announce-ip localhost",
                "sentinel announce-port 27001",
            ]
        );
    }
}
