//! What a transcript touches: the keys of its commands, and whether it stays with them. Pure.
//! Somebody else's cluster is to be as it was before.

use std::collections::{BTreeSet, HashMap};

use crate::commands::{has, keys, requests, upper};
use crate::pattern::Known;
use crate::transcript::ast::{Block, Connection, StepKind, Transcript};

/// What a transcript's commands touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Footprint {
    /// The keys that they name.
    pub(super) keys: BTreeSet<Vec<u8>>,
    /// The slots whose keys they count or list.
    pub(super) slots: BTreeSet<u16>,
    /// The databases that they name besides 0, each of which may hold any of the keys.
    databases: BTreeSet<u32>,
    /// The first command that changes more than keys: slots, settings, all data.
    pub(super) reaches: Option<String>,
    /// The first command that may write a key.
    pub(super) writes: Option<String>,
    /// The first command after which a connection is not logged in, or as somebody else.
    pub(super) logs_out: Option<String>,
}

/// Commands with keys that only read. Others are taken to write.
const READING: &str = "BITCOUNT BITPOS DUMP EXISTS EXPIRETIME GEODIST GEOHASH GEOPOS GEOSEARCH GET GETBIT GETRANGE HEXISTS HGET \
HGETALL HKEYS HLEN HMGET HRANDFIELD HSCAN HSTRLEN HVALS LCS LINDEX LLEN LPOS LRANGE MEMORY MGET OBJECT PEXPIRETIME PFCOUNT PTTL \
SCARD SDIFF SINTER SINTERCARD SISMEMBER SMEMBERS SMISMEMBER SRANDMEMBER SSCAN STRLEN SUBSTR SUNION TOUCH TTL TYPE WATCH XINFO \
XLEN XPENDING XRANGE XREAD XREVRANGE ZCARD ZCOUNT ZDIFF ZINTER ZINTERCARD ZLEXCOUNT ZMSCORE ZRANDMEMBER ZRANGE ZRANGEBYLEX \
ZRANGEBYSCORE ZRANK ZREVRANGE ZREVRANGEBYLEX ZREVRANGEBYSCORE ZREVRANK ZSCAN ZSCORE ZUNION";

/// Commands that change more than keys.
const REACHING: &str = "BGREWRITEAOF BGSAVE DEBUG FAILOVER FLUSHALL FLUSHDB MIGRATE MODULE PFSELFTEST REPLICAOF SAVE \
SHUTDOWN SLAVEOF SWAPDB";

/// Subcommands that do.
const REACHING_BELOW: [(&str, &str); 6] = [
    ("ACL", "DELUSER LOAD SAVE SETUSER"),
    ("CLIENT", "KILL PAUSE UNPAUSE"),
    (
        "CLUSTER",
        "ADDSLOTS ADDSLOTSRANGE BUMPEPOCH CANCELSLOTMIGRATIONS DELSLOTS DELSLOTSRANGE FAILOVER FLUSHSLOT FLUSHSLOTS \
         FORGET MEET MIGRATESLOTS MIGRATION REPLICATE RESET SAVECONFIG SET-CONFIG-EPOCH SETSLOT",
    ),
    ("CONFIG", "RESETSTAT REWRITE SET"),
    ("FUNCTION", "DELETE FLUSH KILL LOAD RESTORE"),
    ("SCRIPT", "FLUSH KILL"),
];

/// What a transcript's commands touch, wherever they stand. Captured values are not known yet;
/// commands that use them are left out.
pub(super) fn footprint(transcript: &Transcript, known: Known<'_>) -> Footprint {
    let mut footprint = Footprint::default();
    let (mut commands, mut raw) = (Vec::new(), HashMap::new());
    collect(&transcript.body, known, &mut commands, &mut raw);
    // A command may have come in pieces.
    commands.extend(raw.values().flat_map(|bytes| requests(bytes)));
    for command in commands {
        footprint.add(&command);
    }
    footprint
}

fn collect<'t>(
    block: &'t Block,
    known: Known<'_>,
    commands: &mut Vec<Vec<Vec<u8>>>,
    raw: &mut HashMap<&'t Connection, Vec<u8>>,
) {
    for step in &block.steps {
        match &step.kind.value {
            StepKind::Send(pipeline) => {
                let each = pipeline.exchanges.iter();
                commands
                    .extend(each.filter_map(|exchange| known.arguments(&exchange.command).ok()));
            }
            StepKind::RawSend { connection, bytes } => {
                if let Ok(bytes) = known.raw(bytes) {
                    commands.extend(requests(&bytes));
                    raw.entry(&connection.value).or_default().extend(bytes);
                }
            }
            StepKind::Within(_, block) | StepKind::For(_, block) => {
                collect(block, known, commands, raw);
            }
            StepKind::Choose(variants) => {
                for variant in variants {
                    collect(&variant.body, known, commands, raw);
                }
            }
            _ => {}
        }
    }
}

impl Footprint {
    /// The keys, in order.
    pub(super) fn keys(&self) -> Vec<&[u8]> {
        self.keys.iter().map(Vec::as_slice).collect()
    }

    /// The databases in which the keys may be.
    pub(super) fn databases(&self) -> impl Iterator<Item = u32> {
        std::iter::once(0).chain(
            self.databases
                .iter()
                .copied()
                .filter(|database| *database > 0),
        )
    }

    /// Forgets the keys of another one.
    pub(super) fn forget(&mut self, other: &Self) {
        self.keys.retain(|key| !other.keys.contains(key));
    }

    /// Adds what a command touches.
    pub(super) fn add(&mut self, command: &[Vec<u8>]) {
        let Some((name, arguments)) = command.split_first() else {
            return;
        };
        let name = upper(name);
        let below = arguments
            .first()
            .map(|word| upper(word))
            .unwrap_or_default();
        let reaches_below = REACHING_BELOW
            .iter()
            .any(|(above, subcommands)| *above == name && has(subcommands, &below));
        if has(REACHING, &name) {
            self.reaches.get_or_insert(name.clone());
        } else if reaches_below {
            self.reaches.get_or_insert(format!("{name} {below}"));
        }
        if name == "CLUSTER" && has("COUNTKEYSINSLOT GETKEYSINSLOT", &below) {
            let slot = arguments
                .get(1)
                .and_then(|slot| std::str::from_utf8(slot).ok()?.parse().ok());
            self.slots.extend(slot.filter(|slot: &u16| *slot < 16_384));
        }
        let database = match name.as_str() {
            "SELECT" => arguments.first(),
            "MOVE" => arguments.get(1),
            // COPY source destination DB database
            "COPY" => arguments.get(3),
            _ => None,
        };
        let database: Option<u32> =
            database.and_then(|word| std::str::from_utf8(word).ok()?.parse().ok());
        self.databases.extend(database);
        if has("AUTH RESET", &name) || (name == "HELLO" && arguments.len() > 1) {
            self.logs_out.get_or_insert(name.clone());
        }
        let keys = keys(command);
        if !keys.is_empty() && !has(READING, &name) {
            self.writes.get_or_insert(name);
        }
        self.keys.extend(keys);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reaches(command: &str) -> Option<String> {
        let mut footprint = Footprint::default();
        let words: Vec<_> = command
            .split(' ')
            .map(|word| word.as_bytes().to_vec())
            .collect();
        footprint.add(&words);
        footprint.reaches
    }

    #[test]
    fn keys_are_found_in_frames_that_are_sent_in_pieces() {
        let steps = "n1>> *3\\r\\n$3\\r\\nSET\\r\\n\n\nn1>> $1\\r\\na\\r\\n$1\\r\\n1\\r\\n\n\nn1<< +OK\\r\\n\n";
        let (target, captures) = (
            crate::system::scripted::Scripted::new(),
            crate::pattern::Captures::new(),
        );
        let known = Known {
            facts: &crate::run::session::NodeFactsOf(&target),
            captures: &captures,
        };
        let footprint = footprint(&crate::run::tests::transcript(steps), known);
        assert_eq!(footprint.keys(), [b"a"]);
    }

    #[test]
    fn the_slots_that_are_looked_into_are_noticed() {
        let mut footprint = Footprint::default();
        for slot in ["3300", "16384", "x"] {
            footprint
                .add(&["CLUSTER", "countkeysinslot", slot].map(|word| word.as_bytes().to_vec()));
        }
        assert_eq!(footprint.slots, BTreeSet::from([3300]));
    }

    #[test]
    fn the_databases_that_are_named_are_noticed() {
        let mut footprint = Footprint::default();
        for command in [
            "SELECT 7",
            "MOVE a 3",
            "COPY a b DB 2",
            "SELECT x",
            "SET 9 9",
        ] {
            let words = command.split(' ').map(|word| word.as_bytes().to_vec());
            footprint.add(&words.collect::<Vec<_>>());
        }
        assert_eq!(footprint.databases().collect::<Vec<_>>(), [0, 2, 3, 7]);
    }

    #[test]
    fn what_changes_more_than_keys_is_noticed() {
        assert_eq!(reaches("flushall").as_deref(), Some("FLUSHALL"));
        assert_eq!(
            reaches("CLUSTER setslot 1 STABLE").as_deref(),
            Some("CLUSTER SETSLOT")
        );
        assert_eq!(reaches("CLUSTER NODES"), None);
        assert_eq!(reaches("SET flushall 1"), None);
    }
}
