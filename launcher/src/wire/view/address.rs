//! Where a node is, as CLUSTER NODES writes it. Pure.

use std::fmt;

use serde::Serialize;

/// `ip:port@cport[,hostname]`, kept as it stands. Redis before 4.0 and nodes that have not been met lack
/// parts of it; an IPv6 address holds colons of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Address(String);

impl Address {
    /// The address that stands in a line.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Where it listens for clients: `ip:port`.
    pub fn client(&self) -> &str {
        self.0.split('@').next().unwrap_or_default()
    }

    /// The host of the client address; empty if the node does not know its own.
    pub fn host(&self) -> &str {
        let client = self.client();
        client.rsplit_once(':').map_or("", |(host, _)| host)
    }

    /// The client port.
    pub fn port(&self) -> Option<u16> {
        self.client().rsplit_once(':')?.1.parse().ok()
    }

    /// The port of the cluster bus.
    pub fn bus_port(&self) -> Option<u16> {
        let (_, bus) = self.0.split(',').next()?.split_once('@')?;
        bus.parse().ok()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_a_server_leaves_out_are_not_made_up() {
        let told = |text| {
            let address = Address::new(text);
            let host = address.host().to_owned();
            (host, address.port(), address.bus_port())
        };
        let host = |host: &str| host.to_owned();
        for (text, parts) in [
            (
                "127.0.0.1:7001@17001",
                (host("127.0.0.1"), Some(7001), Some(17001)),
            ),
            (
                "::1:7001@17001,host",
                (host("::1"), Some(7001), Some(17001)),
            ),
            (
                ":7001@17001,,shard-id=a",
                (host(""), Some(7001), Some(17001)),
            ),
            ("127.0.0.1:7001", (host("127.0.0.1"), Some(7001), None)),
            ("", (host(""), None, None)),
        ] {
            assert_eq!(told(text), parts, "{text}");
        }
    }
}
