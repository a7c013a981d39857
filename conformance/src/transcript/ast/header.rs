//! The lines above the first blank one.

use std::fmt;

use shardlab::machine::text::counted;

use crate::transcript::span::Spanned;

use super::{Comment, Each, NodeName, NodeRole, Products};

/// What a case is: claim, source, strength, and what it asks of the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Comments above the first key, and between keys.
    pub comments: Vec<Comment>,
    /// `id: MOV-01`
    pub id: Spanned<CaseId>,
    /// `title:` the claim as a sentence, lower case, no full stop.
    pub title: Spanned<String>,
    /// `spec:` where it is written that it must be so. May be given several times.
    pub spec: Vec<Spanned<String>>,
    /// `source:` where else it can be seen: a thread, a line of a server's source. Several.
    pub source: Vec<Spanned<String>>,
    /// `note:` what a reader of a failure should know. Several.
    pub note: Vec<Spanned<String>>,
    /// `catches:` a wrong server that departs here, for the author of one. Several.
    pub catches: Vec<Spanned<String>>,
    /// `level:`
    pub level: Spanned<Level>,
    /// `needs:`
    pub needs: Spanned<Needs>,
    /// `since: redis>=7.0 *`: other servers skip the case.
    pub since: Option<Spanned<Products>>,
    /// `command: CLUSTER SHARDS`: a server that does not know it skips the case. Several.
    pub command: Vec<Spanned<String>>,
    /// `topology:`
    pub topology: Spanned<Topology>,
    /// `conf.cluster-node-timeout: 500`: for every node.
    pub conf: Vec<Spanned<Directive>>,
}

/// `MOV-01`, `R3-02`, `MOV-07b`: an area, a dash, a number. Ids never change and are never used
/// again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseId(pub(crate) String);

impl CaseId {
    /// `text` as an id: 2 to 6 capital letters and digits, a letter first; `-`; 2 or 3 digits,
    /// perhaps with a small letter behind them.
    pub fn parse(text: &str) -> Option<Self> {
        let (area, number) = text.split_once('-')?;
        let digits = number
            .strip_suffix(|c: char| c.is_ascii_lowercase())
            .unwrap_or(number);
        let valid = (2..=6).contains(&area.len())
            && area.starts_with(|c: char| c.is_ascii_uppercase())
            && area
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            && (2..=3).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        valid.then(|| Self(text.to_owned()))
    }

    /// The id as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How strong a claim is; the order is the strength's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, clap::ValueEnum)]
pub enum Level {
    /// What each server may choose: reported, never judged.
    May,
    /// What client programs should not rely on, such as human text.
    Should,
    /// What client programs rely on.
    Must,
}

impl Level {
    /// Every level.
    pub const ALL: [Self; 3] = [Self::Must, Self::Should, Self::May];

    /// The word in a header, and in parentheses in front of a line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::May => "may",
        }
    }
}

/// What the user must grant, the weakest that suffices; each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Needs {
    /// An address.
    Client,
    /// May change slots, epochs and membership.
    Admin,
    /// CONFIG SET.
    Config,
    /// Starting, killing and pausing processes.
    Process,
    /// Sentinels beside the nodes.
    Sentinel,
}

impl Needs {
    /// From the weakest.
    pub const ALL: [Self; 5] = [
        Self::Client,
        Self::Admin,
        Self::Config,
        Self::Process,
        Self::Sentinel,
    ];

    /// The word in a header.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Admin => "admin",
            Self::Config => "config",
            Self::Process => "process",
            Self::Sentinel => "sentinel",
        }
    }
}

/// Which nodes there are before the first step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topology {
    /// `any`: a cluster of which one node suffices: `n1`, `n2` and `n3` may be the same.
    Any,
    /// `3 masters, 1 replica each`: a cluster, slots spread evenly.
    Cluster {
        /// `n1`, `n2` …, at least 1.
        masters: u16,
        /// Per master: `r1`, `r1b` ….
        replicas: u16,
        /// What else a running cluster must be like.
        fit: Fit,
    },
    /// `6 bare nodes`: cluster mode, unformed: `n1` to `n6`.
    Bare {
        /// At least 1.
        nodes: u16,
    },
    /// `1 node without cluster`: `cluster-enabled no`: `n1` ….
    WithoutCluster {
        /// At least 1.
        nodes: u16,
    },
    /// `1 master, 2 replicas`: plain replication: `n1`, `r1`, `r1b`.
    Replication {
        /// At least 1.
        replicas: u16,
    },
    /// `1 master, 2 replicas, 3 sentinels`: the same, watched by `s1`, `s2`, `s3`.
    Sentinel {
        /// May be 0.
        replicas: u16,
        /// At least 1. The quorum is the majority.
        sentinels: u16,
    },
}

/// How a running cluster must match the nodes of a topology.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fit {
    /// `3 masters`: it has these nodes, and perhaps more.
    AtLeast,
    /// `exactly 3 masters`: it has no others.
    Exactly,
    /// `exactly 3 masters, slots spread evenly`: it is as the suite would start it.
    Even,
}

/// What follows the nodes of a topology that is [`Fit::Even`].
pub(crate) const EVENLY: &str = ", slots spread evenly";

impl Topology {
    /// The most nodes a topology may have.
    pub const MAX_NODES: u16 = 64;

    /// What is started for it.
    #[must_use]
    pub const fn started(self) -> Self {
        match self {
            Self::Any => Self::Cluster {
                masters: 3,
                replicas: 1,
                fit: Fit::AtLeast,
            },
            Self::Cluster {
                masters, replicas, ..
            } => Self::Cluster {
                masters,
                replicas,
                fit: Fit::AtLeast,
            },
            other => other,
        }
    }

    /// Whether the topology has a node of this name.
    pub fn has(self, name: NodeName) -> bool {
        if let Some(each) = name.each() {
            return match (self, each) {
                (Self::Any, Each::ReplicaOf(number)) => (1..=3).contains(&number),
                (Self::Cluster { masters, .. }, Each::ReplicaOf(number)) => {
                    (1..=masters).contains(&number)
                }
                (Self::Any | Self::Cluster { .. }, Each::Master | Each::Replica) => true,
                _ => false,
            };
        }
        let (masters, replicas, sentinels) = match self {
            Self::Any => (3, 0, 0),
            Self::Cluster {
                masters, replicas, ..
            } => (masters, replicas, 0),
            Self::Bare { nodes } | Self::WithoutCluster { nodes } => (nodes, 0, 0),
            Self::Replication { replicas } => (1, replicas, 0),
            Self::Sentinel {
                replicas,
                sentinels,
            } => (1, replicas, sentinels),
        };
        name.number >= 1
            && match name.role {
                NodeRole::Master => name.number <= masters,
                NodeRole::Replica => name.number <= masters && name.copy < replicas,
                NodeRole::Sentinel => name.number <= sentinels,
            }
    }
}

impl Default for Topology {
    /// What is started for `any`.
    fn default() -> Self {
        Self::Any.started()
    }
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fit = match self {
            Self::Cluster { fit, .. } => *fit,
            _ => Fit::AtLeast,
        };
        if fit != Fit::AtLeast {
            f.write_str("exactly ")?;
        }
        self.fmt_nodes(f)?;
        f.write_str(match fit {
            Fit::Even => EVENLY,
            Fit::AtLeast | Fit::Exactly => "",
        })
    }
}

impl Topology {
    fn fmt_nodes(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Cluster {
                masters,
                replicas: 0,
                ..
            } => f.write_str(&counted(masters, "master")),
            Self::Cluster {
                masters, replicas, ..
            } => {
                write!(
                    f,
                    "{}, {} each",
                    counted(masters, "master"),
                    counted(replicas, "replica")
                )
            }
            Self::Bare { nodes } => f.write_str(&counted(nodes, "bare node")),
            Self::WithoutCluster { nodes } => {
                write!(f, "{} without cluster", counted(nodes, "node"))
            }
            Self::Replication { replicas } => {
                write!(f, "1 master, {}", counted(replicas, "replica"))
            }
            Self::Sentinel {
                replicas,
                sentinels,
            } => write!(
                f,
                "1 master, {}, {}",
                counted(replicas, "replica"),
                counted(sentinels, "sentinel")
            ),
        }
    }
}

/// A line of the servers' configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// What follows `conf.`.
    pub name: String,
    /// The rest of the line.
    pub value: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> NodeName {
        NodeName::parse(text).unwrap()
    }

    #[test]
    fn a_topology_knows_its_nodes() {
        let cluster = Topology::Cluster {
            masters: 3,
            replicas: 2,
            fit: Fit::AtLeast,
        };
        assert!(cluster.has(name("n3")) && cluster.has(name("r3b")) && cluster.has(name("r*")));
        assert!(!cluster.has(name("n4")) && !cluster.has(name("r1c")) && !cluster.has(name("s1")));
        assert!(cluster.has(name("r3*")) && !cluster.has(name("r4*")));
        assert!(Topology::Any.has(name("n3")) && !Topology::Any.has(name("r1")));
        let watched = Topology::Sentinel {
            replicas: 1,
            sentinels: 3,
        };
        assert!(watched.has(name("s3")) && watched.has(name("r1")) && !watched.has(name("r2")));
        assert!(!watched.has(name("n*")));
    }

    #[test]
    fn an_id_is_an_area_and_a_number() {
        for id in ["MOV-01", "HASH-123", "R3-01", "DB-02", "MOV-07b"] {
            assert_eq!(CaseId::parse(id).unwrap().as_str(), id);
        }
        let others = "MOV MOV- -01 M-01 mov-01 Mov-01 3R-01 33-01 TOOLONG-01 MOV-1 MOV-1b MOV-0001 \
                      MOV-b MOV-0x MOV-01B MOV-01bc MOV-b01 MOV-01-02 MÖV-01";
        for text in others.split(' ').chain(["", "MOV-01 "]) {
            assert_eq!(CaseId::parse(text), None, "{text}");
        }
    }
}
