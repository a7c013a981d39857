//! How a node fares, in figures: keys, offsets, memory. Pure.
//!
//! The fields are those of INFO (`genRedisInfoString`, `server.c`, Redis 5.0 to 8 and Valkey).

use super::{Link, info_field, keyspace};
use crate::wire::resp::Frame;

/// What INFO says of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vitals {
    /// Keys in all databases.
    pub keys: u64,
    /// How far it is in the stream of writes, in bytes: a master's own, a replica's as far as it
    /// has applied it.
    pub offset: u64,
    /// Bytes that it has allocated.
    pub memory: u64,
    /// Of a replica, whether the link to its master is up.
    pub link: Option<Link>,
}

impl Vitals {
    /// Takes INFO apart; `None` if it is not what a server of the Redis line says.
    pub fn of(info: &Frame) -> Option<Self> {
        let number = |field| info_field(info, field)?.parse::<u64>().ok();
        let own = number("master_repl_offset")?;
        Some(Self {
            keys: keyspace(info).into_values().fold(0, u64::saturating_add),
            // A replica's is -1 as long as it has never been in touch.
            offset: match info_field(info, "slave_repl_offset") {
                Some(applied) => applied.parse().unwrap_or(0),
                None => own,
            },
            memory: number("used_memory")?,
            link: Link::in_info(info),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::resp::Value;

    fn vitals(text: &str) -> Option<Vitals> {
        let text = text.replace('\n', "\r\n");
        Vitals::of(&Frame::from_value(Value::BulkString(
            text.into_bytes().into(),
        )))
    }

    #[test]
    fn a_replicas_offset_is_what_it_has_applied() {
        let info = "# Memory\nused_memory:100\nrole:slave\nmaster_link_status:down\nslave_repl_offset:-1\nmaster_repl_offset:70\n# Keyspace\ndb0:keys=3,expires=0,avg_ttl=0\ndb1:keys=4,expires=1,avg_ttl=9\n";
        let expected = Vitals {
            keys: 7,
            offset: 0,
            memory: 100,
            link: Some(Link::Down),
        };
        assert_eq!(vitals(info), Some(expected));
        let master = info.replace("master_link_status:down\nslave_repl_offset:-1\n", "");
        assert_eq!(vitals(&master).unwrap().offset, 70);
        assert_eq!(vitals("OK"), None);
    }
}
