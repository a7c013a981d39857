//! Why a running cluster cannot be tested.

use std::net::SocketAddr;

use shardlab::wire::client::ClientError;
use thiserror::Error;

use super::address::Address;

/// The cluster specification's upper bound.
pub(super) const MOST_NODES: usize = 1000;

/// Why a cluster cannot be tested. What the server has answered is told as it came.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Unusable {
    /// Nobody is there.
    #[error("no server answers at `{address}`: {source}")]
    Nobody {
        /// Where.
        address: SocketAddr,
        /// What happened.
        source: ClientError,
    },
    /// Nothing comes that could be read.
    #[error("{0}")]
    Talk(ClientError),
    /// Nothing can be said to it without TLS.
    #[error("{address} speaks only TLS")]
    OnlyTls {
        /// Who.
        address: SocketAddr,
    },
    /// TLS is wanted, and nobody has said how.
    #[error("nothing says whom to trust for TLS")]
    NoTls,
    /// It wants to know who is there.
    #[error("{address} wants a password: {reply}")]
    LoginMissing {
        /// Whose.
        address: SocketAddr,
        /// What it says.
        reply: String,
    },
    /// It does not know the user, or another password.
    #[error("{address} refuses the user or the password: {reply}")]
    LoginRefused {
        /// Whose.
        address: SocketAddr,
        /// What it says.
        reply: String,
    },
    /// The user may not ask which nodes there are.
    #[error("{address} does not let the user ask for its nodes: {reply}")]
    Forbidden {
        /// Whose.
        address: SocketAddr,
        /// What it says.
        reply: String,
    },
    /// Cluster mode is off.
    #[error("{address} is not a node of a cluster: {reply}")]
    NoCluster {
        /// Whose.
        address: SocketAddr,
        /// What it says.
        reply: String,
    },
    /// Neither CLUSTER NODES, nor SHARDS, nor SLOTS is answered with nodes.
    #[error("{address} does not tell its nodes; to CLUSTER NODES it answers `{reply}`")]
    Odd {
        /// Whose.
        address: SocketAddr,
        /// What it says.
        reply: String,
    },
    /// Nobody serves some of the slots.
    #[error("the cluster of {address} serves {served} of 16384 slots")]
    Incomplete {
        /// Who says so.
        address: SocketAddr,
        /// How many are served.
        served: usize,
    },
    /// It has more nodes than a cluster may have.
    #[error("the cluster of {address} has {nodes} nodes; the suite tests at most {MOST_NODES}")]
    TooLarge {
        /// Who says so.
        address: SocketAddr,
        /// How many there are.
        nodes: usize,
    },
    /// Looking up where its nodes are takes too long.
    #[error("the host names of the nodes that {address} lists were not found in time")]
    Unnamed {
        /// Who tells them.
        address: SocketAddr,
    },
    /// Nobody knows the host.
    #[error("the host `{host}` is not found")]
    NoHost {
        /// Its name.
        host: String,
    },
    /// Some of its nodes are not where they say that they are, seen from here.
    #[error("{} of the {of} nodes of the cluster of {address} cannot be reached from here: {}", nodes.len(), problems(nodes))]
    Unreachable {
        /// Who tells of them.
        address: SocketAddr,
        /// How many nodes there are that have not failed.
        of: usize,
        /// Those that cannot be reached, in their order.
        nodes: Vec<Unreachable>,
    },
}

impl Unusable {
    /// Whether it is about host names, which the cluster does not answer for.
    pub(crate) fn is_of_names(&self) -> bool {
        matches!(self, Self::Unnamed { .. } | Self::NoHost { .. })
    }
}

/// A node that cannot be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreachable {
    /// Its address as the cluster tells it.
    pub told: Address,
    /// Where that is from here, with `--address-map`.
    pub tried: SocketAddr,
    /// What happened.
    pub problem: String,
    /// Where it is, if it could be found.
    pub found: Option<SocketAddr>,
}

/// More nodes than this are only counted.
const MOST_TOLD: usize = 12;

/// Nodes with the same problem are told together: `10.0.0.5:6379, 10.0.0.6:6379 (no answer in time)`.
fn problems(nodes: &[Unreachable]) -> String {
    let told: Vec<_> = nodes.iter().take(MOST_TOLD).collect();
    let alike = told.chunk_by(|one, other| one.problem == other.problem);
    let alike = alike.map(|nodes| {
        let each = nodes.iter().map(|node| {
            if node.told.to_string() == node.tried.to_string() {
                node.told.to_string()
            } else {
                format!("{}, mapped to {},", node.told, node.tried)
            }
        });
        let each: Vec<_> = each.collect();
        let problem = nodes.first().map_or("", |node| &node.problem);
        format!("{} ({problem})", each.join(", "))
    });
    let text = alike.collect::<Vec<_>>().join(", ");
    match nodes.len().saturating_sub(MOST_TOLD) {
        0 => text,
        more => format!("{text}, and {more} more"),
    }
}

/// The options that say where the nodes are, to be copied; what is not known is `HOST:PORT`.
pub fn address_maps(nodes: &[Unreachable]) -> String {
    let whole = |node: &Unreachable| {
        let found = node
            .found
            .map_or_else(|| "HOST:PORT".to_owned(), |found| found.to_string());
        format!("{}={found}", node.told)
    };
    // One for a host whose ports are the same from here.
    let of_host = |node: &Unreachable| {
        let found = node.found.filter(|found| found.port() == node.told.port)?;
        Some(format!("{}={}", node.told.host, found.ip()))
    };
    let mut entries: Vec<String> = Vec::new();
    for node in nodes.iter().take(MOST_TOLD) {
        let of_host = of_host(node).filter(|entry| {
            let beside = nodes
                .iter()
                .filter(|other| other.told.host == node.told.host);
            beside
                .map(of_host)
                .all(|other| other.as_ref() == Some(entry))
        });
        let entry = of_host.unwrap_or_else(|| whole(node));
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    let options = entries.iter().map(|entry| format!("--address-map {entry}"));
    options.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unreachable(told: &str, found: Option<&str>, problem: &str) -> Unreachable {
        let tried: SocketAddr = told.parse().unwrap();
        Unreachable {
            told: Address {
                host: tried.ip().to_string(),
                port: tried.port(),
            },
            tried,
            problem: problem.to_owned(),
            found: found.map(|found| found.parse().unwrap()),
        }
    }

    #[test]
    fn the_options_that_help_can_be_copied() {
        for (nodes, options) in [
            (
                [
                    ("10.0.0.5:1", Some("127.0.0.1:1")),
                    ("10.0.0.5:2", Some("127.0.0.1:2")),
                ],
                "--address-map 10.0.0.5=127.0.0.1",
            ),
            (
                [
                    ("10.0.0.5:1", Some("127.0.0.1:1")),
                    ("10.0.0.6:2", Some("127.0.0.1:2")),
                ],
                "--address-map 10.0.0.5=127.0.0.1 --address-map 10.0.0.6=127.0.0.1",
            ),
            (
                [("10.0.0.5:1", Some("127.0.0.1:7001")), ("10.0.0.5:2", None)],
                "--address-map 10.0.0.5:1=127.0.0.1:7001 --address-map 10.0.0.5:2=HOST:PORT",
            ),
        ] {
            assert_eq!(
                address_maps(&nodes.map(|(told, found)| unreachable(told, found, "no"))),
                options
            );
        }
    }

    #[test]
    fn many_nodes_are_told_in_one_line() {
        let node = |port: usize| unreachable(&format!("10.0.0.5:{port}"), None, "no");
        let nodes: Vec<_> = (1..=20).map(node).collect();
        let text = problems(&nodes);
        assert!(text.starts_with("10.0.0.5:1, 10.0.0.5:2, "), "{text}");
        assert!(text.ends_with("10.0.0.5:12 (no), and 8 more"), "{text}");
    }
}
