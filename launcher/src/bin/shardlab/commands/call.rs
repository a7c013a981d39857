//! `call`: a command to the cluster, or to some of its nodes.

use std::time::Duration;

use serde::Serialize;
use shardlab::cluster::routing::Router;
use shardlab::machine::wait::Deadline;
use shardlab::node::Patience;
use shardlab::plan::Role;
use shardlab::wire::client::ClientError;
use shardlab::wire::resp::{Frame, print};
use shardlab::{Cluster, Error, Node, exit};

use super::lab::Lab;
use crate::cli::{Call, CallTimeout};

#[derive(Serialize)]
struct Replies<'a> {
    cluster: &'a str,
    replies: Vec<Reply>,
}

#[derive(Serialize)]
struct Reply {
    node: String,
    is_error: bool,
    /// As redis-cli prints it at a terminal.
    text: String,
    /// The bytes, escaped; only made where they are shown, since they may be many.
    raw: String,
}

/// Sends the command and prints the replies; an error reply makes the exit code 1.
pub(crate) async fn call(lab: &Lab<'_>, args: Call) -> Result<u8, Error> {
    let cluster = lab.open_running()?;
    let json = args.json.json;
    let (node, command) = if args.masters || args.replicas {
        (None, args.command.as_slice())
    } else {
        addressed(&cluster, &args.command)?
    };
    let patience = || match args.timeout {
        None => Patience::WhileAlive,
        Some(CallTimeout::Never) => Deadline::after(Duration::MAX).into(),
        Some(CallTimeout::After(timeout)) => Deadline::after(timeout).into(),
    };
    let late = |error| no_reply(&cluster, error, command, args.timeout);
    let replies = if args.masters || args.replicas {
        let role = if args.masters {
            Role::Master
        } else {
            Role::Replica
        };
        let mut replies = Vec::new();
        for node in nodes_of(&cluster, role).await {
            let reply = node.ask(command, patience()).await.map_err(late)?;
            replies.push((node.name().to_owned(), reply));
        }
        replies
    } else if let Some(node) = node {
        let reply = node.ask(command, patience()).await.map_err(late)?;
        vec![(node.name().to_owned(), reply)]
    } else {
        let mut router = Router::new(&cluster);
        vec![router.call(command, patience()).await.map_err(late)?]
    };
    let failed = replies.iter().any(|(_, frame)| frame.as_error().is_some());
    let several = replies.len() > 1;
    let replies: Vec<_> = replies
        .into_iter()
        .map(|(node, frame)| reply(node, command, &frame, json))
        .collect();
    if json {
        lab.term.json(&Replies {
            cluster: cluster.name().as_str(),
            replies,
        });
    } else {
        for reply in replies {
            let head = if several {
                format!("{}:\n", reply.node)
            } else {
                String::new()
            };
            lab.term.data(&format!("{head}{}", reply.text));
        }
    }
    Ok(if failed { exit::NO } else { exit::DONE })
}

/// Says of a reply that did not come how long it was waited for, or that the node is paused.
fn no_reply(
    cluster: &Cluster,
    error: Error,
    command: &[String],
    timeout: Option<CallTimeout>,
) -> Error {
    let Error::Client {
        node,
        source: ClientError::Timeout { .. },
    } = error
    else {
        return error;
    };
    if let Ok(Err(paused)) = cluster.node(&node).map(Node::must_not_be_paused) {
        return paused;
    }
    Error::NoReply {
        node,
        command: command.first().cloned().unwrap_or_default(),
        waited: match timeout {
            Some(CallTimeout::After(waited)) => Some(waited),
            _ => None,
        },
    }
}

fn reply(node: String, command: &[String], frame: &Frame, json: bool) -> Reply {
    let lines = frame.as_text().filter(|_| is_answered_in_lines(command));
    Reply {
        node,
        is_error: frame.as_error().is_some(),
        text: lines.map_or_else(|| print(frame), lines_of),
        raw: if json {
            shardlab::wire::resp::escape(&frame.raw)
        } else {
            String::new()
        },
    }
}

/// Commands whose replies are made for reading: redis-cli shows their lines, not one quoted
/// string (`cliSendCommand`, redis-cli.c, Redis 5 to Valkey 9).
const READABLE: [&str; 13] = [
    "info",
    "cluster info",
    "cluster nodes",
    "client list",
    "client info",
    "debug htstats",
    "debug htstats-key",
    "latency doctor",
    "latency graph",
    "lolwut",
    "memory doctor",
    "memory malloc-stats",
    "proxy info",
];

fn is_answered_in_lines(command: &[String]) -> bool {
    let words = command.join(" ").to_ascii_lowercase();
    READABLE.iter().any(|readable| {
        words
            .strip_prefix(readable)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    })
}

fn lines_of(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text).replace("\r\n", "\n");
    text.trim_end_matches('\n').to_owned()
}

/// The node that is named in front of the command, which then goes there as it is.
fn addressed<'a>(
    cluster: &'a Cluster,
    words: &'a [String],
) -> Result<(Option<&'a Node>, &'a [String]), Error> {
    if let [first, command @ ..] = words
        && !command.is_empty()
        && let Some(node) = named(cluster, first)?
    {
        return Ok((Some(node), command));
    }
    Ok((None, words))
}

/// The node that the first word means, if it can mean one: no command is called `n9` or `7009`.
pub(super) fn named<'a>(cluster: &'a Cluster, word: &str) -> Result<Option<&'a Node>, Error> {
    match cluster.node(word) {
        Ok(node) => Ok(Some(node)),
        Err(Error::NoNode { .. }) if !is_like_a_node(word) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_like_a_node(word: &str) -> bool {
    let number = word.strip_prefix(['n', 'r', 's']).unwrap_or(word);
    number.bytes().all(|byte| byte.is_ascii_digit()) && !number.is_empty()
}

async fn nodes_of(cluster: &Cluster, role: Role) -> Vec<&Node> {
    let mut nodes = Vec::new();
    for node in cluster.nodes().iter().filter(|node| node.may_answer()) {
        if node.role().await.is_ok_and(|is| is == role) {
            nodes.push(node);
        }
    }
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_or_a_port_is_no_command() {
        assert!(["n9", "r12", "s1", "7009"].into_iter().all(is_like_a_node));
        let commands = ["get", "SET", "", "n", "rpush", "sadd"];
        assert!(!commands.into_iter().any(is_like_a_node));
    }

    #[test]
    fn replies_that_are_made_for_reading_are_known_by_their_command() {
        let readable = |command: &str| {
            let words: Vec<_> = command.split(' ').map(ToOwned::to_owned).collect();
            is_answered_in_lines(&words)
        };
        assert!(readable("INFO replication") && readable("cluster NODES"));
        assert!(!readable("ECHO info") && !readable("CLUSTER MYID") && !readable("information"));
        assert_eq!(lines_of(b"# Server\r\na:1\r\n"), "# Server\na:1");
    }
}
