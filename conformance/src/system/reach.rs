//! Whether the nodes of somebody's cluster are where they say, seen from here.

use std::net::SocketAddr;
use std::time::Duration;

use shardlab::machine::wait::Deadline;
use shardlab::probe::ask_all;
use shardlab::wire::client::{ClientError, Connection};

use super::address::Address;
use super::found::{Found, Node};
use super::login::Access;
use super::unusable::{Unreachable, Unusable};

/// How many nodes are connected to at once.
const AT_ONCE: usize = 64;

impl Found {
    /// Connects to each node, and asks which one it is.
    ///
    /// # Errors
    /// Some nodes do not listen at their addresses, or others do, or they refuse the login.
    pub async fn reach(&self, patience: Duration) -> Result<(), Unusable> {
        let address = self.asked;
        let nodes: Vec<_> = self.nodes.iter().flat_map(|(_, nodes)| nodes).collect();
        let access = self.access.clone();
        let problems = at_each(&nodes, patience, move |node, deadline| {
            let access = access.clone();
            async move { problem(&node, &access, deadline).await }
        });
        let mut unreachable = Vec::new();
        for (node, problem) in nodes.iter().zip(problems.await) {
            if let Some(problem) = problem? {
                unreachable.push((Node::clone(node), problem));
            }
        }
        if unreachable.is_empty() {
            return Ok(());
        }
        let deadline = Deadline::after(patience);
        let mut told = Vec::with_capacity(unreachable.len());
        for (node, problem) in unreachable {
            told.push(Unreachable {
                found: self.elsewhere(&node, deadline).await,
                told: Address {
                    host: node.endpoint.ip,
                    port: node.endpoint.port,
                },
                tried: node.address,
                problem,
            });
        }
        Err(Unusable::Unreachable {
            address,
            of: nodes.len(),
            nodes: told,
        })
    }

    /// Where a node may be instead: at the address that was given, or at its port there.
    async fn elsewhere(&self, node: &Node, deadline: Deadline) -> Option<SocketAddr> {
        let id = node.id.as_ref()?;
        let places = [
            self.asked,
            SocketAddr::new(self.asked.ip(), node.endpoint.port),
        ];
        for address in places.into_iter().filter(|place| *place != node.address) {
            let host = &node.endpoint.host;
            let connection = self.access.log_in(address, host, deadline).await;
            if let Ok(connection) = connection
                && id_of(connection, deadline).await.as_ref() == Some(id)
            {
                return Some(address);
            }
        }
        None
    }
}

/// What each node says until its deadline, in their order. Those that are asked later have as much time.
pub(super) async fn at_each<T, F>(
    nodes: &[&Node],
    patience: Duration,
    ask: impl Fn(Node, Deadline) -> F,
) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut answers = Vec::with_capacity(nodes.len());
    for some in nodes.chunks(AT_ONCE) {
        let deadline = Deadline::after(patience);
        let asked = some.iter().map(|node| ask(Node::clone(node), deadline));
        answers.extend(ask_all(asked).await);
    }
    answers
}

/// Why a node is not where it says.
async fn problem(
    node: &Node,
    access: &Access,
    deadline: Deadline,
) -> Result<Option<String>, Unusable> {
    let host = &node.endpoint.host;
    match access.log_in_first(node.address, host, deadline).await {
        Ok(connection) => {
            let id = id_of(connection, deadline).await;
            let other = id.zip(node.id.as_ref());
            let is_other =
                |(id, expected): &(String, &String)| id.len() == expected.len() && id != *expected;
            Ok(other
                .filter(is_other)
                .map(|_| "another node listens there".to_owned()))
        }
        Err(ClientError::Auth { address, reply }) => Err(Unusable::LoginRefused { address, reply }),
        Err(ClientError::Tls { source, .. }) => Ok(Some(source.to_string())),
        Err(ClientError::Connect { source, .. }) => Ok(Some(source.to_string())),
        Err(ClientError::Timeout { .. }) => Ok(Some("no answer in time".to_owned())),
        Err(error) => Ok(Some(error.to_string())),
    }
}

/// The id of the node at the other end, if it tells.
async fn id_of(mut connection: Connection, deadline: Deadline) -> Option<String> {
    let id = connection.call(&["CLUSTER", "MYID"], deadline).await.ok()?;
    String::from_utf8(id.as_text()?.to_vec()).ok()
}
