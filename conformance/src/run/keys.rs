//! A case's keys on a cluster that others use, too: not there before, gone afterwards.

use std::collections::BTreeSet;

use shardlab::machine::text::excerpt;
use shardlab::machine::wait::Deadline;
use shardlab::wire::client::ClientError;
use shardlab::wire::resp::{encode_command, encode_commands, escape};
use shardlab::wire::view::keyspace;

use crate::system::{Cause, Link as _, Target, missing};
use crate::transcript::ast::{NodeName, NodeRole};

use super::footprint::Footprint;
use super::{Limits, Patience};

/// What a server does not tell of keys, or does not do with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    /// What it says instead.
    pub(super) text: String,
    /// What that shows of it.
    pub(super) cause: Option<Cause>,
    /// Whether it says otherwise soon.
    pub(super) passes: bool,
}

impl Trouble {
    fn of(error: &ClientError) -> Self {
        Self {
            text: error.to_string(),
            cause: Cause::of_error(error),
            passes: false,
        }
    }

    /// The same, and what it is the answer to.
    fn to(self, command: &str) -> Self {
        Self {
            text: format!("`{command}`: {}", self.text),
            ..self
        }
    }
}

impl From<&str> for Trouble {
    fn from(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            cause: None,
            passes: false,
        }
    }
}

/// How the keys in a slot are counted.
const COUNT_KEYS: &str = "CLUSTER COUNTKEYSINSLOT";

/// How a server is asked for the databases that have keys.
const KEYSPACE: &str = "INFO keyspace";

/// How long a server may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waits<'a> {
    pub(super) limits: &'a Limits,
    pub(super) patience: &'a Patience,
}

impl Waits<'_> {
    /// Notes whether a command was answered.
    fn of<R>(&self, command: &'static str, answer: &Result<R, ClientError>) {
        match answer {
            Ok(_) => self.patience.answered(command),
            Err(ClientError::Connect { .. }) => {}
            Err(_) => self.patience.in_vain(command),
        }
    }
}

/// Which of a case's keys exist, in any of its databases.
///
/// # Errors
/// No node can be asked about a key.
pub(super) async fn existing<'k, T: Target>(
    target: &T,
    footprint: &'k Footprint,
    waits: Waits<'_>,
) -> Result<BTreeSet<&'k [u8]>, Trouble> {
    let keys = footprint.keys();
    let mut existing = BTreeSet::new();
    for database in footprint.databases() {
        let counts = each(target, database, "EXISTS", &keys, waits).await?;
        let found = keys.iter().zip(counts).filter(|(_, count)| *count > 0);
        existing.extend(found.map(|(key, _)| *key));
    }
    Ok(existing)
}

/// The first of the slots that a case looks into in which a node has keys, in any database. Where nobody listens
/// there are none.
///
/// # Errors
/// A node that listens does not say how many keys it has in them.
pub(super) async fn occupied<T: Target>(
    target: &T,
    footprint: &Footprint,
    waits: Waits<'_>,
) -> Result<Option<u16>, Trouble> {
    let slots = &footprint.slots;
    let numbers: Vec<_> = slots.iter().map(ToString::to_string).collect();
    let commands = numbers
        .iter()
        .map(|slot| ["CLUSTER", "COUNTKEYSINSLOT", slot.as_str()]);
    let commands: Vec<_> = commands.collect();
    let requests = encode_commands(commands.iter().map(<[_; 3]>::as_slice));
    if slots.is_empty() {
        return Ok(None);
    }
    for node in target.nodes() {
        // COUNTKEYSINSLOT counts in the selected one.
        let databases = match inhabited(target, node, waits).await {
            Err(ClientError::Connect { .. }) => continue,
            databases => databases.map_err(|error| Trouble::of(&error).to(KEYSPACE))?,
        };
        let databases: BTreeSet<_> = footprint.databases().chain(databases).collect();
        for database in databases {
            let asked = Asked {
                command: COUNT_KEYS,
                requests: &requests,
                count: slots.len(),
            };
            let replies = match replies(target, node, database, asked, waits).await {
                Err(ClientError::Connect { .. }) => break,
                replies => replies.map_err(|error| Trouble::of(&error))?,
            };
            for (slot, reply) in slots.iter().zip(replies) {
                let said = match reply {
                    Ok(Some(0)) => continue,
                    Ok(Some(_)) => return Ok(Some(*slot)),
                    Ok(None) => Trouble::from("not a number"),
                    Err(trouble) => trouble,
                };
                return Err(said.to(&format!("{COUNT_KEYS} {slot}")));
            }
        }
    }
    Ok(None)
}

/// The databases besides 0 in which a node has keys. Who refuses to tell has 0 only.
async fn inhabited<T: Target>(
    target: &T,
    node: NodeName,
    waits: Waits<'_>,
) -> Result<Vec<u32>, ClientError> {
    let deadline = Deadline::after(waits.patience.of(KEYSPACE, waits.limits.read));
    let told = async {
        let mut link = target.connect(node, deadline).await?;
        link.send(&encode_command(&["INFO", "keyspace"]), deadline)
            .await?;
        link.read(deadline).await
    };
    let told = told.await;
    waits.of(KEYSPACE, &told);
    let databases = keyspace(&told?).into_keys();
    Ok(databases.filter(|database| *database > 0).collect())
}

/// More keys than this in a node are not looked at by one command: it would answer nobody for a second.
const MOST_KEYS: i64 = 1_000_000;

/// The number of keys of the first node that has more than a command may look at. Who does not tell has none.
pub(super) async fn crowded<T: Target>(target: &T, waits: Waits<'_>) -> Option<i64> {
    for node in target.nodes() {
        if let Ok(keys @ MOST_KEYS..) = size(target, node, waits).await {
            return Some(keys);
        }
    }
    None
}

/// What a case has left on a cluster that had no keys, after its own were deleted: keys that none of its commands
/// names, as a script may write them. Nobody would delete them from somebody's cluster.
///
/// # Errors
/// A master does not say how many keys it has.
pub(super) async fn left_behind<T: Target>(
    target: &T,
    waits: Waits<'_>,
) -> Result<Option<String>, Trouble> {
    let nodes = target.nodes().into_iter();
    for node in nodes.filter(|node| node.role == NodeRole::Master) {
        let keys = size(target, node, waits).await?;
        if keys != 0 {
            let text = "the case leaves keys that none of its commands names";
            return Ok(Some(format!("{text}: {keys} on {node}")));
        }
    }
    Ok(None)
}

/// How many keys a node has.
async fn size<T: Target>(target: &T, node: NodeName, waits: Waits<'_>) -> Result<i64, Trouble> {
    let asked = Asked {
        command: "DBSIZE",
        requests: &encode_command(&["DBSIZE"]),
        count: 1,
    };
    let replies = replies(target, node, 0, asked, waits).await;
    match replies.map_err(|error| Trouble::of(&error))?.pop() {
        Some(Ok(Some(keys))) => Ok(keys),
        Some(Err(trouble)) => Err(trouble.to("DBSIZE")),
        Some(Ok(None)) | None => Err(Trouble::from("not a number").to("DBSIZE")),
    }
}

/// Deletes a case's keys in all of its databases, and looks whether they are gone.
///
/// # Errors
/// A key cannot be deleted, or is there again.
pub(super) async fn delete<T: Target>(
    target: &T,
    footprint: &Footprint,
    waits: Waits<'_>,
) -> Result<(), Trouble> {
    let keys = footprint.keys();
    if keys.is_empty() {
        return Ok(());
    }
    for database in footprint.databases() {
        each(target, database, "DEL", &keys, waits).await?;
    }
    match existing(target, footprint, waits).await?.first() {
        None => Ok(()),
        Some(key) => {
            let text = format!("the key `{}` could not be deleted", escape(key));
            Err(Trouble::from(text.as_str()))
        }
    }
}

/// Sends a command for each key to every node, and gives the integers that the owners answer.
async fn each<T: Target>(
    target: &T,
    database: u32,
    command: &'static str,
    keys: &[&[u8]],
    waits: Waits<'_>,
) -> Result<Vec<i64>, Trouble> {
    let mut counts = vec![None; keys.len()];
    let mut trouble = Trouble::from("no node serves it");
    let commands: Vec<_> = keys.iter().map(|key| [command.as_bytes(), *key]).collect();
    let requests = encode_commands(commands.iter().map(<[_; 2]>::as_slice));
    for node in target.nodes() {
        if keys.is_empty() || counts.iter().all(Option::is_some) {
            break;
        }
        let asked = Asked {
            command,
            requests: &requests,
            count: keys.len(),
        };
        match replies(target, node, database, asked, waits).await {
            Ok(replies) => {
                for (count, reply) in counts.iter_mut().zip(replies) {
                    match reply {
                        Ok(number) => *count = count.or(number),
                        // Whoever does not own the key's slot redirects.
                        Err(error) if error.text.starts_with("MOVED ") => {}
                        Err(error) => trouble = error,
                    }
                }
            }
            Err(error @ ClientError::Connect { .. }) => trouble = Trouble::of(&error),
            // Whoever listens and does not answer would keep us waiting at every node.
            Err(error) => return Err(Trouble::of(&error)),
        }
    }
    let told = |key| trouble.clone().to(&format!("{command} {}", escape(key)));
    counts
        .into_iter()
        .zip(keys)
        .map(|(count, key)| count.ok_or_else(|| told(key)))
        .collect()
}

/// A reply as far as it matters here: an integer, if it is one, or an error's words.
type Count = Result<Option<i64>, Trouble>;

/// Whether an error tells of a cluster, or a node, that changes just now.
fn passes(error: &[u8]) -> bool {
    let code = error.split(|byte| *byte == b' ').next();
    let code = code.and_then(|code| std::str::from_utf8(code).ok());
    matches!(
        code,
        Some("ASK" | "TRYAGAIN" | "CLUSTERDOWN" | "LOADING" | "MASTERDOWN")
    )
}

/// The same command once for each key or slot.
#[derive(Debug, Clone, Copy)]
struct Asked<'a> {
    command: &'static str,
    requests: &'a [u8],
    count: usize,
}

/// What a node answers in one of its databases; a database that it does not have holds nothing.
async fn replies<T: Target>(
    target: &T,
    node: NodeName,
    database: u32,
    asked: Asked<'_>,
    waits: Waits<'_>,
) -> Result<Vec<Count>, ClientError> {
    let read = waits.patience.of(asked.command, waits.limits.read);
    let replies = replies_by(target, node, database, asked, Deadline::after(read)).await;
    waits.of(asked.command, &replies);
    replies
}

/// What an error says of the command that it is the answer to.
fn refused(error: &[u8], command: &str) -> Trouble {
    let words = command.split(' ').map(|word| word.as_bytes().to_vec());
    Trouble {
        text: excerpt(error, 200, 0),
        cause: missing(&words.collect::<Vec<_>>(), error).map(Cause::Missing),
        passes: passes(error),
    }
}

async fn replies_by<T: Target>(
    target: &T,
    node: NodeName,
    database: u32,
    asked: Asked<'_>,
    deadline: Deadline,
) -> Result<Vec<Count>, ClientError> {
    let mut link = target.connect(node, deadline).await?;
    if database > 0 {
        let select = encode_command(&["SELECT", &database.to_string()]);
        link.send(&select, deadline).await?;
        match link.read(deadline).await?.as_error() {
            None => {}
            // The node has no such database: `DB index is out of range`, `SELECT is not allowed in cluster mode`.
            Some(error) if error.starts_with(b"ERR ") => {
                return Ok(vec![Ok(Some(0)); asked.count]);
            }
            Some(error) => return Ok(vec![Err(refused(error, "SELECT")); asked.count]),
        }
    }
    link.send(asked.requests, deadline).await?;
    let mut replies = Vec::with_capacity(asked.count);
    for _ in 0..asked.count {
        let reply = link.read(deadline).await?;
        replies.push(match reply.as_error() {
            Some(error) => Err(refused(error, asked.command)),
            None => Ok(reply.as_integer()),
        });
    }
    Ok(replies)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::system::scripted::Scripted;

    /// What comes of something that asks the target.
    fn asked<T>(ask: impl AsyncFnOnce(Waits<'_>) -> T) -> T {
        let limits = Limits {
            read: Duration::from_millis(100),
            ..Limits::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let waits = Waits {
            limits: &limits,
            patience: &Patience::default(),
        };
        runtime.block_on(ask(waits))
    }

    fn occupied_slot(target: &Scripted) -> Result<Option<u16>, Trouble> {
        let mut footprint = Footprint::default();
        footprint.slots.insert(7);
        asked(async |waits| occupied(target, &footprint, waits).await)
    }

    #[test]
    fn a_node_with_very_many_keys_is_noticed() {
        for (second, many) in [
            (":999999\r\n", None),
            (":1000000\r\n", Some(1_000_000)),
            ("-ERR no\r\n", None),
        ] {
            let target = Scripted::new().on("n1", "DBSIZE", ":5\r\n");
            let target = target.refuses("n3").on("n2", "DBSIZE", second);
            assert_eq!(asked(async |waits| crowded(&target, waits).await), many);
        }
    }

    #[test]
    fn keys_that_no_command_names_are_noticed() {
        let left = |second| {
            let target = Scripted::new().on("n1", "DBSIZE", ":0\r\n");
            let target = target.on("n2", "DBSIZE", second);
            let target = target.on("n3", "DBSIZE", ":0\r\n");
            asked(async |waits| left_behind(&target, waits).await)
        };
        assert_eq!(left(":0\r\n"), Ok(None));
        let text = left(":2\r\n").unwrap().unwrap();
        assert!(text.ends_with(": 2 on n2"), "{text}");
        left("-ERR no\r\n").unwrap_err();
        left("").unwrap_err();
    }

    #[test]
    fn a_node_that_does_not_count_its_keys_is_not_one_without_keys() {
        let count = "CLUSTER COUNTKEYSINSLOT 7";
        let counted = |answer| {
            let target = Scripted::new().on("n1", count, ":0\r\n");
            let target = target.on("n1", KEYSPACE, "-ERR no\r\n");
            let target = target.on("n3", KEYSPACE, "$0\r\n\r\n");
            target.refuses("n2").on("n3", count, answer)
        };
        assert_eq!(occupied_slot(&counted(":0\r\n")), Ok(None));
        assert_eq!(occupied_slot(&counted(":2\r\n")), Ok(Some(7)));
        let refused = occupied_slot(&counted("-LOADING data\r\n")).unwrap_err();
        assert!(refused.text.contains("LOADING data"), "{refused:?}");
        assert!(refused.passes, "{refused:?}");
        let refused = occupied_slot(&counted("-ERR LOADING\r\n")).unwrap_err();
        assert!(!refused.passes, "{refused:?}");
        assert!(occupied_slot(&counted("")).is_err());
    }

    #[test]
    fn keys_in_another_database_are_noticed() {
        let text = "# Keyspace\r\ndb2:keys=1,expires=0\r\n";
        let count = "CLUSTER COUNTKEYSINSLOT 7";
        let target = |second: &str| {
            let target =
                Scripted::new().on("n1", KEYSPACE, &format!("${}\r\n{text}\r\n", text.len()));
            let target = target.on("n1", "SELECT 2", "+OK\r\n");
            target
                .on("n1", count, ":0\r\n")
                .on("n1", count, second)
                .refuses("n2")
                .refuses("n3")
        };
        assert_eq!(occupied_slot(&target(":1\r\n")), Ok(Some(7)));
        assert_eq!(occupied_slot(&target(":0\r\n")), Ok(None));
        // Who says nothing may have some.
        assert!(occupied_slot(&Scripted::new().on("n1", count, ":0\r\n")).is_err());
    }
}
