//! `call`: a command to the cluster, or to some of its nodes.

use serde::Serialize;
use shardlab::client::REPLY_TIMEOUT;
use shardlab::plan::Role;
use shardlab::resp::{Frame, print};
use shardlab::routing::Router;
use shardlab::wait::Deadline;
use shardlab::{Cluster, Error, Node, exit};

use super::Lab;
use super::report::SCHEMA;
use crate::cli::Call;

#[derive(Serialize)]
struct Replies {
    schema: u32,
    replies: Vec<Reply>,
}

#[derive(Serialize)]
struct Reply {
    node: String,
    error: bool,
    /// As redis-cli prints it.
    text: String,
    /// The bytes, escaped.
    raw: String,
}

/// Sends the command and prints the replies; an error reply makes the exit code 1.
pub(crate) async fn call(lab: &Lab<'_>, args: Call) -> Result<u8, Error> {
    let cluster = lab.open_running()?;
    let json = args.json.json;
    let replies = if args.masters || args.replicas {
        let role = if args.masters {
            Role::Master
        } else {
            Role::Replica
        };
        let mut replies = Vec::new();
        for node in nodes_of(&cluster, role).await {
            replies.push((node.name().to_owned(), node.call(&args.command).await?));
        }
        replies
    } else {
        vec![one(&cluster, &args.command).await?]
    };
    let failed = replies.iter().any(|(_, frame)| frame.as_error().is_some());
    let several = replies.len() > 1;
    let replies: Vec<_> = replies
        .into_iter()
        .map(|(node, frame)| reply(node, &frame))
        .collect();
    if json {
        lab.term.json(&Replies {
            schema: SCHEMA,
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

fn reply(node: String, frame: &Frame) -> Reply {
    Reply {
        node,
        error: frame.as_error().is_some(),
        text: print(frame),
        raw: shardlab::resp::escape(&frame.raw),
    }
}

/// A node that is named gets the command as it is; without one, redirects are followed.
async fn one(cluster: &Cluster, command: &[String]) -> Result<(String, Frame), Error> {
    if let [first, rest @ ..] = command
        && !rest.is_empty()
        && let Some(node) = named(cluster, first)?
    {
        return Ok((node.name().to_owned(), node.call(rest).await?));
    }
    let mut router = Router::new(cluster);
    router
        .call(command, Deadline::after(2 * REPLY_TIMEOUT))
        .await
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
}
