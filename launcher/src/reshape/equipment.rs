//! What the nodes of a cluster are to have alike besides the data: functions, users, and settings that were
//! changed while they run. Nothing of it goes over the cluster bus.

use std::collections::{BTreeMap, BTreeSet};

use crate::machine::wait::Deadline;
use crate::wire::client::Connection;
use crate::wire::resp::Frame;

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

/// What one node has. Names and values are bytes, not text: code, patterns of keys and settings may hold any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Equipment {
    /// The code of each library of functions (Redis 7.0).
    pub libraries: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The rules of each user but `default`, as ACL LIST gives them (Redis 6.0).
    pub users: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The values of the settings that are not a node's own.
    pub settings: BTreeMap<Vec<u8>, Vec<u8>>,
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
        users.remove(b"default".as_slice());
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
        let by = |part: fn(&Self) -> &BTreeMap<Vec<u8>, Vec<u8>>, all_have: bool| {
            let names: BTreeSet<&Vec<u8>> = all.iter().flat_map(|one| part(one).keys()).collect();
            let one_value = |name: &Vec<u8>| {
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
pub(crate) fn set_user<'a>(name: &'a [u8], rules: &'a [u8]) -> Vec<&'a [u8]> {
    let start: [&[u8]; 4] = [b"ACL", b"SETUSER", name, b"reset"];
    start.into_iter().chain(words(rules)).collect()
}

/// One entry of FUNCTION LIST: names and values in turn (`functionListCommand`, `functions.c`).
fn library(entry: &Frame) -> Option<(Vec<u8>, Vec<u8>)> {
    let field = |name: &[u8]| {
        let mut pairs = entry.as_array()?.chunks_exact(2);
        pairs.find_map(|pair| match pair {
            [key, value] if key.as_text() == Some(name) => Some(value.as_text()?.to_vec()),
            _ => None,
        })
    };
    Some((field(b"library_name")?, field(b"library_code")?))
}

/// One line of ACL LIST, `user NAME RULE …` (`aclCommand`, `acl.c`). Redis 6.2 and 7.0 write down
/// `sanitize-payload`, which always holds unless a rule says otherwise, only if a user was reset.
fn user(line: &Frame) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut words = words(line.as_text()?);
    let name = words
        .next()
        .filter(|word| *word == b"user")
        .and(words.next())?;
    let rules: Vec<_> = words.filter(|rule| *rule != b"sanitize-payload").collect();
    Some((name.to_vec(), rules.join(&b' ')))
}

/// Names and rules of users hold no blanks, but any other bytes (`ACLStringHasSpaces`, `acl.c`).
fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b' ')
        .filter(|word| !word.is_empty())
}

/// CONFIG GET: names and values in turn. Of two names of one setting the newer one counts.
fn settings(reply: &[Frame]) -> Option<BTreeMap<Vec<u8>, Vec<u8>>> {
    let pairs = reply.chunks_exact(2).map(|pair| match pair {
        [key, value] => Some((str::from_utf8(key.as_text()?).ok()?, value.as_text()?)),
        _ => None,
    });
    let settings: BTreeMap<&str, &[u8]> = pairs.collect::<Option<_>>()?;
    let is_common = |name: &str| {
        // `slaveof` became `replicaof`.
        let newer = name.replace("slave", "replica");
        let own = OWN.contains(&newer.as_str())
            || newer.starts_with("cluster-announce-")
            || newer.starts_with("replica-announce-");
        !own && (newer == name || !settings.contains_key(newer.as_str()))
    };
    let common = settings.iter().filter(|(name, _)| is_common(name));
    Some(
        common
            .map(|(name, value)| (name.as_bytes().to_vec(), value.to_vec()))
            .collect(),
    )
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
            let said = crate::wire::resp::escape(error.unwrap_or(&reply.raw));
            Err(format!("`{}`: {said}", question.join(" ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::resp::Value;

    fn bulk(text: &[u8]) -> Frame {
        Frame::from_value(Value::BulkString(text.to_vec().into()))
    }

    fn equipment(library: Option<&str>, user: Option<&str>, maxmemory: &str) -> Equipment {
        let one = |name: &str, value: Option<&str>| {
            let pair = value.map(|value| (name.into(), value.into()));
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
        let line =
            b"user al\xffce on sanitize-payload #ab ~k\xfe* resetchannels -@all +get (~x* +set)";
        let (name, rules) = user(&bulk(line)).unwrap();
        assert_eq!(
            set_user(&name, &rules).join(&b' '),
            b"ACL SETUSER al\xffce reset on #ab ~k\xfe* resetchannels -@all +get (~x* +set)"
        );
        assert_eq!(user(&bulk(b"no user")), None);
    }

    #[test]
    fn code_that_is_not_text_stays_what_it_is() {
        let fields: [&[u8]; 4] = [b"library_name", b"lib", b"library_code", b"return '\xff'"];
        let entry = Frame::from_value(Value::Array(fields.map(bulk).to_vec()));
        let (name, code) = library(&entry).unwrap();
        assert_eq!((&*name, &*code), (&b"lib"[..], &b"return '\xff'"[..]));
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
        let settings = settings(&words.map(|word| bulk(word.as_bytes()))).unwrap();
        let names: Vec<_> = settings
            .keys()
            .map(|name| str::from_utf8(name).unwrap())
            .collect();
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
        assert_eq!(common.libraries[&b"lib"[..]], b"code");
        assert!(common.users.is_empty() && common.settings.is_empty());
        let all = [
            equipment(Some("code"), Some("on"), "1"),
            equipment(Some("other"), Some("on"), "1"),
        ];
        let common = Equipment::common(&all);
        assert!(common.libraries.is_empty());
        assert_eq!(
            (common.users.len(), &*common.settings[&b"maxmemory"[..]]),
            (1, &b"1"[..])
        );
    }
}
