//! A case's keys on a cluster that others use, too: not there before, gone afterwards.

use std::collections::BTreeSet;

use shardlab::machine::text::excerpt;
use shardlab::machine::wait::Deadline;
use shardlab::wire::client::ClientError;
use shardlab::wire::resp::{encode_command, encode_commands, escape};

use crate::system::{Link as _, Target};

use super::Limits;
use super::footprint::Footprint;

/// Which of a case's keys exist, in any of its databases.
///
/// # Errors
/// No node can be asked about a key.
pub(super) async fn existing<'k, T: Target>(
    target: &T,
    footprint: &'k Footprint,
    limits: &Limits,
) -> Result<BTreeSet<&'k [u8]>, String> {
    let keys = footprint.keys();
    let mut existing = BTreeSet::new();
    for database in footprint.databases() {
        let counts = each(target, database, b"EXISTS", &keys, limits).await?;
        let found = keys.iter().zip(counts).filter(|(_, count)| *count > 0);
        existing.extend(found.map(|(key, _)| *key));
    }
    Ok(existing)
}

/// The first of the slots that a case looks into in which a node has keys. Where nobody listens there are none.
///
/// # Errors
/// A node that listens does not say how many keys it has in them.
pub(super) async fn occupied<T: Target>(
    target: &T,
    footprint: &Footprint,
    limits: &Limits,
) -> Result<Option<u16>, String> {
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
        for database in footprint.databases() {
            let replies = replies(target, node, database, &requests, slots.len(), limits).await;
            let replies = match replies {
                Err(ClientError::Connect { .. }) => break,
                replies => replies.map_err(|error| error.to_string())?,
            };
            for (slot, reply) in slots.iter().zip(replies) {
                let said = match reply {
                    Ok(Some(0)) => continue,
                    Ok(Some(_)) => return Ok(Some(*slot)),
                    Ok(None) => "not a number".to_owned(),
                    Err(error) => error,
                };
                return Err(format!("`CLUSTER COUNTKEYSINSLOT {slot}`: {said}"));
            }
        }
    }
    Ok(None)
}

/// Deletes a case's keys in all of its databases, and looks whether they are gone.
///
/// # Errors
/// A key cannot be deleted, or is there again.
pub(super) async fn delete<T: Target>(
    target: &T,
    footprint: &Footprint,
    limits: &Limits,
) -> Result<(), String> {
    let keys = footprint.keys();
    if keys.is_empty() {
        return Ok(());
    }
    for database in footprint.databases() {
        each(target, database, b"DEL", &keys, limits).await?;
    }
    match existing(target, footprint, limits).await?.first() {
        None => Ok(()),
        Some(key) => Err(format!("the key `{}` could not be deleted", escape(key))),
    }
}

/// Sends a command for each key to every node, and gives the integers that the owners answer.
async fn each<T: Target>(
    target: &T,
    database: u32,
    command: &[u8],
    keys: &[&[u8]],
    limits: &Limits,
) -> Result<Vec<i64>, String> {
    let mut counts = vec![None; keys.len()];
    let mut trouble = "no node serves it".to_owned();
    let commands: Vec<_> = keys.iter().map(|key| [command, *key]).collect();
    let requests = encode_commands(commands.iter().map(<[_; 2]>::as_slice));
    for node in target.nodes() {
        if keys.is_empty() || counts.iter().all(Option::is_some) {
            break;
        }
        let replies = replies(target, node, database, &requests, keys.len(), limits).await;
        match replies {
            Ok(replies) => {
                for (count, reply) in counts.iter_mut().zip(replies) {
                    match reply {
                        Ok(number) => *count = count.or(number),
                        // Whoever does not own the key's slot redirects.
                        Err(error) if error.starts_with("MOVED ") => {}
                        Err(error) => trouble = error,
                    }
                }
            }
            Err(error @ ClientError::Connect { .. }) => trouble = error.to_string(),
            // Whoever listens and does not answer would keep us waiting at every node.
            Err(error) => return Err(error.to_string()),
        }
    }
    let words = String::from_utf8_lossy(command);
    counts
        .into_iter()
        .zip(keys)
        .map(|(count, key)| count.ok_or_else(|| format!("`{words} {}`: {trouble}", escape(key))))
        .collect()
}

/// A reply as far as it matters here: an integer, if it is one, or an error's words.
type Count = Result<Option<i64>, String>;

/// What a node answers in one of its databases; a database that it does not have holds nothing.
async fn replies<T: Target>(
    target: &T,
    node: crate::transcript::ast::NodeName,
    database: u32,
    requests: &[u8],
    count: usize,
    limits: &Limits,
) -> Result<Vec<Count>, ClientError> {
    let deadline = Deadline::after(limits.read);
    let mut link = target.connect(node, deadline).await?;
    if database > 0 {
        let select = encode_command(&["SELECT", &database.to_string()]);
        link.send(&select, deadline).await?;
        if link.read(deadline).await?.as_error().is_some() {
            return Ok(vec![Ok(Some(0)); count]);
        }
    }
    link.send(requests, deadline).await?;
    let mut replies = Vec::with_capacity(count);
    for _ in 0..count {
        let reply = link.read(deadline).await?;
        replies.push(match reply.as_error() {
            Some(error) => Err(excerpt(error, 200, 0)),
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

    fn occupied_slot(target: &Scripted) -> Result<Option<u16>, String> {
        let mut footprint = Footprint::default();
        footprint.slots.insert(7);
        let limits = Limits {
            read: Duration::from_millis(100),
            ..Limits::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(occupied(target, &footprint, &limits))
    }

    #[test]
    fn a_node_that_does_not_count_its_keys_is_not_one_without_keys() {
        let count = "CLUSTER COUNTKEYSINSLOT 7";
        let counted = |answer| {
            let target = Scripted::new().on("n1", count, ":0\r\n");
            target.refuses("n2").on("n3", count, answer)
        };
        assert_eq!(occupied_slot(&counted(":0\r\n")), Ok(None));
        assert_eq!(occupied_slot(&counted(":2\r\n")), Ok(Some(7)));
        let refused = occupied_slot(&counted("-LOADING data\r\n")).unwrap_err();
        assert!(refused.contains("LOADING data"), "{refused}");
        assert!(occupied_slot(&counted("")).is_err());
    }
}
