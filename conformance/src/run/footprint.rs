//! What a transcript touches: the keys of its commands, and whether it stays with them. Pure.
//! Somebody else's cluster is to be as it was before.

use std::collections::{BTreeSet, HashMap};

use crate::pattern::Known;
use crate::system::requests;
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
}

/// Commands without a key. Others are taken to have one, first of all.
const KEYLESS: &str = "ACL ASKING AUTH BGREWRITEAOF BGSAVE CLIENT CLUSTER COMMAND CONFIG DBSIZE DISCARD ECHO EXEC \
FAILOVER FLUSHALL FLUSHDB FUNCTION HELLO INFO KEYS LASTSAVE LATENCY LOLWUT MODULE MONITOR MULTI PING PSUBSCRIBE PUBLISH \
PUBSUB PUNSUBSCRIBE QUIT RANDOMKEY READONLY READWRITE REPLICAOF RESET ROLE SAVE SCAN SCRIPT SELECT SHUTDOWN SLAVEOF \
SLOWLOG SPUBLISH SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE SWAPDB SYNC PSYNC TIME UNSUBSCRIBE UNWATCH WAIT WAITAOF";

/// Commands all of whose arguments are keys.
const ALL: &str = "DEL EXISTS MGET PFCOUNT PFMERGE SDIFF SDIFFSTORE SINTER SINTERSTORE SUNION SUNIONSTORE TOUCH UNLINK WATCH";

/// Commands all of whose arguments are keys but the last, a time-out.
const ALL_BUT_LAST: &str = "BLPOP BRPOP BZPOPMAX BZPOPMIN";

/// Commands whose first two arguments are keys.
const TWO: &str =
    "BLMOVE BRPOPLPUSH COPY GEOSEARCHSTORE LMOVE RENAME RENAMENX RPOPLPUSH SMOVE ZRANGESTORE";

/// Commands whose key follows a subcommand.
const SECOND: &str = "MEMORY OBJECT XGROUP XINFO";

/// Commands with the number of their keys in the first argument.
const COUNTED_FIRST: &str = "LMPOP SINTERCARD ZDIFF ZINTER ZINTERCARD ZMPOP ZUNION";

/// Commands with the number of their keys in the second argument.
const COUNTED: &str = "BLMPOP BZMPOP EVAL EVALSHA EVALSHA_RO EVAL_RO FCALL FCALL_RO";

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

    fn add(&mut self, command: &[Vec<u8>]) {
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
        if !has(KEYLESS, &name) {
            self.keys.extend(keys(&name, arguments));
        }
    }
}

/// The keys among a command's arguments.
fn keys(name: &str, arguments: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let range =
        |from: usize, count: usize| arguments.iter().skip(from).take(count).cloned().collect();
    match name {
        _ if has(ALL, name) => arguments.to_vec(),
        _ if has(ALL_BUT_LAST, name) => range(0, arguments.len().saturating_sub(1)),
        _ if has(TWO, name) => range(0, 2),
        _ if has(SECOND, name) => range(1, 1),
        "BITOP" => range(1, usize::MAX),
        "MSET" | "MSETNX" => arguments.iter().step_by(2).cloned().collect(),
        _ if has(COUNTED_FIRST, name) => range(1, number(arguments.first())),
        _ if has(COUNTED, name) => range(2, number(arguments.get(1))),
        "XREAD" | "XREADGROUP" => {
            let after = arguments
                .iter()
                .position(|word| word.eq_ignore_ascii_case(b"STREAMS"))
                .map_or(arguments.len(), |at| at + 1);
            range(after, arguments.len().saturating_sub(after) / 2)
        }
        _ => {
            let mut found: Vec<_> = range(0, 1);
            // SORT … STORE key, GEORADIUS … STOREDIST key
            let store = arguments.iter().position(|word| {
                word.eq_ignore_ascii_case(b"STORE") || word.eq_ignore_ascii_case(b"STOREDIST")
            });
            found.extend(store.and_then(|at| arguments.get(at + 1)).cloned());
            found
        }
    }
}

/// A number of keys; none if it is none.
fn number(word: Option<&Vec<u8>>) -> usize {
    word.and_then(|word| std::str::from_utf8(word).ok()?.parse().ok())
        .unwrap_or(0)
}

fn upper(word: &[u8]) -> String {
    String::from_utf8_lossy(word).to_ascii_uppercase()
}

fn has(words: &str, word: &str) -> bool {
    words.split_ascii_whitespace().any(|known| known == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(command: &str) -> (Vec<String>, Option<String>) {
        let mut footprint = Footprint::default();
        let words: Vec<_> = command
            .split(' ')
            .map(|word| word.as_bytes().to_vec())
            .collect();
        footprint.add(&words);
        let keys = footprint
            .keys
            .iter()
            .map(|key| String::from_utf8_lossy(key).into_owned());
        (keys.collect(), footprint.reaches)
    }

    #[test]
    fn keys_are_found_where_each_command_has_them() {
        for (command, keys) in [
            ("SET a 1", "a"),
            ("get a", "a"),
            ("DEL a b", "a b"),
            ("MSET a 1 b 2", "a b"),
            ("RENAME a b", "a b"),
            ("EVAL x 2 a b c", "a b"),
            ("BITOP AND d a", "a d"),
            ("OBJECT ENCODING a", "a"),
            ("XREAD COUNT 1 STREAMS a b 0 0", "a b"),
            ("SORT a STORE b", "a b"),
            ("GEORADIUS a 1 1 1 m STOREDIST b", "a b"),
            ("BLPOP a b 0", "a b"),
            ("LMPOP 2 a b LEFT", "a b"),
            ("BLMPOP 0 1 a LEFT", "a"),
            ("CLUSTER KEYSLOT a", ""),
            ("PING", ""),
        ] {
            assert_eq!(of(command).0.join(" "), keys, "{command}");
        }
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
        assert_eq!(of("flushall").1.as_deref(), Some("FLUSHALL"));
        assert_eq!(
            of("CLUSTER setslot 1 STABLE").1.as_deref(),
            Some("CLUSTER SETSLOT")
        );
        assert_eq!(of("CLUSTER NODES").1, None);
        assert_eq!(of("SET flushall 1").1, None);
    }
}
