//! What placeholders such as `<n1.id>` stand for.

use std::net::SocketAddr;

use crate::transcript::ast::{NodeField, NodeName};

/// What is known of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFacts {
    /// Its name in transcripts.
    pub name: NodeName,
    /// Where it is reached from here.
    pub address: SocketAddr,
    /// Where it sends clients.
    pub endpoint: Endpoint,
    /// The cluster bus port, where it is known.
    pub bus_port: Option<u16>,
    /// CLUSTER MYID; none without cluster mode.
    pub id: Option<String>,
}

/// A node's address as servers tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// In MOVED and CLUSTER SLOTS: a host name or an IP address.
    pub host: String,
    /// In CLUSTER NODES: the IP address.
    pub ip: String,
    /// For clients.
    pub port: u16,
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self {
            host: address.ip().to_string(),
            ip: address.ip().to_string(),
            port: address.port(),
        }
    }
}

impl NodeFacts {
    /// The text that a placeholder stands for; `None` for the id of a node that has none.
    pub fn field(&self, field: NodeField) -> Option<String> {
        let Endpoint { host, ip, port } = &self.endpoint;
        Some(match field {
            NodeField::Address => format!("{host}:{port}"),
            NodeField::Id => self.id.clone()?,
            NodeField::Host => host.clone(),
            NodeField::Ip => ip.clone(),
            NodeField::Port => port.to_string(),
            NodeField::Bus => self.bus_port?.to_string(),
            NodeField::Node => format!("{ip}:{port}@{}", self.bus_port?),
            // Known of the cluster before a case runs.
            NodeField::Slots | NodeField::First | NodeField::Last | NodeField::Replicas => {
                return None;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_servers_write_it() {
        let facts = |address: &str| NodeFacts {
            name: NodeName::parse("n1").unwrap(),
            address: address.parse().unwrap(),
            endpoint: address.parse::<SocketAddr>().unwrap().into(),
            bus_port: Some(17001),
            id: None,
        };
        let v4 = facts("127.0.0.1:7001");
        assert_eq!(v4.field(NodeField::Address).unwrap(), "127.0.0.1:7001");
        assert_eq!(v4.field(NodeField::Node).unwrap(), "127.0.0.1:7001@17001");
        assert_eq!(v4.field(NodeField::Id), None);
        // Servers put no brackets around IPv6 addresses (`clusterRedirectClient`).
        assert_eq!(
            facts("[::1]:7001").field(NodeField::Address).unwrap(),
            "::1:7001"
        );
    }
}
