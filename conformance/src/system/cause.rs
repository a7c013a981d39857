//! What is wrong with a server as a whole, where a single reply shows it. Pure.

use std::fmt;

use shardlab::wire::client::ClientError;
use shardlab::wire::resp::{Frame, Value};

use crate::transcript::ast::{Outcome, Shape};

/// Commands whose second word is a command of its own.
const CONTAINERS: [&str; 17] = [
    "ACL", "CLIENT", "CLUSTER", "COMMAND", "CONFIG", "DEBUG", "FUNCTION", "LATENCY", "MEMORY",
    "MODULE", "OBJECT", "PUBSUB", "SCRIPT", "SENTINEL", "SLOWLOG", "XGROUP", "XINFO",
];

/// A fault that many cases meet, and that is told once for all of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The server does not know this command.
    Missing(String),
    /// It does not answer.
    Silent,
    /// It closes the connection instead of answering.
    Closes,
    /// It sends bytes that are no RESP.
    NoResp,
    /// It answers with a type that the reply to this command never has.
    OtherType,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(command) => write!(f, "{command} is missing"),
            Self::Silent => f.write_str("the server does not answer in time"),
            Self::Closes => f.write_str("the server closes the connection"),
            Self::NoResp => f.write_str("the server does not speak RESP"),
            Self::OtherType => f.write_str("the reply has another type"),
        }
    }
}

impl Cause {
    /// The word in reports for programs.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Missing(_) => "missing-command",
            Self::Silent => "silent",
            Self::Closes => "closes",
            Self::NoResp => "not-resp",
            Self::OtherType => "other-type",
        }
    }

    /// What an error of a connection shows. A refused one shows nothing: the node may be down.
    pub fn of_error(error: &ClientError) -> Option<Self> {
        match error {
            ClientError::Timeout { .. } => Some(Self::Silent),
            ClientError::Closed { .. } | ClientError::Io { .. } => Some(Self::Closes),
            ClientError::Protocol { .. } => Some(Self::NoResp),
            _ => None,
        }
    }

    /// What a reply shows that is not as expected: an unknown command, or a type that cannot become right.
    pub fn of_reply(words: &[Vec<u8>], outcomes: &[&Outcome], reply: &Frame) -> Option<Self> {
        if let Some(error) = reply.as_error() {
            return missing(words, error).map(Self::Missing);
        }
        let [Outcome::Reply(pattern)] = outcomes else {
            return None;
        };
        let differ = kind_of_shape(&pattern.shape)? != kind_of_frame(reply)?;
        differ.then_some(Self::OtherType)
    }
}

/// The command as people call it: `GET`, `CLUSTER SHARDS`.
pub fn command_name(words: &[Vec<u8>]) -> String {
    let word = |at: usize| words.get(at).map(|word| upper(word));
    let first = word(0).unwrap_or_default();
    match word(1).filter(|_| CONTAINERS.contains(&first.as_str())) {
        Some(second) => format!("{first} {second}"),
        None => first,
    }
}

/// The command that an error says is unknown, if it says so.
pub fn missing(words: &[Vec<u8>], error: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(error).to_lowercase();
    let unknown = ["unknown", "unsupported", "unrecognized"];
    if !unknown.iter().any(|word| text.contains(word)) || !text.contains("command") {
        return None;
    }
    let (first, both) = (upper(words.first()?), command_name(words));
    let of_both = [both.to_lowercase(), both.to_lowercase().replace(' ', "|")];
    let below = ["subcommand", "sub-command"]
        .iter()
        .any(|word| text.contains(word));
    let names_both = of_both.iter().any(|name| text.contains(name));
    let names_first = text.contains(&first.to_lowercase());
    Some(if below || names_both || !names_first {
        both
    } else {
        first
    })
}

fn upper(word: &[u8]) -> String {
    shardlab::wire::resp::escape(word).to_uppercase()
}

/// What a reply is, as far as it does not depend on the state of the server or on the protocol.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Status,
    Number,
    Text,
    Parts,
}

fn kind_of_shape(shape: &Shape) -> Option<Kind> {
    Some(match shape {
        Shape::SimpleString(_) => Kind::Status,
        Shape::Integer(_) => Kind::Number,
        Shape::BulkString(_) | Shape::Text(_) => Kind::Text,
        Shape::Array(..) | Shape::Set(..) | Shape::Map(..) => Kind::Parts,
        _ => return None,
    })
}

fn kind_of_frame(frame: &Frame) -> Option<Kind> {
    Some(match frame.plain() {
        Value::SimpleString(_) => Kind::Status,
        Value::Integer(_) => Kind::Number,
        Value::BulkString(_) | Value::VerbatimString { .. } => Kind::Text,
        Value::Array(_) | Value::Set(_) | Value::Map(_) => Kind::Parts,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::transcript;
    use crate::transcript::ast::{Expected, StepKind};

    fn words(text: &str) -> Vec<Vec<u8>> {
        text.split(' ')
            .map(|word| word.as_bytes().to_vec())
            .collect()
    }

    #[test]
    fn an_unknown_command_is_named_as_far_as_it_is_unknown() {
        for (command, error, name) in [
            (
                "get a",
                "ERR unknown command 'get', with args beginning with: 'a' ",
                Some("GET"),
            ),
            (
                "CLUSTER SHARDS",
                "ERR unknown subcommand 'SHARDS'. Try CLUSTER HELP.",
                Some("CLUSTER SHARDS"),
            ),
            (
                "CLUSTER LINKS",
                "ERR Unknown subcommand or wrong number of arguments for 'LINKS'. Try CLUSTER HELP.",
                Some("CLUSTER LINKS"),
            ),
            (
                "CLUSTER INFO",
                "ERR unknown command `CLUSTER`",
                Some("CLUSTER"),
            ),
            (
                "cluster info",
                "ERR unsupported command 'cluster|info'",
                Some("CLUSTER INFO"),
            ),
            (
                "CLUSTER SLOTS",
                "ERR unknown command",
                Some("CLUSTER SLOTS"),
            ),
            ("GET a", "ERR unknown command", Some("GET")),
            ("GET a", "MOVED 15495 127.0.0.1:7003", None),
            ("CLUSTER FAILOVER", "ERR Unknown node 7", None),
        ] {
            let missing = missing(&words(command), error.as_bytes());
            assert_eq!(missing.as_deref(), name, "{error}");
        }
    }

    #[test]
    fn only_a_type_that_no_state_of_the_server_gives_is_hopeless() {
        let cause = |expected: &str, reply: Value| {
            let transcript = transcript(&format!("n1> PING\n{expected}\n"));
            let StepKind::Send(pipeline) = &transcript.body.steps[0].kind.value else {
                panic!()
            };
            let Expected::Always(answer) = &pipeline.exchanges[0].expected else {
                panic!()
            };
            let outcomes: Vec<_> = answer.outcomes.iter().map(|one| &one.value).collect();
            Cause::of_reply(&words("PING"), &outcomes, &Frame::from_value(reply))
        };
        let status = || Value::SimpleString("OK".into());
        let moved = Value::SimpleError("MOVED 1 127.0.0.1:7001".into());
        let text = Value::BulkString("OK".into());
        for (expected, reply, cause_of_it) in [
            ("(integer) 1", status(), Some(Cause::OtherType)),
            ("(integer) 1", Value::Integer(2), None),
            ("\"1\"", Value::NullBulkString, None),
            ("(nil)", status(), None),
            ("(integer) 1\n(or)\nOK", text, None),
            ("(error) MOVED 1 <n1>", status(), None),
            ("OK", moved, None),
        ] {
            assert_eq!(cause(expected, reply), cause_of_it, "{expected}");
        }
    }
}
