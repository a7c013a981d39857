//! What the nodes of a cluster are to have alike besides the data: functions, users, and settings that were
//! changed while they run. Nothing of it goes over the cluster bus.

use std::collections::{BTreeMap, BTreeSet};

use crate::client::Connection;
use crate::resp::Frame;
use crate::wait::Deadline;

/// Settings of a node's own: where it listens and works, by what name it is known, its secrets, its rank
/// among replicas, and how much it logs. `src/config.c` of Redis 5.0 to 8.2 and Valkey 8.1 to 9.1.
const OWN: [&str; 28] = [
    "aclfile",
    "availability-zone",
    "bind",
    "bind-source-addr",
    "cluster-config-file",
    "cluster-port",
    "cluster-replica-no-failover",
    "dir",
    "key-file-pass",
    "logfile",
    "loglevel",
    "masterauth",
    "masteruser",
    "pidfile",
    "port",
    "primaryauth",
    "primaryuser",
    "proc-title-template",
    "replica-priority",
    "replicaof",
    "requirepass",
    "rdma-bind",
    "rdma-port",
    "tls-key-file-pass",
    "tls-client-key-file-pass",
    "tls-port",
    "unixsocket",
    "unixsocketperm",
];

/// What one node has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Equipment {
    /// The code of each library of functions (Redis 7.0).
    pub libraries: BTreeMap<String, String>,
    /// The rules of each user but `default`, as ACL LIST gives them (Redis 6.0).
    pub users: BTreeMap<String, String>,
    /// The values of the settings that are not a node's own.
    pub settings: BTreeMap<String, String>,
}

impl Equipment {
    /// Asks a node. A server that does not know a command has nothing of its kind.
    ///
    /// # Errors
    /// The node does not answer, or refuses, with the reason.
    pub(crate) async fn ask(
        connection: &mut Connection,
        deadline: Deadline,
    ) -> Result<Self, String> {
        const QUESTIONS: [&[&str]; 3] = [
            &["FUNCTION", "LIST", "WITHCODE"],
            &["ACL", "LIST"],
            &["CONFIG", "GET", "*"],
        ];
        let replies = connection.pipeline(&QUESTIONS, deadline).await;
        let replies = replies.map_err(|error| error.to_string())?;
        let mut answers = QUESTIONS.iter().zip(&replies);
        let mut next = || {
            answers
                .next()
                .map_or(Ok(&[][..]), |(words, reply)| entries(words, reply))
        };
        let strange = |what: &str| format!("its {what} cannot be understood");
        let libraries: Option<_> = next()?.iter().map(library).collect();
        let users: Option<BTreeMap<_, _>> = next()?.iter().map(user).collect();
        let mut users = users.ok_or_else(|| strange("ACL LIST"))?;
        // Its password is set when a node is started.
        users.remove("default");
        Ok(Self {
            libraries: libraries.ok_or_else(|| strange("FUNCTION LIST"))?,
            users,
            settings: settings(next()?).ok_or_else(|| strange("CONFIG GET"))?,
        })
    }

    /// What all of these nodes have alike: the libraries of which there is one version, whoever has it;
    /// the users and the settings that every one has, with the same rules and values.
    pub(crate) fn common<'a>(of: impl IntoIterator<Item = &'a Self>) -> Self {
        let all: Vec<&Self> = of.into_iter().collect();
        let by = |part: fn(&Self) -> &BTreeMap<String, String>, all_have: bool| {
            let names: BTreeSet<&String> = all.iter().flat_map(|one| part(one).keys()).collect();
            let one_value = |name: &String| {
                let mut values = all.iter().filter_map(|one| part(one).get(name));
                let holders = values.clone().count();
                let first = values.next()?;
                let alike = values.all(|value| value == first);
                let enough = !all_have || holders == all.len();
                (alike && enough).then(|| (name.clone(), first.clone()))
            };
            names.into_iter().filter_map(one_value).collect()
        };
        Self {
            libraries: by(|one| &one.libraries, false),
            users: by(|one| &one.users, true),
            settings: by(|one| &one.settings, true),
        }
    }
}

/// The command that gives a node a user with exactly these rules.
pub(crate) fn set_user<'a>(name: &'a str, rules: &'a str) -> Vec<&'a str> {
    let words = rules.split_ascii_whitespace();
    ["ACL", "SETUSER", name, "reset"]
        .into_iter()
        .chain(words)
        .collect()
}

/// One entry of FUNCTION LIST: names and values in turn (`functionListCommand`, `functions.c`).
fn library(entry: &Frame) -> Option<(String, String)> {
    let field = |name: &str| {
        let mut pairs = entry.as_array()?.chunks_exact(2);
        pairs.find_map(|pair| match pair {
            [key, value] if key.as_text() == Some(name.as_bytes()) => text(value),
            _ => None,
        })
    };
    Some((field("library_name")?, field("library_code")?))
}

/// One line of ACL LIST, `user NAME RULE …` (`aclCommand`, `acl.c`). Redis 6.2 and 7.0 write down
/// `sanitize-payload`, which always holds unless a rule says otherwise, only if a user was reset.
fn user(line: &Frame) -> Option<(String, String)> {
    let line = text(line)?;
    let (name, rules) = line.strip_prefix("user ")?.split_once(' ')?;
    let rules = rules.split_ascii_whitespace();
    let rules: Vec<_> = rules.filter(|rule| *rule != "sanitize-payload").collect();
    Some((name.to_owned(), rules.join(" ")))
}

/// CONFIG GET: names and values in turn. Of two names of one setting the newer one counts.
fn settings(reply: &[Frame]) -> Option<BTreeMap<String, String>> {
    let pairs = reply.chunks_exact(2).map(|pair| match pair {
        [key, value] => Some((text(key)?, text(value)?)),
        _ => None,
    });
    let mut settings: BTreeMap<String, String> = pairs.collect::<Option<_>>()?;
    let names: BTreeSet<String> = settings.keys().cloned().collect();
    settings.retain(|name, _| {
        // `slaveof` became `replicaof`.
        let newer = name.replace("slave", "replica");
        let own = OWN.contains(&newer.as_str())
            || newer.starts_with("cluster-announce-")
            || newer.starts_with("replica-announce-");
        !own && (newer == *name || !names.contains(&newer))
    });
    Some(settings)
}

/// The entries of a list; none, if the server does not know the command.
fn entries<'a>(question: &[&str], reply: &'a Frame) -> Result<&'a [Frame], String> {
    let is_absent = |error: &[u8]| {
        let error = String::from_utf8_lossy(error).to_ascii_lowercase();
        error.contains("unknown command")
    };
    match (reply.as_array(), reply.as_error()) {
        (Some(entries), _) => Ok(entries),
        (None, Some(error)) if is_absent(error) => Ok(&[]),
        (None, error) => {
            let said = crate::resp::escape(error.unwrap_or(&reply.raw));
            Err(format!("`{}`: {said}", question.join(" ")))
        }
    }
}

fn text(frame: &Frame) -> Option<String> {
    Some(String::from_utf8_lossy(frame.as_text()?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::Value;

    fn bulk(text: &str) -> Frame {
        Frame::from_value(Value::BulkString(text.as_bytes().to_vec().into()))
    }

    fn equipment(library: Option<&str>, user: Option<&str>, maxmemory: &str) -> Equipment {
        let one = |name: &str, value: Option<&str>| {
            let pair = value.map(|value| (name.to_owned(), value.to_owned()));
            pair.into_iter().collect()
        };
        Equipment {
            libraries: one("lib", library),
            users: one("alice", user),
            settings: one("maxmemory", Some(maxmemory)),
        }
    }

    #[test]
    fn a_user_is_set_to_exactly_the_rules_of_its_line() {
        let line = "user alice on sanitize-payload #ab ~k* resetchannels -@all +get (~x* +set)";
        let (name, rules) = user(&bulk(line)).unwrap();
        assert_eq!(
            set_user(&name, &rules).join(" "),
            "ACL SETUSER alice reset on #ab ~k* resetchannels -@all +get (~x* +set)"
        );
        assert_eq!(user(&bulk("no user")), None);
    }

    #[test]
    fn settings_of_a_nodes_own_and_older_names_are_left_out() {
        let words = [
            "port",
            "7001",
            "slaveof",
            "",
            "slave-priority",
            "10",
            "cluster-announce-hostname",
            "n1",
            "repl-timeout",
            "60",
            "slave-read-only",
            "yes",
            "replica-read-only",
            "yes",
            "slave-lazy-flush",
            "no",
        ];
        let settings = settings(&words.map(bulk)).unwrap();
        let names: Vec<_> = settings.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            ["repl-timeout", "replica-read-only", "slave-lazy-flush"]
        );
    }

    #[test]
    fn a_library_of_one_version_is_common_and_a_user_or_a_setting_must_be_everywhere() {
        let all = [
            equipment(Some("code"), Some("on"), "0"),
            equipment(None, None, "1"),
        ];
        let common = Equipment::common(&all);
        assert_eq!(common.libraries["lib"], "code");
        assert!(common.users.is_empty() && common.settings.is_empty());
        let all = [
            equipment(Some("code"), Some("on"), "1"),
            equipment(Some("other"), Some("on"), "1"),
        ];
        let common = Equipment::common(&all);
        assert!(common.libraries.is_empty());
        assert_eq!(
            (common.users.len(), &*common.settings["maxmemory"]),
            (1, "1")
        );
    }
}
