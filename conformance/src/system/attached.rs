//! Somebody else's running cluster, of which only addresses are known. Nothing of it is ours:
//! no process, no setting, and no key but those of a case.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::time::Duration;

use shardlab::machine::wait::Deadline;
use shardlab::wire::client::{ClientError, Connection};
use shardlab::wire::resp::{Frame, escape};
use shardlab::wire::slots::split_evenly;
use shardlab::wire::view::{self, Flag, NodeLine};
use thiserror::Error;

use crate::pattern::Server;
use crate::transcript::ast::{NodeName, NodeRole, Topology};

use super::{NOWHERE, NodeFacts, NodeTimeout, Target, connect, from_info};

/// The servers' own default of `cluster-node-timeout` (`redis.conf`, all versions).
const USUAL_NODE_TIMEOUT: Duration = Duration::from_secs(15);

/// A longer one is not believed: what waits for multiples of it would wait without an end.
const MOST_NODE_TIMEOUT: Duration = Duration::from_secs(300);

/// Where a cluster is said to be.
#[derive(Debug, Clone)]
pub struct Attachment {
    addresses: Vec<SocketAddr>,
    server: Option<Server>,
}

/// An address that is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{text}` is not an address: {problem}; write `HOST:PORT`, several with commas between them"
)]
pub struct AddressError {
    text: String,
    problem: String,
}

/// What a cluster did not tell, although somebody listened.
#[derive(Debug)]
pub struct Undiscovered {
    /// What it should have told.
    pub expected: String,
    /// What came instead.
    pub received: String,
}

impl fmt::Display for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses: Vec<_> = self.addresses.iter().map(ToString::to_string).collect();
        f.write_str(&addresses.join(","))
    }
}

impl Attachment {
    /// Reads `HOST:PORT,HOST:PORT`. Host names are looked up.
    ///
    /// # Errors
    /// A part that is no address, or a name that nobody knows.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let address = |part: &str| {
            let error = |problem: String| AddressError {
                text: part.to_owned(),
                problem,
            };
            let mut found = part
                .to_socket_addrs()
                .map_err(|source| error(source.to_string()))?;
            found.next().ok_or_else(|| error("no such host".to_owned()))
        };
        let parts = text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty());
        let addresses: Vec<_> = parts.map(address).collect::<Result<_, _>>()?;
        if addresses.is_empty() {
            return Err(AddressError {
                text: text.to_owned(),
                problem: "it is empty".to_owned(),
            });
        }
        Ok(Self {
            addresses,
            server: None,
        })
    }

    /// Says what the server is, instead of asking it.
    #[must_use]
    pub fn with_server(mut self, server: Server) -> Self {
        self.server = Some(server);
        self
    }

    /// What the server was said to be.
    pub fn server(&self) -> Option<&Server> {
        self.server.as_ref()
    }

    /// Whether somebody listens at one of the addresses.
    ///
    /// # Errors
    /// Nobody; with the reason of the last address.
    pub async fn reach(&self, patience: Duration) -> Result<(), ClientError> {
        self.open(Deadline::after(patience)).await.map(drop)
    }

    /// Asks which nodes there are, what they run and how long T is.
    ///
    /// # Errors
    /// The answers make no cluster, or there are none.
    pub async fn discover(&self, patience: Duration) -> Result<Attached, Undiscovered> {
        let asked = |source: ClientError| Undiscovered {
            expected: "a server that tells its nodes (CLUSTER NODES)".to_owned(),
            received: source.to_string(),
        };
        let mut connection = self.open(Deadline::after(patience)).await.map_err(asked)?;
        let address = connection.address();
        let reply = connection
            .call(&["CLUSTER", "NODES"], Deadline::after(patience))
            .await
            .map_err(asked)?;
        let nodes = match view::nodes(&reply) {
            Some(lines) => Nodes::of(&lines, address),
            None if is_without_cluster(&reply) => Nodes::alone(address),
            None => {
                return Err(Undiscovered {
                    expected: "CLUSTER NODES as a server of the Redis line gives it".to_owned(),
                    received: escape(reply.raw.get(..200).unwrap_or(&reply.raw)),
                });
            }
        };
        let server = match &self.server {
            Some(server) => Some(server.clone()),
            None => ask(&mut connection, &["INFO", "server"], patience)
                .await
                .and_then(|info| from_info(&info)),
        };
        let timeout = ask(
            &mut connection,
            &["CONFIG", "GET", "cluster-node-timeout"],
            patience,
        )
        .await;
        Ok(Attached {
            nodes,
            server,
            timeout: node_timeout(timeout.as_ref()),
        })
    }

    async fn open(&self, deadline: Deadline) -> Result<Connection, ClientError> {
        let mut last = ClientError::Timeout {
            address: NOWHERE,
            unread: 0,
        };
        for address in &self.addresses {
            match connect(*address, deadline).await {
                Ok(connection) => return Ok(connection),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// Something that may be had, and need not.
async fn ask(connection: &mut Connection, command: &[&str], patience: Duration) -> Option<Frame> {
    connection
        .call(command, Deadline::after(patience))
        .await
        .ok()
}

/// `-ERR This instance has cluster support disabled` (`clusterCommand`, all versions).
fn is_without_cluster(reply: &Frame) -> bool {
    reply
        .as_error()
        .is_some_and(|error| String::from_utf8_lossy(error).contains("cluster support disabled"))
}

fn node_timeout(reply: Option<&Frame>) -> NodeTimeout {
    let millis = reply.and_then(Frame::as_array).and_then(|pair| {
        std::str::from_utf8(pair.get(1)?.as_text()?)
            .ok()?
            .parse()
            .ok()
    });
    match millis {
        Some(millis) => NodeTimeout {
            period: Duration::from_millis(millis).min(MOST_NODE_TIMEOUT),
            origin: "from CONFIG GET cluster-node-timeout",
        },
        None => NodeTimeout {
            period: USUAL_NODE_TIMEOUT,
            origin: "as is usual; the server does not say",
        },
    }
}

/// A cluster as it was found.
#[derive(Debug, Clone)]
pub struct Attached {
    nodes: Nodes,
    server: Option<Server>,
    timeout: NodeTimeout,
}

/// Its nodes, named as in transcripts: masters in the order of their slots.
#[derive(Debug, Clone)]
struct Nodes {
    facts: HashMap<NodeName, NodeFacts>,
    order: Vec<NodeName>,
    /// The number of masters with slots, if these are spread as transcripts take them to be.
    masters: Result<u16, String>,
    cluster: bool,
}

impl Nodes {
    fn new(masters: Result<u16, String>, cluster: bool) -> Self {
        Self {
            facts: HashMap::new(),
            order: Vec::new(),
            masters,
            cluster,
        }
    }

    fn alone(address: SocketAddr) -> Self {
        let mut nodes = Self::new(Ok(1), false);
        nodes.add(NodeRole::Master, 1, 0, address, address.port(), None);
        nodes
    }

    fn of(lines: &[NodeLine], asked: SocketAddr) -> Self {
        let alive = |line: &&NodeLine| line.is_met() && !line.has(Flag::Failed);
        let mut masters: Vec<&NodeLine> = lines
            .iter()
            .filter(alive)
            .filter(|line| line.is_master())
            .collect();
        let first = |line: &NodeLine| line.slots.slots().next();
        masters.sort_by_key(|line| (first(line).is_none(), first(line), line.id.clone()));
        let mut nodes = Self::new(evenly_spread(&masters), true);
        for (number, master) in (1..).zip(&masters) {
            nodes.add_line(NodeRole::Master, number, 0, master, asked);
            let mut replicas: Vec<&NodeLine> = lines
                .iter()
                .filter(alive)
                .filter(|line| line.replicates(&master.id))
                .collect();
            replicas.sort_by(|left, right| left.address.cmp(&right.address));
            for (copy, replica) in (0..25).zip(replicas) {
                nodes.add_line(NodeRole::Replica, number, copy, replica, asked);
            }
        }
        nodes
    }

    fn add_line(
        &mut self,
        role: NodeRole,
        number: u16,
        copy: u8,
        line: &NodeLine,
        asked: SocketAddr,
    ) {
        // A node that has not been met knows no ip of its own.
        let ip: IpAddr = line.address.host().parse().unwrap_or(asked.ip());
        let Some(port) = line.address.port() else {
            return;
        };
        let address = SocketAddr::new(ip, port);
        self.add(
            role,
            number,
            copy,
            address,
            line.address.bus_port().unwrap_or(port),
            Some(line.id.to_string()),
        );
    }

    fn add(
        &mut self,
        role: NodeRole,
        number: u16,
        copy: u8,
        address: SocketAddr,
        bus_port: u16,
        id: Option<String>,
    ) {
        let name = NodeName { role, number, copy };
        let facts = NodeFacts {
            name,
            address,
            bus_port,
            id,
        };
        self.facts.insert(name, facts);
        self.order.push(name);
    }
}

/// How many masters there are, if each has its even share of the slots.
fn evenly_spread(masters: &[&NodeLine]) -> Result<u16, String> {
    let serving: Vec<_> = masters
        .iter()
        .filter(|line| !line.slots.is_empty())
        .collect();
    for (number, (line, share)) in (1..).zip(serving.iter().zip(split_evenly(serving.len()))) {
        if line.slots.ranges() != [share] {
            return Err(format!("n{number} does not serve just the slots {share}"));
        }
    }
    Ok(u16::try_from(serving.len()).unwrap_or(u16::MAX))
}

impl Attached {
    /// Why a case that wants a topology cannot be run here, if it cannot.
    pub fn lacks(&self, topology: Topology) -> Option<String> {
        let reason = match (topology, &self.nodes.masters) {
            (Topology::WithoutCluster { nodes: 1 }, _) if !self.nodes.cluster => return None,
            (Topology::Cluster { .. }, Err(uneven)) => uneven.clone(),
            (Topology::Cluster { masters, replicas }, Ok(there)) if self.nodes.cluster => {
                let copies = |number: &u16| {
                    let order = self.nodes.order.iter();
                    order
                        .filter(|name| name.role == NodeRole::Replica && name.number == *number)
                        .count()
                };
                let lacking = (1..=masters).find(|number| copies(number) < usize::from(replicas));
                // More than are asked for do no harm, but to a case that asks for none: it may say
                // what is so because there are none.
                let unwanted = (1..=masters).find(|number| replicas == 0 && copies(number) > 0);
                match (lacking, unwanted) {
                    _ if *there != masters => format!("it has {there} masters"),
                    (Some(number), _) => format!("n{number} has too few replicas"),
                    (None, Some(number)) => format!("n{number} has replicas"),
                    (None, None) => return None,
                }
            }
            _ if self.nodes.cluster => "it is a cluster".to_owned(),
            _ => "it is not a cluster".to_owned(),
        };
        Some(format!(
            "it needs `{topology}`, and the server at hand differs: {reason}"
        ))
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
        self.nodes.order.clone()
    }

    fn node(&self, name: NodeName) -> Option<&NodeFacts> {
        self.nodes.facts.get(&name)
    }

    async fn connect(&self, node: NodeName, deadline: Deadline) -> Result<Connection, ClientError> {
        let address = self.node(node).map_or(NOWHERE, |node| node.address);
        connect(address, deadline).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A node's line; copy 0 is the master.
    fn line(number: u16, copy: u16, rest: &str) -> String {
        let (id, port) = (id(number, copy), 7000 + 100 * copy + number);
        format!("{id} 127.0.0.1:{port}@{} {rest}\n", port + 10_000)
    }

    fn id(number: u16, copy: u16) -> String {
        format!("{copy:020}{number:020}")
    }

    /// Three masters with their even shares, and this many replicas each.
    fn cluster(replicas: u16) -> Attached {
        let shard = |(number, share)| {
            let master = format!("master - 0 0 {number} connected {share}");
            let replica = format!("slave {} 0 0 {number} connected", id(number, 0));
            let replicas = (1..=replicas).map(|copy| line(number, copy, &replica));
            line(number, 0, &master) + &replicas.collect::<String>()
        };
        let text: String = (1..).zip(split_evenly(3)).map(shard).collect();
        let reply = Frame::from_value(shardlab::wire::resp::Value::BulkString(text.into()));
        let address = SocketAddr::from(([127, 0, 0, 1], 7001));
        Attached {
            nodes: Nodes::of(&view::nodes(&reply).unwrap(), address),
            server: None,
            timeout: node_timeout(None),
        }
    }

    /// Why a case with this many replicas of three masters cannot be run.
    fn lacks(there: u16, replicas: u16) -> Option<String> {
        let topology = Topology::Cluster {
            masters: 3,
            replicas,
        };
        cluster(there).lacks(topology)
    }

    #[test]
    fn a_node_timeout_beyond_all_reason_is_not_believed() {
        let told = |millis: &'static str| {
            let text = |text: &'static str| {
                Frame::from_value(shardlab::wire::resp::Value::BulkString(text.into()))
            };
            let pair = vec![text("cluster-node-timeout"), text(millis)];
            node_timeout(Some(&Frame::from_value(
                shardlab::wire::resp::Value::Array(pair),
            )))
            .period
        };
        assert_eq!(told("2000"), Duration::from_secs(2));
        assert_eq!(told("18446744073709551615"), MOST_NODE_TIMEOUT);
    }

    #[test]
    fn a_case_without_replicas_wants_masters_that_have_none() {
        assert_eq!(lacks(0, 0), None);
        assert_eq!(
            lacks(1, 0).unwrap(),
            "it needs `3 masters`, and the server at hand differs: n1 has replicas"
        );
    }

    #[test]
    fn a_case_with_replicas_is_content_with_more() {
        assert_eq!(lacks(1, 1), None);
        assert_eq!(lacks(2, 1), None);
        assert_eq!(
            lacks(1, 2).unwrap(),
            "it needs `3 masters, 2 replicas each`, and the server at hand differs: n1 has too few replicas"
        );
    }
}
