//! Somebody else's running cluster, of which only addresses are known. Nothing of it is ours: what a case may
//! do there is what its user allows.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use shardlab::machine::wait::Deadline;
use shardlab::wire::client::{ClientError, Connection};
use shardlab::wire::resp::{Frame, escape};
use shardlab::wire::slots::Slot;

use crate::binding::Shard;
use crate::pattern::Server;
use crate::transcript::ast::Needs;

use super::address::{Address, AddressError, AddressMap, places};
use super::control::Control;
use super::found::Node;
use super::login::{Access, speaks_tls};
use super::members::{DiscoveredNode, Group, Members, from_nodes, from_shards, from_slots};
use super::unusable::MOST_NODES;
use super::{Endpoint, NOWHERE, NodeTimeout, from_info};

pub use super::found::{Attached, Found};
pub use super::unusable::{Unreachable, Unusable, address_maps};

/// The servers' own default of `cluster-node-timeout` (`redis.conf`, all versions).
const USUAL_NODE_TIMEOUT: Duration = Duration::from_secs(15);

/// A longer one is not believed: what waits for multiples of it would wait without an end.
const MOST_NODE_TIMEOUT: Duration = Duration::from_secs(300);

/// What may be done to a cluster, besides asking it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Permission {
    /// Nothing: cases that write a key are skipped.
    Read,
    /// Keys may be written; they are deleted.
    #[default]
    Write,
    /// Slots, epochs, roles and settings may be changed, too; they are put back.
    Admin,
}

/// Where a cluster is said to be, and what else is said of it.
#[derive(Debug, Clone, Default)]
pub struct Attachment {
    addresses: Vec<Address>,
    /// A URL says that connections are made over TLS; `access` must say how.
    pub over_tls: bool,
    /// What the server is, instead of what it says.
    pub server: Option<Server>,
    /// How connections are made.
    pub access: Access,
    /// Where nodes are from here.
    pub address_map: AddressMap,
    /// What T is, instead of what the server says.
    pub node_timeout: Option<Duration>,
    /// What may be done there.
    pub permission: Permission,
    /// What ends and starts the processes of nodes.
    pub control: Option<Arc<Control>>,
    said: Box<Said>,
}

/// What a server has said of itself that does not change.
#[derive(Debug, Clone, Default)]
struct Said {
    server: OnceLock<Server>,
    timeout: OnceLock<NodeTimeout>,
}

impl fmt::Display for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses: Vec<_> = self.addresses.iter().map(ToString::to_string).collect();
        f.write_str(&addresses.join(","))
    }
}

impl Attachment {
    /// Reads addresses and URLs with commas between them.
    ///
    /// # Errors
    /// A part that is no address.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let places = places(text)?;
        Ok(Self {
            access: Access {
                credentials: places.iter().find_map(|place| place.credentials.clone()),
                tls: None,
            },
            over_tls: places.iter().any(|place| place.over_tls),
            addresses: places.into_iter().map(|place| place.address).collect(),
            ..Self::default()
        })
    }

    /// The rights that its user gives.
    pub fn granted(&self) -> Needs {
        match (&self.control, self.permission) {
            (Some(_), _) => Needs::Process,
            (None, Permission::Admin) => Needs::Config,
            (None, Permission::Read | Permission::Write) => Needs::Client,
        }
    }

    /// Asks which nodes there are, and for `patience_for_more` what they run, how long T is, and their
    /// host names, which a server need not tell; not at all if that is zero.
    ///
    /// # Errors
    /// The answers make no cluster that can be tested, or there are none.
    pub async fn discover(
        &self,
        patience: Duration,
        patience_for_more: Duration,
    ) -> Result<Found, Unusable> {
        match self.look(patience, patience_for_more).await {
            Err(Unusable::Talk(error)) => Err(self.understood(error, patience).await),
            found => found,
        }
    }

    /// A server that speaks only TLS closes on everything else without a word.
    async fn understood(&self, error: ClientError, patience: Duration) -> Unusable {
        if let ClientError::Closed { address, .. }
        | ClientError::Io { address, .. }
        | ClientError::Protocol { address, .. } = error
            && self.access.tls.is_none()
            && speaks_tls(address, Deadline::after(patience)).await
        {
            return Unusable::OnlyTls { address };
        }
        Unusable::Talk(error)
    }

    async fn look(
        &self,
        patience: Duration,
        patience_for_more: Duration,
    ) -> Result<Found, Unusable> {
        let (mut asking, asked_as) = self.open(Deadline::after(patience)).await?;
        let address = asking.address();
        let (mut members, from_nodes) = self.members(&mut asking, patience).await?;
        let told = from_nodes.then(|| members.groups.clone());
        let served = members.served();
        if served != usize::from(Slot::COUNT) {
            return Err(Unusable::Incomplete { address, served });
        }
        let nodes = members.count();
        if nodes > MOST_NODES {
            return Err(Unusable::TooLarge { address, nodes });
        }
        if !patience_for_more.is_zero() {
            let deadline = Deadline::after(patience_for_more);
            // At once: a server that is silent about one of them may be so about all.
            let at = (address, asked_as.as_str());
            tokio::join!(
                self.learn_server(at, deadline),
                self.learn_timeout(at, deadline),
                learn_hosts(&mut members, asking, deadline),
            );
        }
        let nodes = tokio::time::timeout(patience, self.nodes(&members, address)).await;
        let nodes = nodes.map_err(|_| Unusable::Unnamed { address })??;
        Ok(Found {
            asked: address,
            asked_as,
            nodes,
            unrest: members.unrest,
            members: told,
            server: self
                .server
                .as_ref()
                .or_else(|| self.said.server.get())
                .cloned(),
            timeout: match self.node_timeout {
                Some(period) => NodeTimeout {
                    period,
                    origin: "as --node-timeout says",
                },
                None => self.said.timeout.get().copied().unwrap_or(NodeTimeout {
                    period: USUAL_NODE_TIMEOUT,
                    origin: "as is usual; the server does not say",
                }),
            },
            access: self.access.clone(),
            control: self.control.clone(),
        })
    }

    async fn learn_server(&self, at: (SocketAddr, &str), deadline: Deadline) {
        if self.server.is_some() || self.said.server.get().is_some() {
            return;
        }
        let info = self.ask(at, &["INFO", "server"], deadline).await;
        if let Some(server) = info.as_ref().and_then(from_info) {
            let _ = self.said.server.set(server); // the same may have been said twice
        }
    }

    async fn learn_timeout(&self, at: (SocketAddr, &str), deadline: Deadline) {
        if self.node_timeout.is_some() || self.said.timeout.get().is_some() {
            return;
        }
        let command = ["CONFIG", "GET", "cluster-node-timeout"];
        let told = self.ask(at, &command, deadline).await;
        if let Some(timeout) = told.as_ref().and_then(node_timeout) {
            let _ = self.said.timeout.set(timeout); // the same may have been said twice
        }
    }

    /// Something that may be had, and need not; the server is at this address under this name.
    async fn ask(
        &self,
        (address, host): (SocketAddr, &str),
        command: &[&str],
        deadline: Deadline,
    ) -> Option<Frame> {
        let connection = self.access.log_in(address, host, deadline).await;
        connection.ok()?.call(command, deadline).await.ok()
    }

    /// Which nodes there are, and whether CLUSTER NODES has told so.
    async fn members(
        &self,
        asking: &mut Connection,
        patience: Duration,
    ) -> Result<(Members, bool), Unusable> {
        let (address, deadline) = (asking.address(), Deadline::after(patience));
        let mut ask = async |below: &str| {
            let reply = asking.call(&["CLUSTER", below], deadline).await;
            reply.map_err(Unusable::Talk)
        };
        let first = ask("NODES").await?;
        let reply = excerpt(&first);
        if let Some(error) = first.as_error().map(String::from_utf8_lossy) {
            if error.starts_with("NOAUTH") {
                return Err(Unusable::LoginMissing { address, reply });
            }
            if error.contains("cluster support disabled") {
                return Err(Unusable::NoCluster { address, reply });
            }
        } else if let Some(members) = from_nodes(&first) {
            return Ok((members, true));
        }
        if let Some(members) = from_shards(&ask("SHARDS").await?) {
            return Ok((members, false));
        }
        if let Some(members) = from_slots(&ask("SLOTS").await?) {
            return Ok((members, false));
        }
        Err(match first.as_error() {
            Some(error) if error.starts_with(b"NOPERM") => Unusable::Forbidden { address, reply },
            _ => Unusable::Odd { address, reply },
        })
    }

    /// Where each node is from here.
    async fn nodes(
        &self,
        members: &Members,
        asked: SocketAddr,
    ) -> Result<Vec<(Shard, Vec<Node>)>, Unusable> {
        let (mut groups, mut known) = (Vec::new(), HashMap::new());
        for Group {
            master,
            slots,
            replicas,
        } in &members.groups
        {
            let mut nodes = Vec::new();
            for member in std::iter::once(master).chain(replicas) {
                nodes.push(self.node(member, asked, &mut known).await?);
            }
            let shard = Shard {
                slots: slots.clone(),
                replicas: u16::try_from(replicas.len()).unwrap_or(u16::MAX),
            };
            groups.push((shard, nodes));
        }
        Ok(groups)
    }

    /// `known` are the hosts that have been looked up.
    async fn node(
        &self,
        member: &DiscoveredNode,
        asked: SocketAddr,
        known: &mut HashMap<String, IpAddr>,
    ) -> Result<Node, Unusable> {
        // A node that nobody has met knows no address of its own.
        let ip = match member.ip.as_str() {
            "" => asked.ip().to_string(),
            ip => ip.to_owned(),
        };
        let (host, port) = self.address_map.here(&ip, member.port);
        let found = match (host.parse(), known.get(&host)) {
            (Ok(ip), _) => ip,
            (Err(_), Some(found)) => *found,
            (Err(_), None) => {
                let found = look_up(host.clone()).await.unwrap_or_default();
                let found = found.first().copied();
                let found = found.ok_or_else(|| Unusable::NoHost { host: host.clone() })?;
                known.insert(host, found);
                found
            }
        };
        Ok(Node {
            address: SocketAddr::new(found, port),
            endpoint: Endpoint {
                host: member.host.clone().unwrap_or_else(|| ip.clone()),
                ip,
                port: member.port,
            },
            bus_port: member.bus,
            id: Some(member.id.clone()).filter(|id| !id.is_empty()),
        })
    }

    /// A connection to the first that answers, and the host that it is said to be.
    async fn open(&self, deadline: Deadline) -> Result<(Connection, String), Unusable> {
        if self.over_tls && self.access.tls.is_none() {
            return Err(Unusable::NoTls);
        }
        let mut last = Unusable::Talk(ClientError::Timeout {
            address: NOWHERE,
            unread: 0,
        });
        for Address { host, port } in &self.addresses {
            let found = tokio::time::timeout_at(deadline.instant(), look_up(host.clone())).await;
            let Ok(Some(addresses)) = found else {
                last = Unusable::NoHost { host: host.clone() };
                continue;
            };
            // A name may have several addresses, `::1` and `127.0.0.1`.
            for ip in addresses {
                let address = SocketAddr::new(ip, *port);
                match self.access.log_in_first(address, host, deadline).await {
                    Ok(connection) => return Ok((connection, host.clone())),
                    Err(ClientError::Auth { address, reply }) => {
                        return Err(Unusable::LoginRefused { address, reply });
                    }
                    Err(source @ ClientError::Connect { address, .. }) => {
                        last = Unusable::Nobody { address, source };
                    }
                    Err(error) => last = Unusable::Talk(error),
                }
            }
        }
        Err(last)
    }
}

/// Asks where clients are sent, which CLUSTER NODES need not tell.
async fn learn_hosts(members: &mut Members, mut asking: Connection, deadline: Deadline) {
    let Ok(slots) = asking.call(&["CLUSTER", "SLOTS"], deadline).await else {
        return;
    };
    members.learn_hosts(&slots);
    // Masters without slots are not in it.
    if members.lacks_hosts()
        && let Ok(shards) = asking.call(&["CLUSTER", "SHARDS"], deadline).await
    {
        members.learn_endpoints(&shards);
    }
}

/// Looks up a host in a thread for which nobody waits: one that hangs delays neither a signal nor the end of the program.
async fn look_up(host: String) -> Option<Vec<IpAddr>> {
    let (tell, told) = tokio::sync::oneshot::channel();
    let work = move || {
        let found = (host.as_str(), 0).to_socket_addrs();
        let _ = tell.send(
            found
                .ok()
                .map(|found| found.map(|found| found.ip()).collect()),
        ); // nobody may be left who asks
    };
    std::thread::Builder::new().spawn(work).ok()?;
    told.await.ok()?
}

/// The beginning of a reply.
fn excerpt(reply: &Frame) -> String {
    escape(reply.raw.get(..200).unwrap_or(&reply.raw).trim_ascii_end())
}

fn node_timeout(reply: &Frame) -> Option<NodeTimeout> {
    let text = reply.as_array()?.get(1)?.as_text()?;
    let millis = std::str::from_utf8(text).ok()?.parse().ok()?;
    Some(NodeTimeout {
        period: Duration::from_millis(millis).min(MOST_NODE_TIMEOUT),
        origin: "from CONFIG GET cluster-node-timeout",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_timeout_beyond_all_reason_is_not_believed() {
        let told = |millis: &'static str| {
            let text = |text: &'static str| {
                Frame::from_value(shardlab::wire::resp::Value::BulkString(text.into()))
            };
            let pair = vec![text("cluster-node-timeout"), text(millis)];
            let pair = Frame::from_value(shardlab::wire::resp::Value::Array(pair));
            node_timeout(&pair).unwrap().period
        };
        assert_eq!(told("2000"), Duration::from_secs(2));
        assert_eq!(told("18446744073709551615"), MOST_NODE_TIMEOUT);
    }
}
