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
    /// Which replica of that master, from 0 (`r1`, then `r1b`, `r1c` … `r1z`, `r1ba` …). 0 for others.
    pub copy: u16,
}

/// What a name stands for that ends in a star.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Each {
    /// `n*`: each master.
    Master,
    /// `r*`: each replica.
    Replica,
    /// `r1*`: each replica of `n1`.
    ReplicaOf(u16),
}

impl NodeName {
    /// The most replicas of a master that a topology may ask for: `r1`, `r1b` … `r1z`.
    pub const MAX_REPLICAS: u16 = 26;

    /// The copy that `r1*` has: every one.
    const EVERY_COPY: u16 = u16::MAX;

    /// What the name stands for if it ends in a star.
    pub const fn each(self) -> Option<Each> {
        match (self.role, self.number, self.copy) {
            (NodeRole::Master, 0, _) => Some(Each::Master),
            (NodeRole::Replica, 0, _) => Some(Each::Replica),
            (NodeRole::Replica, number, Self::EVERY_COPY) => Some(Each::ReplicaOf(number)),
            _ => None,
        }
    }

    /// `n1`
    pub const fn master(number: u16) -> Self {
        Self {
            role: NodeRole::Master,
            number,
            copy: 0,
        }
    }

    /// `n*`, `r*`, `r1*`
    fn parse_each(role: NodeRole, number: &str) -> Option<Self> {
        let every = |number, copy| Some(Self { role, number, copy });
        match (role, number) {
            (NodeRole::Master | NodeRole::Replica, "") => every(0, 0),
            (NodeRole::Replica, number) => every(plain(number)?, Self::EVERY_COPY),
            _ => None,
        }
    }

    /// The name that `text` spells, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let role = match text.chars().next()? {
            'n' => NodeRole::Master,
            'r' => NodeRole::Replica,
            's' => NodeRole::Sentinel,
            _ => return None,
        };
        let rest = text.get(1..)?;
        if let Some(number) = rest.strip_suffix('*') {
            return Self::parse_each(role, number);
        }
        let number = rest.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
        let letters = rest.get(number.len()..)?;
        let copy = match role {
            NodeRole::Replica => copy_of(letters)?,
            _ => letters.is_empty().then_some(0)?,
        };
        Some(Self {
            role,
            number: plain(number)?,
            copy,
        })
    }
}

/// A number whose digits are the letters from a, which stand for 0 to 25; it does not begin with a.
fn copy_of(letters: &str) -> Option<u16> {
    let more = |copy: u16, letter: u8| copy.checked_mul(26)?.checked_add((letter - b'a').into());
    let copy = letters.bytes().try_fold(0, more)?;
    (!letters.starts_with('a') && copy < NodeName::EVERY_COPY).then_some(copy)
}

/// A number from 1, without a sign and without zeros in front.
fn plain(number: &str) -> Option<u16> {
    let plain = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
    number.parse().ok().filter(|_| plain)
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self.role {
            NodeRole::Master => 'n',
            NodeRole::Replica => 'r',
            NodeRole::Sentinel => 's',
        };
        match self.each() {
            Some(Each::Master | Each::Replica) => return write!(f, "{letter}*"),
            Some(Each::ReplicaOf(number)) => return write!(f, "{letter}{number}*"),
            None => write!(f, "{letter}{}", self.number)?,
        }
        let mut letters = Vec::new();
        let mut rest = self.copy;
        while rest > 0 {
            letters.push(u8::try_from(rest % 26).map_or('a', |digit| char::from(b'a' + digit)));
            rest /= 26;
        }
        letters
            .iter()
            .rev()
            .try_for_each(|letter| write!(f, "{letter}"))
    }
}

/// What stands after the name in `<n1.id>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeField {
    /// `<n1>`: `host:port`, as in MOVED.
    Address,
    /// `<n1.id>`: the 40 hexadecimal digits of CLUSTER MYID.
    Id,
    /// `<n1.host>`: where clients are sent, a host name or an IP address.
    Host,
    /// `<n1.ip>`: the IP address, as in CLUSTER NODES.
    Ip,
    /// `<n1.port>`: the client port.
    Port,
    /// `<n1.bus>`: the cluster bus port.
    Bus,
    /// `<n1.node>`: the address field of CLUSTER NODES, `ip:port@bus[,hostname]`; a server
    /// may leave out what follows the port.
    Node,
    /// `<n1.slots>`: all slots that it owns, as in CLUSTER NODES; as a whole reply, as in CLUSTER SHARDS.
    Slots,
    /// `<n1.first>`: the first slot of a range that it owns.
    First,
    /// `<n1.last>`: the last slot of that range.
    Last,
    /// `<n1.replicas>`: how many replicas it has.
    Replicas,
}

impl NodeField {
    /// Every field that is written with a name.
    pub const NAMED: [Self; 10] = [
        Self::Id,
        Self::Host,
        Self::Ip,
        Self::Port,
        Self::Bus,
        Self::Node,
        Self::Slots,
        Self::First,
        Self::Last,
        Self::Replicas,
    ];

    /// The word after the dot, none for the address.
    pub const fn word(self) -> Option<&'static str> {
        match self {
            Self::Address => None,
            Self::Id => Some("id"),
            Self::Host => Some("host"),
            Self::Port => Some("port"),
            Self::Bus => Some("bus"),
            Self::Node => Some("node"),
            Self::Ip => Some("ip"),
            Self::Slots => Some("slots"),
            Self::First => Some("first"),
            Self::Last => Some("last"),
            Self::Replicas => Some("replicas"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in [
            "n1", "n12", "r1", "r1b", "r3z", "r3ba", "r1bmz", "s2", "n*", "r*", "r1*",
        ] {
            assert_eq!(NodeName::parse(name).unwrap().to_string(), name);
        }
    }

    #[test]
    fn what_is_no_name_is_none() {
        for text in [
            "", "n", "n0", "n01", "x1", "n1b", "r1a", "r1ab", "r1zzzz", "r", "rb", "n+1", "n99999",
            "né", "n1*", "s*", "r0*", "*",
        ] {
            assert_eq!(NodeName::parse(text), None, "{text}");
        }
    }
}
