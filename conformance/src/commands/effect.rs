//! What a command does besides answering. Pure.
//!
//! Whatever is not known here is taken to reach beyond a case's own keys and connections: a list of what may be
//! sent to somebody's cluster forgets nothing that is dangerous.

use super::keys::{has, keys, upper};

/// What a command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It reads keys, or concerns its own connection only, or tells something.
    Reads,
    /// It may write its keys.
    Writes,
    /// It changes slots, epochs, roles or settings of a cluster, which can be put back, or has a server write the
    /// files that it writes anyhow. MIGRATE takes its keys along.
    Reshapes,
    /// It changes, starts or sees more than that.
    Reaches,
}

/// Commands with keys that only read.
const READING: &str = "BITCOUNT BITFIELD_RO BITPOS DUMP EVALSHA_RO EVAL_RO EXISTS EXPIRETIME GEODIST GEOHASH GEOPOS \
GEORADIUSBYMEMBER_RO GEORADIUS_RO GEOSEARCH GET GETBIT GETRANGE HEXISTS HEXPIRETIME HGET HGETALL HKEYS HLEN HMGET \
HPEXPIRETIME HPTTL HRANDFIELD HSCAN HSTRLEN HTTL HVALS LCS LINDEX LLEN LPOS LRANGE MGET OBJECT PEXPIRETIME PFCOUNT PTTL \
SCARD SDIFF SINTER SINTERCARD SISMEMBER SMEMBERS SMISMEMBER SORT_RO SRANDMEMBER SSCAN STRLEN SUBSTR SUNION TOUCH TTL TYPE \
WATCH XINFO XLEN XPENDING XRANGE XREAD XREVRANGE ZCARD ZCOUNT ZDIFF ZINTER ZINTERCARD ZLEXCOUNT ZMSCORE ZRANDMEMBER ZRANGE \
ZRANGEBYLEX ZRANGEBYSCORE ZRANK ZREVRANGE ZREVRANGEBYLEX ZREVRANGEBYSCORE ZREVRANK ZSCAN ZSCORE ZUNION";

/// Commands that write the keys that they name, and nothing else.
const WRITING: &str = "APPEND BITFIELD BITOP BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN COPY DECR DECRBY DEL \
DELEX DELIFEQ EVAL EVALSHA EXPIRE EXPIREAT GEOADD GEORADIUS GEORADIUSBYMEMBER GEOSEARCHSTORE GETDEL GETEX GETSET HDEL HEXPIRE \
HEXPIREAT HGETDEL HGETEX HINCRBY HINCRBYFLOAT HMSET HPERSIST HPEXPIRE HPEXPIREAT HSET HSETEX HSETNX INCR INCRBY INCRBYFLOAT \
LINSERT LMOVE LMPOP LPOP LPUSH LPUSHX LREM LSET LTRIM MOVE MSET MSETEX MSETNX PERSIST PEXPIRE PEXPIREAT PFADD PFMERGE \
PSETEX RENAME RENAMENX RESTORE RPOP RPOPLPUSH RPUSH RPUSHX SADD SDIFFSTORE SET SETBIT SETEX SETNX SETRANGE SINTERSTORE SMOVE \
SORT SPOP SREM SUNIONSTORE UNLINK XACK XADD XAUTOCLAIM XCLAIM XDEL XGROUP XREADGROUP XSETID XTRIM ZADD ZDIFFSTORE ZINCRBY \
ZINTERSTORE ZMPOP ZPOPMAX ZPOPMIN ZRANGESTORE ZREM ZREMRANGEBYLEX ZREMRANGEBYRANK ZREMRANGEBYSCORE ZUNIONSTORE";

/// Commands without keys that tell something, or concern their own connection only, or the case's own channels.
const HARMLESS: &str = "ASKING AUTH DBSIZE DISCARD ECHO EXEC HELLO INFO KEYS LASTSAVE LOLWUT MULTI PING PSUBSCRIBE PUBLISH \
PUNSUBSCRIBE QUIT RANDOMKEY READONLY READWRITE RESET ROLE SCAN SELECT SPUBLISH SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE TIME \
UNSUBSCRIBE UNWATCH WAIT WAITAOF";

/// Subcommands of that kind. A container without a subcommand, or with one that no server knows, is an error.
const HARMLESS_BELOW: [(&str, &str); 13] = [
    ("ACL", "CAT DRYRUN GENPASS GETUSER LIST USERS WHOAMI"),
    (
        "CLIENT",
        "CACHING GETNAME GETREDIR ID INFO LIST NO-EVICT NO-TOUCH REPLY SETINFO SETNAME TRACKING TRACKINGINFO",
    ),
    (
        "CLUSTER",
        "COUNT-FAILURE-REPORTS COUNTKEYSINSLOT GETKEYSINSLOT GETSLOTMIGRATIONS INFO KEYSLOT LINKS MYID MYSHARDID \
         NODES REPLICAS SHARDS SLAVES SLOT-STATS SLOTS",
    ),
    ("COMMAND", "COUNT DOCS GETKEYS GETKEYSANDFLAGS INFO LIST"),
    ("CONFIG", "GET"),
    ("FUNCTION", "DUMP LIST STATS"),
    ("LATENCY", "DOCTOR GRAPH HISTOGRAM HISTORY LATEST"),
    ("MEMORY", "DOCTOR MALLOC-STATS STATS USAGE"),
    ("MODULE", "LIST"),
    ("PUBSUB", "CHANNELS NUMPAT NUMSUB SHARDCHANNELS SHARDNUMSUB"),
    ("SCRIPT", "EXISTS SHOW"),
    ("SLOWLOG", "GET LEN"),
    ("DEBUG", ""),
];

/// Commands that reshape.
const RESHAPING: &str = "BGREWRITEAOF BGSAVE MIGRATE SAVE";

/// Subcommands that do. RESET and FLUSHSLOTS do not: they may take all data, and every node that is known.
const RESHAPING_BELOW: [(&str, &str); 2] = [
    (
        "CLUSTER",
        "ADDSLOTS ADDSLOTSRANGE BUMPEPOCH DELSLOTS DELSLOTSRANGE FAILOVER FORGET MEET REPLICATE SAVECONFIG SETSLOT",
    ),
    ("CONFIG", "RESETSTAT SET"),
];

/// Names that no server knows, for cases about unknown commands.
const UNKNOWN: &str = "FOO NOSUCH NOSUCHCOMMAND";

/// What a command does. Its keys are its own affair: a case whose keys are somebody's does not run.
pub(crate) fn effect(command: &[Vec<u8>]) -> Effect {
    let Some((name, arguments)) = command.split_first() else {
        return Effect::Reads;
    };
    let name = upper(name);
    let below = |subcommands: &str| match arguments.first() {
        None => true,
        Some(word) => {
            let word = upper(word);
            ["HELP", UNKNOWN, subcommands]
                .iter()
                .any(|words| has(words, &word))
        }
    };
    let mut containers = HARMLESS_BELOW.iter();
    let is_below =
        containers.any(|(container, subcommands)| *container == name && below(subcommands));
    let reshapes_below = RESHAPING_BELOW.iter().any(|(container, subcommands)| {
        let word = arguments.first().map(|word| upper(word));
        *container == name && word.is_some_and(|word| has(subcommands, &word))
    });
    // A script that is told no keys may use any.
    let is_unbound = has("EVAL EVALSHA EVALSHA_RO EVAL_RO", &name) && keys(command).is_empty();
    if is_unbound {
        Effect::Reaches
    } else if has(WRITING, &name) {
        Effect::Writes
    } else if is_below
        || [READING, HARMLESS, UNKNOWN]
            .iter()
            .any(|words| has(words, &name))
    {
        Effect::Reads
    } else if reshapes_below || has(RESHAPING, &name) {
        Effect::Reshapes
    } else {
        Effect::Reaches
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_reaches_beyond_a_case() {
        for (command, expected) in [
            ("get a", Effect::Reads),
            ("SET flushall 1", Effect::Writes),
            ("flushall", Effect::Reaches),
            ("CLUSTER nodes", Effect::Reads),
            ("CLUSTER", Effect::Reads),
            ("CLUSTER FOO", Effect::Reads),
            ("CLUSTER setslot 1 STABLE", Effect::Reshapes),
            ("CLUSTER RESET", Effect::Reaches),
            ("CONFIG SET a b", Effect::Reshapes),
            ("CONFIG REWRITE", Effect::Reaches),
            ("CLUSTER NEWVERB", Effect::Reaches),
            ("DEBUG SLEEP 1", Effect::Reaches),
            ("DEBUG HELP", Effect::Reads),
            ("SYNC", Effect::Reaches),
            ("PSYNC ? -1", Effect::Reaches),
            ("MONITOR", Effect::Reaches),
            ("RESTORE-ASKING a 0 x", Effect::Reaches),
            ("PUBLISH mine x", Effect::Reads),
            ("CLIENT UNBLOCK 1", Effect::Reaches),
            ("CLIENT NO-EVICT on", Effect::Reads),
            ("LATENCY RESET", Effect::Reaches),
            ("SLOWLOG RESET", Effect::Reaches),
            ("MEMORY PURGE", Effect::Reaches),
            ("MEMORY USAGE a", Effect::Reads),
            ("ACL LOG", Effect::Reaches),
            ("SCRIPT LOAD x", Effect::Reaches),
            ("SCRIPT DEBUG YES", Effect::Reaches),
            ("EVAL x 1 a", Effect::Writes),
            ("EVAL x 0", Effect::Reaches),
            ("FCALL f 1 a", Effect::Reaches),
            ("MIGRATE h 1 a 0 1", Effect::Reshapes),
            ("VENDOR.COMMAND a", Effect::Reaches),
        ] {
            let words = command.split(' ').map(|word| word.as_bytes().to_vec());
            assert_eq!(effect(&words.collect::<Vec<_>>()), expected, "{command}");
        }
    }
}
