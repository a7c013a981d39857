//! Where commands have their keys and shard channels. Pure.

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

/// The keys among a command's words.
pub(crate) fn keys(command: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let Some((name, arguments)) = command.split_first() else {
        return Vec::new();
    };
    let name = upper(name);
    let name = name.as_str();
    let range =
        |from: usize, count: usize| arguments.iter().skip(from).take(count).cloned().collect();
    match name {
        _ if has(KEYLESS, name) => Vec::new(),
        _ if has(ALL, name) => arguments.to_vec(),
        _ if has(ALL_BUT_LAST, name) => range(0, arguments.len().saturating_sub(1)),
        _ if has(TWO, name) => range(0, 2),
        _ if has(SECOND, name) => range(1, 1),
        "BITOP" => range(1, usize::MAX),
        "ZDIFFSTORE" | "ZINTERSTORE" | "ZUNIONSTORE" => {
            let mut found: Vec<_> = range(0, 1);
            found.extend(
                arguments
                    .iter()
                    .skip(2)
                    .take(number(arguments.get(1)))
                    .cloned(),
            );
            found
        }
        // MIGRATE host port key|"" database milliseconds [KEYS key …]
        "MIGRATE" => {
            let word = |word: &Vec<u8>| word.eq_ignore_ascii_case(b"KEYS");
            let after = arguments
                .iter()
                .position(word)
                .map_or(arguments.len(), |at| at + 1);
            let mut found: Vec<_> = range(2, 1);
            found.retain(|key| !key.is_empty());
            found.extend(range(after, usize::MAX));
            found
        }
        "MSET" | "MSETNX" => arguments.iter().step_by(2).cloned().collect(),
        // MSETEX number key value … (Redis 8.4)
        "MSETEX" => {
            let pairs = arguments.iter().skip(1).step_by(2);
            pairs.take(number(arguments.first())).cloned().collect()
        }
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
            // SORT … STORE key, GEORADIUS … STORE key STOREDIST key
            let stores = arguments.windows(2).filter_map(|pair| match pair {
                [word, key]
                    if word.eq_ignore_ascii_case(b"STORE")
                        || word.eq_ignore_ascii_case(b"STOREDIST") =>
                {
                    Some(key.clone())
                }
                _ => None,
            });
            found.extend(stores);
            found
        }
    }
}

/// The shard channels among a command's words: no keys, but of a slot each, as these are.
pub(crate) fn shard_channels(command: &[Vec<u8>]) -> &[Vec<u8>] {
    let Some((name, arguments)) = command.split_first() else {
        return &[];
    };
    match upper(name).as_str() {
        "SPUBLISH" => arguments.get(..1).unwrap_or_default(),
        "SSUBSCRIBE" | "SUNSUBSCRIBE" => arguments,
        _ => &[],
    }
}

/// A number of keys; none if it is none.
fn number(word: Option<&Vec<u8>>) -> usize {
    word.and_then(|word| std::str::from_utf8(word).ok()?.parse().ok())
        .unwrap_or(0)
}

/// A command's name as it is compared.
pub(crate) fn upper(word: &[u8]) -> String {
    String::from_utf8_lossy(word).to_ascii_uppercase()
}

/// Whether a list of words has this one.
pub(crate) fn has(words: &str, word: &str) -> bool {
    words.split_ascii_whitespace().any(|known| known == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &str) -> Vec<Vec<u8>> {
        let words = command.split(' ');
        words.map(|word| word.as_bytes().to_vec()).collect()
    }

    fn joined(found: &[Vec<u8>]) -> String {
        let found = found.iter().map(|word| String::from_utf8_lossy(word));
        found.collect::<Vec<_>>().join(" ")
    }

    fn found(command: &str) -> String {
        let mut keys = keys(&words(command));
        keys.sort();
        joined(&keys)
    }

    #[test]
    fn shard_channels_are_no_keys() {
        for (command, channels) in [
            ("SPUBLISH a b", "a"),
            ("ssubscribe a b", "a b"),
            ("SUBSCRIBE a", ""),
            ("PUBLISH a b", ""),
            ("SPUBLISH", ""),
        ] {
            assert_eq!(joined(shard_channels(&words(command))), channels);
            assert_eq!(found(command), "", "{command}");
        }
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
            ("GEORADIUS a 1 1 1 m STORE b STOREDIST c", "a b c"),
            ("MSETEX 2 a 1 b 2 EX 9", "a b"),
            ("BLPOP a b 0", "a b"),
            ("LMPOP 2 a b LEFT", "a b"),
            ("BLMPOP 0 1 a LEFT", "a"),
            ("ZUNIONSTORE d 2 a b WEIGHTS 1 2", "a b d"),
            ("CLUSTER KEYSLOT a", ""),
            ("PING", ""),
        ] {
            assert_eq!(found(command), keys, "{command}");
        }
    }
}
