//! Names of nodes, and what a placeholder asks of one.

use std::fmt;

/// What a node was born as. Roles change in a failover, names do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NodeRole {
    /// `n1`: a master, in slot order; also a bare node or one without cluster.
    Master,
    /// `r1`: a replica of `n1`.
    Replica,
    /// `s1`: a sentinel.
    Sentinel,
}

/// `n1`, `r1`, `r1b` (the second replica of `n1`), `s1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeName {
    /// The letter in front.
    pub role: NodeRole,
    /// The number, from 1: the node's own, or its first master's for a replica.
    pub number: u16,
    /// Which replica of that master, from 0 (`r1`, then `r1b`, `r1c` … `r1z`). 0 for others.
    pub copy: u8,
}

impl NodeName {
    /// The most replicas that one master's names can tell apart: `r1`, `r1b` … `r1z`.
    pub const MAX_REPLICAS: u16 = 26;

    /// The name that `text` spells, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let role = match text.chars().next()? {
            'n' => NodeRole::Master,
            'r' => NodeRole::Replica,
            's' => NodeRole::Sentinel,
            _ => return None,
        };
        let rest = text.get(1..)?;
        let (number, copy) = match (role, rest.bytes().last()?) {
            (NodeRole::Replica, letter @ b'b'..=b'z') => {
                (rest.get(..rest.len() - 1)?, letter - b'a')
            }
            _ => (rest, 0),
        };
        let plain = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
        Some(Self {
            role,
            number: number.parse().ok().filter(|_| plain)?,
            copy,
        })
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self.role {
            NodeRole::Master => 'n',
            NodeRole::Replica => 'r',
            NodeRole::Sentinel => 's',
        };
        write!(f, "{letter}{}", self.number)?;
        match self.copy {
            0 => Ok(()),
            copy => write!(f, "{}", char::from(b'a' + copy.min(25))),
        }
    }
}

/// What stands after the name in `<n1.id>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeField {
    /// `<n1>`: `host:port`, as in MOVED.
    Address,
    /// `<n1.id>`: the 40 hexadecimal digits of CLUSTER MYID.
    Id,
    /// `<n1.host>`
    Host,
    /// `<n1.port>`: the client port.
    Port,
    /// `<n1.bus>`: the cluster bus port.
    Bus,
    /// `<n1.node>`: the address field of CLUSTER NODES, `host:port@bus[,hostname]`; a server
    /// may leave out what follows the port.
    Node,
}

impl NodeField {
    /// Every field that is written with a name.
    pub const NAMED: [Self; 5] = [Self::Id, Self::Host, Self::Port, Self::Bus, Self::Node];

    /// The word after the dot, none for the address.
    pub const fn word(self) -> Option<&'static str> {
        match self {
            Self::Address => None,
            Self::Id => Some("id"),
            Self::Host => Some("host"),
            Self::Port => Some("port"),
            Self::Bus => Some("bus"),
            Self::Node => Some("node"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in ["n1", "n12", "r1", "r1b", "r3z", "s2"] {
            assert_eq!(NodeName::parse(name).unwrap().to_string(), name);
        }
    }

    #[test]
    fn what_is_no_name_is_none() {
        for text in [
            "", "n", "n0", "n01", "x1", "n1b", "r1a", "r1bb", "r", "rb", "n+1", "n99999", "né",
        ] {
            assert_eq!(NodeName::parse(text), None, "{text}");
        }
    }
}
