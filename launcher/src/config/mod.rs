//! The text of a node.conf: what people write by hand for every port folder, each line with its
//! reason. Pure: text in, text out.
//!
//! node.conf holds the values that the user wants in the end. What a boot values for speed stands
//! on the server's command line only ([`crate::config::boot_values::boot_arguments`]) and is set right by
//! `CONFIG SET` when the cluster is ready.

pub mod boot_values;
pub mod directive;

mod links;
mod origin;
mod profiled;
mod sentinel;

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use crate::config::boot_values::{boot_values, usual};
use crate::config::directive::{quote, split_words};
use crate::plan::{NodePlan, Options, Role, Topology};
use crate::server::Identity;

pub use links::{following, master_of};
pub use origin::{cluster_folder, cluster_name, is_ours, moved};
pub(crate) use profiled::{OWN_FILE, arguments, own_conf, profiled_conf};
pub use sentinel::{Acquaintance, Known, Watch, sentinel_conf};

/// The name of the config file in the folder of a node with data.
pub const CONFIG_FILE: &str = "node.conf";
/// The name of the config file in a sentinel's folder.
pub const SENTINEL_FILE: &str = "sentinel.conf";
/// All names that a config file may have.
pub const CONFIG_FILES: [&str; 2] = [CONFIG_FILE, SENTINEL_FILE];
/// The name of the log file in a node's folder.
pub const LOG_FILE: &str = "node.log";
/// The name of the file in which the server writes down its own process id.
pub const PID_FILE: &str = "node.pid";
/// The name of the file in which a node keeps its view of the cluster.
pub const CLUSTER_FILE: &str = "nodes.conf";

/// The name of the config file of a node that is born as this.
pub fn config_file(role: Role) -> &'static str {
    match role {
        Role::Master | Role::Replica => CONFIG_FILE,
        Role::Sentinel => SENTINEL_FILE,
    }
}

/// Writes the whole node.conf of `node`, which lives in `dir`, of the cluster whose folder is `folder`. Where there is one master, whom a
/// replica copies is not in it: [`following`] adds that.
pub fn node_conf(
    folder: &Path,
    options: &Options,
    node: &NodePlan,
    dir: &Path,
    server: &Identity,
) -> String {
    let header = origin::header(&format!("Node {}", node.name), folder, server);
    let mut conf = Conf(format!(
        "{header}# To change a value: shardlab down, then shardlab up --set DIRECTIVE=VALUE\n",
    ));
    conf.listening(options, node, server);
    conf.letting_in(options, server);
    conf.working(dir);
    conf.keeping(options, server);
    if options.topology.is_cluster() {
        conf.clustering(options, node, server);
    }
    if options.topology != Topology::Standalone {
        conf.replicating(options);
    }
    conf.bending(options, server);
    conf.asked_for(options);
    conf.0
}

/// A config file that grows line by line.
struct Conf(String);

impl Conf {
    fn listening(&mut self, options: &Options, node: &NodePlan, server: &Identity) {
        self.section("Addresses and access");
        self.line("The client port.", "port", &[node.port.to_string()]);
        self.line(
            "The addresses to listen on; set by --bind.",
            "bind",
            &options
                .listening_addresses()
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>(),
        );
        // Linux dials every address of 127.0.0.0/8 from 127.0.0.1; servers before 7.0 dial from `bind`.
        if let Some(IpAddr::V4(address)) = options.bind.first()
            && address.is_loopback()
            && *address != Ipv4Addr::LOCALHOST
            && server.bind_source_addr()
        {
            self.line(
                "The node also connects from this address, by which others know it.",
                "bind-source-addr",
                &[address.to_string()],
            );
        }
        if options.bind.iter().all(IpAddr::is_loopback) || options.password.is_some() {
            self.line(
            "Off, since protected mode accepts only 127.0.0.1 and would refuse replicas that connect from 127.0.1.N.",
            "protected-mode",
            &["no"],
        );
        } else {
            self.line(
                "The node has no password: clients on other machines are refused.",
                "protected-mode",
                &["yes"],
            );
        }
    }

    fn letting_in(&mut self, options: &Options, server: &Identity) {
        if let Some(password) = &options.password {
            self.line("The password of clients.", "requirepass", &[password]);
            self.line(
                "The password with which replicas log in to their master.",
                "masterauth",
                &[password],
            );
        }
        if server.enable_debug_command() {
            self.line(
                "DEBUG is allowed from this machine.",
                "enable-debug-command",
                &["local"],
            );
        }
    }

    fn working(&mut self, dir: &Path) {
        self.section("Files");
        self.path("The folder of all files below.", "dir", dir);
        self.line(
            "The server writes its process id here, so that shardlab finds it.",
            "pidfile",
            &[PID_FILE],
        );
        self.line(
            "The log goes to standard output, which shardlab sends to node.log.",
            "logfile",
            &[""],
        );
        self.line(
            "shardlab runs the server, so it must not become a daemon.",
            "daemonize",
            &["no"],
        );
    }

    fn keeping(&mut self, options: &Options, server: &Identity) {
        if options.persist {
            self.line(
                "Every write is appended to a file, so data survives a restart.",
                "appendonly",
                &["yes"],
            );
        } else {
            self.line("Data is kept in memory only.", "appendonly", &["no"]);
            if server.rdb_del_sync_files() {
                self.line(
                    "Snapshots for replicas are deleted, or the next start would load them.",
                    "rdb-del-sync-files",
                    &["yes"],
                );
            }
        }
        self.line("No snapshots in the background.", "save", &[""]);
    }

    fn clustering(&mut self, options: &Options, node: &NodePlan, server: &Identity) {
        self.section("The cluster");
        self.line("Makes it a cluster node.", "cluster-enabled", &["yes"]);
        self.line(
            "What the node knows about the cluster; written by the server.",
            "cluster-config-file",
            &[CLUSTER_FILE],
        );
        if let Some(port) = node.bus_port.filter(|_| server.cluster_port_setting()) {
            self.line(
                "The cluster bus port, on which nodes talk to each other.",
                "cluster-port",
                &[port.to_string()],
            );
        }
        self.line(
            "Milliseconds without an answer after which a node is suspected to be down.",
            "cluster-node-timeout",
            &[options.node_timeout.as_millis().to_string()],
        );
        self.announce(options);
    }

    fn replicating(&mut self, options: &Options) {
        self.section("Replication");
        self.line(
            "Seconds that a master waits for further replicas before it sends a first copy. The default is 5;\n# in a lab, where nodes come back one by one, they would add up.",
            "repl-diskless-sync-delay",
            &["0"],
        );
        if options.topology.has_one_master() {
            self.line(
                "The host that the master and Sentinel announce for this node when it is a replica.",
                "replica-announce-ip",
                &[options.told_host()],
            );
        }
    }

    fn announce(&mut self, options: &Options) {
        match options.announce.as_deref() {
            None => {}
            Some(address) if address.parse::<IpAddr>().is_ok() => {
                self.line(
                    "The address that is announced to clients and other nodes.",
                    "cluster-announce-ip",
                    &[address],
                );
            }
            Some(host) => {
                self.line(
                    "The host name that is announced to clients.",
                    "cluster-announce-hostname",
                    &[host],
                );
                self.line(
                    "The host name is used instead of the address, in MOVED too.",
                    "cluster-preferred-endpoint-type",
                    &["hostname"],
                );
            }
        }
    }

    fn bending(&mut self, options: &Options, server: &Identity) {
        let mut values = boot_values(options.topology, server).peekable();
        if values.peek().is_some() {
            self.section("Other values during the boot, then these");
        }
        for value in values {
            self.line(value.why, value.key, &[usual(value, server)]);
        }
    }

    fn asked_for(&mut self, options: &Options) {
        if !options.settings.is_empty() {
            self.section("As asked for with --set; the last word counts");
            for setting in &options.settings {
                let words = split_words(&setting.value).unwrap_or_default();
                self.bare(&setting.key, &words);
            }
        }
    }

    fn section(&mut self, title: &str) {
        let _ = write!(self.0, "\n## {title}\n");
    }

    fn line<S: AsRef<[u8]>>(&mut self, why: &str, key: &str, words: &[S]) {
        let _ = writeln!(self.0, "# {why}");
        self.bare(key, words);
    }

    fn path(&mut self, why: &str, key: &str, path: &Path) {
        self.line(why, key, &[path.as_os_str().as_encoded_bytes()]);
    }

    fn bare<S: AsRef<[u8]>>(&mut self, key: &str, words: &[S]) {
        self.0.push_str(key);
        for word in words {
            self.0.push(' ');
            self.0.push_str(&quote(word.as_ref()));
        }
        self.0.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;

    fn conf(options: &Options, server: &str) -> String {
        let ports: Vec<_> = Plan::wanted_ports(options).unwrap();
        let ports: Vec<_> = ports.into_iter().flatten().collect();
        let plan = Plan::new(options, &ports).unwrap();
        let server = Identity::from_version_output(server).unwrap();
        node_conf(
            Path::new("/state/default"),
            options,
            &plan.nodes[0],
            Path::new("/lab/7001"),
            &server,
        )
    }

    fn directives(conf: &str) -> Vec<&str> {
        conf.lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect()
    }

    const VALKEY: &str = "Valkey server v=9.1.2 sha=00000000:1 malloc=libc bits=64 build=1";
    const REDIS_5: &str = "Redis server v=5.0.10 sha=00000000:0 malloc=libc bits=64 build=1";

    #[test]
    fn a_server_without_cluster_mode_is_not_told_to_be_a_node() {
        for topology in [Topology::Standalone, Topology::Replication] {
            let text = conf(&Options::of(topology), "Redis server v=7.0.15");
            assert!(!text.contains("cluster-"), "{text}");
        }
    }

    #[test]
    fn every_directive_follows_its_reason() {
        let text = conf(&Options::default(), VALKEY);
        let lines: Vec<_> = text.lines().collect();
        for pair in lines.windows(2) {
            if !pair[1].is_empty() && !pair[1].starts_with('#') {
                assert!(pair[0].starts_with("# "), "no reason above {}", pair[1]);
            }
        }
    }

    #[test]
    fn an_old_server_is_not_given_directives_that_it_does_not_know() {
        let text = conf(&Options::default(), REDIS_5);
        for unknown in ["cluster-port", "enable-debug-command", "repl-diskless-load"] {
            assert!(
                !directives(&text)
                    .iter()
                    .any(|line| line.starts_with(unknown)),
                "{unknown} in\n{text}"
            );
        }
    }

    #[test]
    fn a_password_is_quoted_and_cannot_become_a_directive() {
        let options = Options {
            password: Some("a\nport 1 \"".to_owned()),
            ..Options::default()
        };
        let text = conf(&options, VALKEY);
        assert!(
            directives(&text).contains(&r#"requirepass "a\nport 1 \"""#),
            "{text}"
        );
    }

    #[test]
    fn a_node_on_another_loopback_address_dials_from_it() {
        let options = Options {
            bind: vec![[127, 0, 1, 2].into()],
            ..Options::default()
        };
        let told = conf(&options, VALKEY);
        assert!(directives(&told).contains(&"bind-source-addr 127.0.1.2"));
        assert!(!conf(&options, REDIS_5).contains("bind-source-addr"));
        assert!(!conf(&Options::default(), VALKEY).contains("bind-source-addr"));
    }

    #[test]
    fn without_a_password_a_node_that_others_can_reach_stays_protected() {
        let open = Options {
            bind: vec![[0, 0, 0, 0].into()],
            ..Options::default()
        };
        assert!(directives(&conf(&open, VALKEY)).contains(&"protected-mode yes"));
        assert!(directives(&conf(&Options::default(), VALKEY)).contains(&"protected-mode no"));
    }
}
