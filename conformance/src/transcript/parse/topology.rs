//! `3 masters, 1 replica each`

use crate::transcript::ast::{EVENLY, Fit, NodeName, Topology};
use crate::transcript::error::ErrorKind;
use crate::transcript::span::Spanned;

use super::lines::Cursor;
use super::parser::Parser;

impl Parser<'_> {
    /// The nodes there are before the first step.
    pub(super) fn topology(&mut self, text: Cursor<'_>) -> Option<Spanned<Topology>> {
        let Some(topology) = read(text.text) else {
            self.error(ErrorKind::Topology(text.text.to_owned()), text.span());
            return None;
        };
        if !sized(topology) {
            self.error(ErrorKind::TopologySize, text.span());
            return None;
        }
        Some(Spanned::new(topology, text.span()))
    }
}

fn read(text: &str) -> Option<Topology> {
    if text == "any" {
        return Some(Topology::Any);
    }
    let (text, fit) = match text.strip_prefix("exactly ") {
        Some(text) => match text.strip_suffix(EVENLY) {
            Some(text) => (text, Fit::Even),
            None => (text, Fit::Exactly),
        },
        None => (text, Fit::AtLeast),
    };
    match read_nodes(text)? {
        Topology::Cluster {
            masters, replicas, ..
        } => Some(Topology::Cluster {
            masters,
            replicas,
            fit,
        }),
        _ if fit != Fit::AtLeast => None,
        other => Some(other),
    }
}

fn read_nodes(text: &str) -> Option<Topology> {
    let parts: Vec<(u16, String)> = text.split(',').map(part).collect::<Option<_>>()?;
    let parts: Vec<(u16, &str)> = parts
        .iter()
        .map(|(number, noun)| (*number, noun.as_str()))
        .collect();
    match *parts.as_slice() {
        [(masters, "master")] => Some(Topology::Cluster {
            masters,
            replicas: 0,
            fit: Fit::AtLeast,
        }),
        [(masters, "master"), (replicas, "replica each")] => Some(Topology::Cluster {
            masters,
            replicas,
            fit: Fit::AtLeast,
        }),
        [(nodes, "bare node")] => Some(Topology::Bare { nodes }),
        [(nodes, "node without cluster")] => Some(Topology::WithoutCluster { nodes }),
        [(1, "master"), (replicas, "replica")] => Some(Topology::Replication { replicas }),
        [
            (1, "master"),
            (replicas, "replica"),
            (sentinels, "sentinel"),
        ] => Some(Topology::Sentinel {
            replicas,
            sentinels,
        }),
        _ => None,
    }
}

/// `2 replicas each` as 2 and `replica each`: the noun in the singular.
fn part(text: &str) -> Option<(u16, String)> {
    let (number, noun) = text.trim().split_once(' ')?;
    let words: Vec<&str> = noun
        .split_whitespace()
        .map(|word| match word {
            "masters" | "replicas" | "nodes" | "sentinels" => word.strip_suffix('s'),
            word => Some(word),
        })
        .collect::<Option<_>>()?;
    Some((number.parse().ok()?, words.join(" ")))
}

/// Whether there is a node, and not too many of any kind.
fn sized(topology: Topology) -> bool {
    let (nodes, replicas) = match topology {
        Topology::Any => (1, 0),
        Topology::Cluster {
            masters, replicas, ..
        } => (
            u32::from(masters) * (1 + u32::from(replicas)) * u32::from(masters.min(1)),
            replicas,
        ),
        Topology::Bare { nodes } | Topology::WithoutCluster { nodes } => (u32::from(nodes), 0),
        Topology::Replication { replicas } => (
            (1 + u32::from(replicas)) * u32::from(replicas.min(1)),
            replicas,
        ),
        Topology::Sentinel {
            replicas,
            sentinels,
        } => (
            (1 + u32::from(replicas) + u32::from(sentinels)) * u32::from(sentinels.min(1)),
            replicas,
        ),
    };
    (1..=u32::from(Topology::MAX_NODES)).contains(&nodes) && replicas <= NodeName::MAX_REPLICAS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topologies_are_read_as_they_are_printed() {
        for text in [
            "any",
            "3 masters",
            "exactly 3 masters",
            "exactly 3 masters, 1 replica each, slots spread evenly",
            "1 master",
            "3 masters, 1 replica each",
            "1 master, 2 replicas each",
            "6 bare nodes",
            "1 node without cluster",
            "1 master, 2 replicas",
            "1 master, 0 replicas, 3 sentinels",
        ] {
            let topology = read(text).unwrap();
            assert!(sized(topology), "{text}");
            assert_eq!(topology.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_topology_is_refused() {
        for text in [
            "",
            "3",
            "3 masters, 3 replicas",
            "masters 3",
            "exactly any",
            "3 masters, slots spread evenly",
            "exactly 2 bare nodes",
            "2 masters, 1 replica, 1 sentinel",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        for text in [
            "0 masters",
            "0 bare nodes",
            "1 master, 0 replicas",
            "1000 masters, 9 replicas each",
        ] {
            assert!(!sized(read(text).unwrap()), "{text}");
        }
    }
}
