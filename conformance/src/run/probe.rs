//! Whether a server knows a command, asked of the server itself: capability before version.

use shardlab::machine::wait::Deadline;
use shardlab::wire::resp::{Frame, encode_command};

use crate::system::{Link as _, Target};

use super::keys::Waits;

/// The first of these commands (`CLUSTER SHARDS`) that the target says it does not know. What
/// cannot be found out is taken to be known: the case will tell.
pub(super) async fn unknown_command<'c, T: Target>(
    target: &T,
    commands: impl Iterator<Item = &'c str>,
    waits: Waits<'_>,
) -> Option<&'c str> {
    for command in commands {
        let words: Vec<&str> = command.split_ascii_whitespace().collect();
        let absent = match words.as_slice() {
            [] => false,
            [name] => told(
                ask(target, &["COMMAND", "INFO", name], waits)
                    .await
                    .as_ref(),
            ),
            [name, below, ..] => {
                let joined = format!("{name}|{below}").to_ascii_lowercase();
                match ask(target, &[name, "HELP"], waits).await {
                    Some(help) if help.as_array().is_some() => !helps(&help, below),
                    _ => told(
                        ask(target, &["COMMAND", "INFO", &joined], waits)
                            .await
                            .as_ref(),
                    ),
                }
            }
        };
        if absent {
            return Some(command);
        }
    }
    None
}

/// Whether a reply to COMMAND INFO says that there is no such command.
fn told(reply: Option<&Frame>) -> bool {
    let entries = reply.and_then(Frame::as_array);
    entries.is_some_and(|entries| entries.first().is_some_and(Frame::is_null))
}

/// Whether the lines of a HELP name a subcommand.
fn helps(help: &Frame, subcommand: &str) -> bool {
    let lines = help.as_array().unwrap_or_default().iter();
    lines.filter_map(Frame::as_text).any(|line| {
        let mut words = line
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty());
        words
            .next()
            .is_some_and(|word| word.eq_ignore_ascii_case(subcommand.as_bytes()))
    })
}

async fn ask<T: Target>(target: &T, command: &[&str], waits: Waits<'_>) -> Option<Frame> {
    // All that is asked here counts as one: a server that is silent about HELP is so about each.
    const ASKED: &str = "HELP";
    let read = waits.patience.of(ASKED, waits.limits.read);
    let deadline = Deadline::after(read);
    let node = target.nodes().into_iter().next()?;
    let mut link = target.connect(node, deadline).await.ok()?;
    link.send(&encode_command(command), deadline).await.ok()?;
    let reply = link.read(deadline).await.ok();
    match reply {
        Some(_) => waits.patience.answered(ASKED),
        None => waits.patience.in_vain(ASKED),
    }
    reply
}
