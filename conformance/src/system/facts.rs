//! What placeholders such as `<n1.id>` stand for.

use std::net::SocketAddr;

use crate::transcript::ast::{NodeField, NodeName};

/// What is known of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFacts {
    /// Its name in transcripts.
    pub name: NodeName,
    /// Where it listens for clients.
    pub address: SocketAddr,
    /// The cluster bus port.
    pub bus_port: u16,
    /// CLUSTER MYID; none without cluster mode.
    pub id: Option<String>,
}

impl NodeFacts {
    /// The text that a placeholder stands for; `None` for the id of a node that has none.
    pub fn field(&self, field: NodeField) -> Option<String> {
        let (host, port, bus) = (self.address.ip(), self.address.port(), self.bus_port);
        Some(match field {
            NodeField::Address => format!("{host}:{port}"),
            NodeField::Id => self.id.clone()?,
            NodeField::Host => host.to_string(),
            NodeField::Port => port.to_string(),
            NodeField::Bus => bus.to_string(),
            NodeField::Node => format!("{host}:{port}@{bus}"),
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
            bus_port: 17001,
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
