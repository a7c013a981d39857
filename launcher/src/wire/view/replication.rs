//! INFO replication, taken apart. Pure.
//!
//! Format: `genValkeyInfoString`, `genRedisInfoString` (server.c; Redis 5 to 8, Valkey 8 and 9).

use super::Link;
use crate::wire::resp::Frame;

/// A host, as servers write it (a name, or an address without brackets), and a port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPort {
    /// Name or address.
    pub host: String,
    /// Client port.
    pub port: u16,
}

impl std::fmt::Display for HostPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// What a server says of itself in INFO replication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replication {
    /// Whom it replicates; `None` of a master.
    pub master: Option<HostPort>,
    /// The link of a replica to its master.
    pub link: Option<Link>,
    /// Who replicates it.
    pub replicas: Vec<ReplicaLine>,
    /// How much has been written, in bytes of the replication stream: `master_repl_offset` of a master,
    /// `slave_repl_offset` of a replica.
    pub offset: u64,
    /// Whether it is about to change places with a replica: `master_failover_state` (Redis 6.2) is not
    /// `no-failover`.
    pub failing_over: bool,
}

/// A replica, as its master sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaLine {
    /// Where it says that it listens.
    pub address: HostPort,
    /// `wait_bgsave`, `send_bulk`, `online`, and in newer servers others.
    pub state: String,
}

impl ReplicaLine {
    /// Whether it has been sent everything.
    pub fn is_online(&self) -> bool {
        self.state == "online"
    }
}

/// Takes INFO replication apart; `None` if it is something else.
pub fn replication(reply: &Frame) -> Option<Replication> {
    let text = std::str::from_utf8(reply.as_text()?).ok()?;
    let field = |name: &str| super::info_field(reply, name);
    let master = match field("role")? {
        "master" => None,
        _ => Some(HostPort {
            host: field("master_host")?.to_owned(),
            port: field("master_port")?.parse().ok()?,
        }),
    };
    let replicas = text.lines().filter_map(|line| {
        let (key, value) = line.split_once(':')?;
        let number = key.strip_prefix("slave")?;
        number.parse::<u32>().ok()?;
        replica_line(value)
    });
    // A replica that does not tell its link is not one whose link is up.
    let link = match &master {
        Some(_) => Some(Link::in_info(reply)?),
        None => None,
    };
    // Whoever does not tell how much it has counts as having nothing.
    let offset = field(match master {
        None => "master_repl_offset",
        Some(_) => "slave_repl_offset",
    });
    Some(Replication {
        link,
        offset: offset.and_then(|offset| offset.parse().ok()).unwrap_or(0),
        failing_over: field("master_failover_state").is_some_and(|state| state != "no-failover"),
        replicas: replicas.collect(),
        master,
    })
}

/// Takes `ip=127.0.0.1,port=7002,state=online,offset=322,lag=1` apart.
fn replica_line(text: &str) -> Option<ReplicaLine> {
    let field = |name: &str| {
        text.trim()
            .split(',')
            .find_map(|item| item.split_once('=').filter(|(key, _)| *key == name))
            .map(|(_, value)| value)
    };
    Some(ReplicaLine {
        address: HostPort {
            host: field("ip")?.to_owned(),
            port: field("port")?.parse().ok()?,
        },
        state: field("state")?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::resp::Value;

    fn bulk(text: &'static [u8]) -> Frame {
        Frame::from_value(Value::BulkString(text.into()))
    }

    #[test]
    fn a_master_lists_its_replicas() {
        let reply = bulk(
            b"# Replication\r\nrole:master\r\nconnected_slaves:2\r\n\
              slave0:ip=127.0.0.1,port=7002,state=online,offset=322,lag=1,type=replica\r\n\
              slave1:ip=::1,port=7003,state=wait_bgsave,offset=0,lag=0\r\n\
              slave_note:ip=x,port=1,state=y\r\nmaster_repl_offset:336\r\n",
        );
        let says = replication(&reply).unwrap();
        let replicas: Vec<_> = says
            .replicas
            .iter()
            .map(|line| format!("{} {}", line.address, line.state))
            .collect();
        assert_eq!(replicas, ["127.0.0.1:7002 online", "::1:7003 wait_bgsave"]);
        assert_eq!((says.master, says.link), (None, None));
    }

    #[test]
    fn a_replica_names_its_master_and_its_link() {
        let reply = bulk(
            b"# Replication\r\nrole:slave\r\nmaster_host:127.0.0.1\r\nmaster_port:7001\r\n\
              master_link_status:down\r\nconnected_slaves:0\r\n",
        );
        let says = replication(&reply).unwrap();
        assert_eq!(says.master.unwrap().to_string(), "127.0.0.1:7001");
        assert_eq!(says.link, Some(Link::Down));
    }

    #[test]
    fn a_replica_that_does_not_tell_its_link_is_not_understood() {
        let text = b"role:slave\r\nmaster_host:127.0.0.1\r\nmaster_port:7001\r\n";
        assert_eq!(replication(&bulk(text)), None);
    }

    #[test]
    fn another_text_is_none() {
        assert_eq!(replication(&bulk(b"cluster_state:ok\r\n")), None);
    }
}
