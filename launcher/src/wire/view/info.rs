//! Fields of INFO and CLUSTER INFO: one by one, and the keys of each database. Pure.
//!
//! The fields are those of INFO (`genRedisInfoString`, `server.c`, Redis 5.0 to 8 and Valkey).

use std::collections::BTreeMap;

use crate::wire::resp::Frame;

/// One field of a `field:value` text, such as CLUSTER INFO or INFO.
pub fn info_field<'a>(reply: &'a Frame, field: &str) -> Option<&'a str> {
    let text = std::str::from_utf8(reply.as_text()?).ok()?;
    text.lines()
        .find_map(|line| line.split_once(':').filter(|(key, _)| *key == field))
        .map(|(_, value)| value.trim())
}

/// How many keys each database holds that is not empty, as INFO keyspace tells: `db0:keys=2,…`.
pub fn keyspace(reply: &Frame) -> BTreeMap<u32, u64> {
    let text = String::from_utf8_lossy(reply.as_text().unwrap_or_default());
    let database = |line: &str| {
        let (name, fields) = line.split_once(':')?;
        let keys = fields
            .split(',')
            .find_map(|field| field.strip_prefix("keys="))?;
        let number = name.strip_prefix("db")?.parse().ok()?;
        Some((number, keys.parse().ok()?))
    };
    text.lines().filter_map(database).collect()
}
