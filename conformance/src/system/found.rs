//! Somebody's cluster as it was found, and with the names that a case gives its nodes.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use shardlab::machine::wait::Deadline;
use shardlab::wire::client::{ClientError, Connection};

use crate::binding::{Names, Shape, Shard, bind, expand, is_of_all, name_by_home};
use crate::pattern::Server;
use crate::transcript::ast::{Fit, NodeName, Topology, Transcript};

use super::address::Credentials;
use super::control::Control;
use super::login::Access;
use super::members::Group;
use super::{Deed, Endpoint, NOWHERE, NodeFacts, NodeTimeout, Target};

/// With more nodes, what each node says of each takes longer to be compared than a case may.
const MOST_COMPARED: usize = 100;

/// A cluster as it was found; its nodes have no names yet.
#[derive(Debug, Clone)]
pub struct Found {
    /// Who has told of it.
    pub(super) asked: SocketAddr,
    /// The host of that address, as the user wrote it.
    pub(super) asked_as: String,
    /// A master, then its replicas.
    pub(super) nodes: Vec<(Shard, Vec<Node>)>,
    pub(super) unrest: Option<String>,
    /// What CLUSTER NODES has told, if it is there.
    pub(super) members: Option<Vec<Group>>,
    pub(super) server: Option<Server>,
    pub(super) timeout: NodeTimeout,
    pub(super) access: Access,
    pub(super) control: Option<Arc<Control>>,
}

/// A node without a name.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) address: SocketAddr,
    pub(super) endpoint: Endpoint,
    pub(super) bus_port: Option<u16>,
    pub(super) id: Option<String>,
}

impl Found {
    /// Why it is not at rest, if so.
    pub fn unrest(&self) -> Option<&str> {
        self.unrest.as_deref()
    }

    /// Product and version, if they are known.
    pub fn server(&self) -> Option<&Server> {
        self.server.as_ref()
    }

    /// The cluster with the names that a transcript gives its nodes, and the transcript as it is
    /// for this cluster.
    ///
    /// # Errors
    /// What the cluster lacks.
    pub fn bind(&self, transcript: &Transcript) -> Result<(Attached, Transcript), String> {
        let topology = transcript.header.topology.value;
        if !matches!(topology, Topology::Any | Topology::Cluster { .. }) {
            return Err(format!("it needs `{topology}`, and this is a cluster"));
        }
        let nodes: usize = self.nodes.iter().map(|(_, nodes)| nodes.len()).sum();
        if nodes > MOST_COMPARED && is_of_all(transcript) {
            return Err(format!(
                "it looks at all nodes, and {nodes} are more than the {MOST_COMPARED} that it compares"
            ));
        }
        if let Some(unrest) = self.unrest.as_ref().filter(|_| is_of_all(transcript)) {
            return Err(format!("it looks at all nodes, and {unrest}"));
        }
        let names = bind(transcript, &self.shape())?;
        let expanded = expand(transcript, &names);
        Ok((self.named(&names), expanded))
    }

    /// The cluster with names that no transcript gives its nodes, and the topology that it has as far as a
    /// transcript can say.
    pub fn unbound(&self) -> (Attached, Names, Topology) {
        let shape = self.shape();
        let names = name_by_home(&shape);
        let most = usize::from(Topology::MAX_NODES);
        let masters = shape.shards.len().clamp(1, most);
        let replicas = shape.shards.iter().map(|shard| usize::from(shard.replicas));
        let replicas = replicas.max().unwrap_or(0).min(most / masters - 1);
        let topology = Topology::Cluster {
            masters: u16::try_from(masters).unwrap_or(1),
            replicas: u16::try_from(replicas).unwrap_or(0),
            fit: Fit::AtLeast,
        };
        (self.named(&names), names, topology)
    }

    fn shape(&self) -> Shape {
        Shape {
            shards: self.nodes.iter().map(|(shard, _)| shard.clone()).collect(),
        }
    }

    fn named(&self, names: &Names) -> Attached {
        let (mut facts, mut order) = (HashMap::new(), Vec::new());
        for ((_, nodes), shard) in self.nodes.iter().zip(&names.shards) {
            let own = std::iter::once(shard.master()).chain(shard.replica_names());
            for (name, node) in own.zip(nodes) {
                facts.insert(name, node.named(name));
                order.push(name);
            }
            for number in &shard.numbers {
                let name = NodeName::master(*number);
                facts.extend(nodes.first().map(|node| (name, node.named(name))));
            }
        }
        Attached {
            facts,
            order,
            server: self.server.clone(),
            timeout: self.timeout,
            access: self.access.clone(),
            control: self.control.clone(),
        }
    }
}

impl Node {
    fn named(&self, name: NodeName) -> NodeFacts {
        NodeFacts {
            name,
            address: self.address,
            endpoint: self.endpoint.clone(),
            bus_port: self.bus_port,
            id: self.id.clone(),
        }
    }
}

/// A cluster whose nodes have the names that one case gives them.
#[derive(Debug, Clone)]
pub struct Attached {
    facts: HashMap<NodeName, NodeFacts>,
    /// Each node once.
    order: Vec<NodeName>,
    server: Option<Server>,
    timeout: NodeTimeout,
    access: Access,
    control: Option<Arc<Control>>,
}

impl Attached {
    /// Whether connections log in: what ends that, such as RESET, cannot be tried.
    pub fn logs_in(&self) -> bool {
        self.access.credentials.is_some()
    }

    /// What MIGRATE needs to log in at the target.
    pub fn migrate_words(&self) -> Vec<String> {
        let words = |login: &Credentials| match &login.user {
            Some(user) => vec!["AUTH2".to_owned(), user.clone(), login.password.clone()],
            None => vec!["AUTH".to_owned(), login.password.clone()],
        };
        let login = self.access.credentials.as_ref();
        login.map(words).unwrap_or_default()
    }

    pub(super) fn control(&self) -> Option<&Control> {
        self.control.as_deref()
    }
}

impl Target for Attached {
    type Link = Connection;

    fn server(&self) -> Option<&Server> {
        self.server.as_ref()
    }

    fn node_timeout(&self) -> NodeTimeout {
        self.timeout
    }

    fn nodes(&self) -> Vec<NodeName> {
        self.order.clone()
    }

    fn node(&self, name: NodeName) -> Option<&NodeFacts> {
        self.facts.get(&name)
    }

    async fn connect(&self, node: NodeName, deadline: Deadline) -> Result<Connection, ClientError> {
        match self.node(node) {
            Some(node) => {
                let host = &node.endpoint.host;
                self.access.log_in(node.address, host, deadline).await
            }
            None => self.access.log_in(NOWHERE, "", deadline).await,
        }
    }

    async fn act(&self, deed: Deed, node: NodeName) -> Result<(), String> {
        self.control_node(deed, node).await
    }

    async fn settle(&self, deed: Deed, node: NodeName) -> Result<(), String> {
        self.settled(deed, node).await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::transcript::parse;

    /// A master with so many replicas.
    fn found(replicas: u16) -> Found {
        let node = |port| Node {
            address: NOWHERE,
            endpoint: SocketAddr::new(NOWHERE.ip(), port).into(),
            bus_port: None,
            id: None,
        };
        let shard = Shard {
            slots: "0-16383".parse().unwrap(),
            replicas,
        };
        Found {
            asked: NOWHERE,
            asked_as: String::new(),
            nodes: vec![(shard, (0..=replicas).map(node).collect())],
            unrest: None,
            members: None,
            server: None,
            timeout: NodeTimeout {
                period: Duration::from_secs(1),
                origin: "a test",
            },
            control: None,
            access: Access::default(),
        }
    }

    #[test]
    fn nodes_beyond_number_are_not_compared() {
        let case = |steps: &str| {
            let header = "id: TST-01\ntitle: t\nlevel: may\nneeds: client\ntopology: any\n\n";
            parse(&format!("{header}{steps}")).unwrap()
        };
        let all = case("n1> CLUSTER SLOTS\n1) \"<n*.id>\"\n");
        assert!(found(99).bind(&all).is_ok());
        let refused = found(100).bind(&all).map(|_| ()).unwrap_err();
        assert!(refused.contains("101 are more than the 100"), "{refused}");
        let one = case("n1> PING\nPONG\n");
        assert!(found(100).bind(&one).is_ok());
    }
}
