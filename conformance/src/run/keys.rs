//! A case's keys on a cluster that others use, too: not there before, gone afterwards.

use std::collections::BTreeSet;

use shardlab::client::ClientError;
use shardlab::resp::{encode_command, escape};
use shardlab::text::excerpt;
use shardlab::wait::Deadline;

use crate::target::{Link as _, Target};

use super::Limits;

/// Which keys exist.
///
/// # Errors
/// No node can be asked about a key.
pub(super) async fn existing<'k, T: Target>(
    target: &T,
    keys: &[&'k [u8]],
    limits: &Limits,
) -> Result<Vec<&'k [u8]>, String> {
    let counts = each(target, b"EXISTS", keys, limits).await?;
    Ok(keys
        .iter()
        .zip(counts)
        .filter(|(_, count)| *count > 0)
        .map(|(key, _)| *key)
        .collect())
}

/// The first of these slots in which a node has keys. A node that does not say has none.
pub(super) async fn occupied<T: Target>(
    target: &T,
    slots: &BTreeSet<u16>,
    limits: &Limits,
) -> Option<u16> {
    let requests: Vec<u8> = slots
        .iter()
        .flat_map(|slot| encode_command(&["CLUSTER", "COUNTKEYSINSLOT", &slot.to_string()]))
        .collect();
    if slots.is_empty() {
        return None;
    }
    for node in target.nodes() {
        let replies = replies(target, node, &requests, slots.len(), limits)
            .await
            .ok()?;
        let mut counts = slots.iter().zip(replies);
        let found = counts.find(|(_, reply)| matches!(reply, Ok(Some(1..))));
        if let Some((slot, _)) = found {
            return Some(*slot);
        }
    }
    None
}

/// Deletes keys, and looks whether they are gone.
///
/// # Errors
/// A key cannot be deleted, or is there again.
pub(super) async fn delete<T: Target>(
    target: &T,
    keys: &[&[u8]],
    limits: &Limits,
) -> Result<(), String> {
    if keys.is_empty() {
        return Ok(());
    }
    each(target, b"DEL", keys, limits).await?;
    match existing(target, keys, limits).await?.first() {
        None => Ok(()),
        Some(key) => Err(format!("the key `{}` could not be deleted", escape(key))),
    }
}

/// Sends a command for each key to every node, and gives the integers that the owners answer.
async fn each<T: Target>(
    target: &T,
    command: &[u8],
    keys: &[&[u8]],
    limits: &Limits,
) -> Result<Vec<i64>, String> {
    let mut counts = vec![None; keys.len()];
    let mut trouble = "no node serves it".to_owned();
    let requests: Vec<u8> = keys
        .iter()
        .flat_map(|key| encode_command(&[command, key]))
        .collect();
    for node in target.nodes() {
        if keys.is_empty() || counts.iter().all(Option::is_some) {
            break;
        }
        let replies = replies(target, node, &requests, keys.len(), limits).await;
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

async fn replies<T: Target>(
    target: &T,
    node: crate::transcript::ast::NodeName,
    requests: &[u8],
    count: usize,
    limits: &Limits,
) -> Result<Vec<Count>, ClientError> {
    let deadline = Deadline::after(limits.read);
    let mut link = target.connect(node, deadline).await?;
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
