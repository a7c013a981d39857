//! Directives that a user passes through: words, quotes, and which ones are ours.
//! Pure.
//!
//! A config line is split as the server does it (`sdssplitargs`, sds.c, Redis 5 to Valkey 9):
//! words between blanks, `"…"` with backslash escapes, `'…'` with `\'` only.

use std::fmt;

use crate::machine::message::{Text, run, text};
use crate::machine::parameter::Parameter;
use crate::plan::Setting;

/// Why a setting is refused.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingError {
    /// No `=` in it.
    NoValue(String),
    /// A name that no directive has.
    Name {
        /// The whole argument.
        given: String,
        /// Where in the name, from 0.
        offset: usize,
        /// What stands there.
        found: char,
    },
    /// Nothing before the `=`.
    NoName(String),
    /// Quotes that do not close, or a character that cannot stand in a config file.
    Value {
        /// The directive.
        key: String,
        /// Its value.
        value: String,
        /// Where in the value, from 0.
        offset: usize,
        /// What is wrong there.
        what: &'static str,
    },
    /// A directive that the launcher decides.
    Reserved {
        /// The directive.
        key: String,
        /// What to use instead.
        instead: Text,
    },
}

impl SettingError {
    /// What is wrong.
    pub fn message(&self) -> Text {
        let set = |given: &str| Parameter::Set.as_part(given);
        match self {
            Self::NoValue(given) => text![
                set(given),
                " lacks `=`; write ",
                set("DIRECTIVE=VALUE"),
                ", such as ",
                set("maxmemory=100mb")
            ],
            Self::Name {
                given,
                offset,
                found,
            } => text![
                set(given),
                format!(
                    ": byte {offset} of the directive's name is {found:?}; names are made of a-z, 0-9, `-`, `_` and `.`"
                )
            ],
            Self::NoName(given) => {
                text![set(given), ": the directive before `=` is missing"]
            }
            Self::Value {
                key,
                value,
                offset,
                what,
            } => text![
                set(&format!("{key}={value}")),
                format!(": {what} at byte {offset} of the value")
            ],
            Self::Reserved { key, instead } => text![
                set(&format!("{key}=…")),
                format!(": {key} is decided by shardlab; ")
            ]
            .and(instead.clone()),
        }
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message().fmt(f)
    }
}

impl std::error::Error for SettingError {}

/// What decides a directive that is not the user's to set.
fn instead(key: &str) -> Option<Text> {
    use Parameter::{
        Announce, Bind, BusPort, Dir, DownAfter, Ephemeral, FailoverTimeout, Foreground, Json,
        MasterName, NodeTimeout, Password, Persist, Port, Ports, Quorum, Replicas, Set, Topology,
    };
    Some(match key {
        "port" => text!["use ", Port, " or ", Ports],
        "tls-port" => text!["TLS is not supported yet"],
        "cluster-port" => text!["use ", BusPort],
        "bind" => text!["use ", Bind],
        "protected-mode" => text!["it follows ", Bind, " and ", Password],
        "requirepass" | "masterauth" | "primaryauth" => text!["use ", Password],
        "dir" => text!["use ", Dir],
        "daemonize" | "supervised" => {
            text!["use ", Foreground, " to keep the launcher in front"]
        }
        "logfile" => text!["the log is in the node's folder; see ", run("logs")],
        "pidfile" => text!["process ids are in ", run("status").flag(Json)],
        "include" => text!["give each directive with its own ", Set],
        "appendonly" => text!["use ", Persist, " or ", Ephemeral],
        "cluster-enabled" => text!["use ", Topology],
        "sentinel" => text![
            "use ",
            MasterName,
            ", ",
            Quorum,
            ", ",
            DownAfter,
            " and ",
            FailoverTimeout
        ],
        "cluster-config-file" => text!["it is nodes.conf in the node's folder"],
        "cluster-node-timeout" => text!["use ", NodeTimeout],
        "cluster-announce-ip" | "cluster-announce-hostname" | "cluster-preferred-endpoint-type" => {
            text!["use ", Announce]
        }
        "cluster-announce-port" => {
            text!["it is the client port; use ", Port, " or ", Ports]
        }
        "cluster-announce-bus-port" => text!["it is the bus port; use ", BusPort],
        "replicaof" | "slaveof" => text!["use ", Topology, " and ", Replicas],
        _ => return None,
    })
}

impl Setting {
    /// Parses `DIRECTIVE=VALUE`. The value may hold several words and quotes, as in a config file;
    /// an empty value is the empty string (`save=`).
    ///
    /// # Errors
    /// [`SettingError`], with the offset of what is wrong.
    pub fn parse(text: &str) -> Result<Self, SettingError> {
        let (key, value) = text
            .split_once('=')
            .ok_or_else(|| SettingError::NoValue(text.to_owned()))?;
        let setting = Self {
            key: key.trim().to_ascii_lowercase(),
            value: value.to_owned(),
        };
        setting.check()?;
        Ok(setting)
    }

    /// Whether it is one that [`Setting::parse`] gives: not all settings are made by it.
    ///
    /// # Errors
    /// As [`Setting::parse`].
    pub fn check(&self) -> Result<(), SettingError> {
        let Self { key, value } = self;
        let given = || format!("{key}={value}");
        if key.is_empty() {
            return Err(SettingError::NoName(given()));
        }
        let stray = key
            .char_indices()
            .find(|(_, c)| !matches!(c, 'a'..='z' | '0'..='9' | '-' | '_' | '.'));
        if let Some((offset, found)) = stray {
            return Err(SettingError::Name {
                given: given(),
                offset,
                found,
            });
        }
        if let Some(instead) = instead(key) {
            return Err(SettingError::Reserved {
                key: key.clone(),
                instead,
            });
        }
        match split_words(value) {
            Ok(_) => Ok(()),
            Err((offset, what)) => Err(SettingError::Value {
                key: key.clone(),
                value: value.clone(),
                offset,
                what,
            }),
        }
    }
}

/// Whether a command has another name by these settings, or none.
pub fn is_renamed(settings: &[Setting], command: &str) -> bool {
    let renames = settings
        .iter()
        .filter(|setting| setting.key == "rename-command");
    let mut commands =
        renames.filter_map(|setting| split_words(&setting.value).ok()?.into_iter().next());
    commands.any(|renamed| renamed.eq_ignore_ascii_case(command.as_bytes()))
}

/// Splits the value of a directive into its words; an empty value is one empty word.
///
/// # Errors
/// The offset of what cannot stand in a config line, and what it is.
pub fn split_words(value: &str) -> Result<Vec<Vec<u8>>, (usize, &'static str)> {
    if let Some((offset, _)) = value
        .char_indices()
        .find(|(_, c)| c.is_control() && *c != '\t')
    {
        return Err((
            offset,
            "a control character (write it as \\n or \\x07 between double quotes)",
        ));
    }
    let mut words = Vec::new();
    let mut rest = value;
    loop {
        rest = rest.trim_start();
        let at = value.len() - rest.len();
        let (word, length) = match rest.chars().next() {
            None => break,
            Some('"') => double_quoted(rest).ok_or((at, "a double quote that is not closed"))?,
            Some('\'') => single_quoted(rest).ok_or((at, "a single quote that is not closed"))?,
            Some(_) => {
                let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
                (
                    rest.as_bytes().iter().take(length).copied().collect(),
                    length,
                )
            }
        };
        words.push(word);
        rest = rest.get(length..).unwrap_or_default();
        if rest.chars().next().is_some_and(|c| !c.is_whitespace()) {
            return Err((at + length, "text right behind a closing quote"));
        }
    }
    if words.is_empty() {
        words.push(Vec::new());
    }
    Ok(words)
}

/// The unescaped inside of a leading `"…"` and the length of the whole.
fn double_quoted(text: &str) -> Option<(Vec<u8>, usize)> {
    let end = closing(text, b'"')?;
    let inside = crate::wire::resp::unescape(text.get(1..end)?).ok()?;
    Some((inside, end + 1))
}

/// The same for `'…'`, in which only `\'` is an escape.
fn single_quoted(text: &str) -> Option<(Vec<u8>, usize)> {
    let end = closing(text, b'\'')?;
    Some((text.get(1..end)?.replace("\\'", "'").into_bytes(), end + 1))
}

/// Where the quote that opens `text` is closed.
fn closing(text: &str, quote: u8) -> Option<usize> {
    let mut escaped = false;
    text.bytes().enumerate().skip(1).find_map(|(at, byte)| {
        let closes = byte == quote && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes.then_some(at)
    })
}

/// A word as it may stand in a config file: bare if nothing in it is special, else quoted.
pub fn quote(word: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./:,+@%~".contains(byte);
    if !word.is_empty() && word.iter().all(plain) {
        return word.iter().copied().map(char::from).collect();
    }
    format!("\"{}\"", crate::wire::resp::escape(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(value: &str) -> Vec<String> {
        split_words(value)
            .unwrap()
            .into_iter()
            .map(|word| String::from_utf8(word).unwrap())
            .collect()
    }

    #[test]
    fn a_value_is_split_as_the_server_splits_a_line() {
        assert_eq!(
            words("replica 256mb 64mb 60"),
            ["replica", "256mb", "64mb", "60"]
        );
        assert_eq!(words(r#""a b" 'c d' e"#), ["a b", "c d", "e"]);
        assert_eq!(words(r#""tab\t\x41""#), ["tab\tA"]);
        assert_eq!(words(r"'it\'s'"), ["it's"]);
        assert_eq!(words(""), [""]);
    }

    #[test]
    fn nonsense_is_refused_with_its_place() {
        let message = |text: &str| Setting::parse(text).unwrap_err().to_string();
        assert!(message("maxmemory").contains("lacks `=`"));
        assert!(message("=1").contains("the directive before `=` is missing"));
        assert!(message("max memory=1").contains("byte 3"));
        assert!(message("a=\"b").contains("double quote that is not closed at byte 0"));
        assert!(message("a='b'c").contains("right behind a closing quote at byte 3"));
        assert!(message("a=b\nport 1").contains("control character"));
    }

    #[test]
    fn what_shardlab_decides_names_the_option_that_does_it() {
        assert!(
            Setting::parse("Port=7")
                .unwrap_err()
                .to_string()
                .ends_with("use `port` or `ports`")
        );
        assert!(
            Setting::parse("cluster-node-timeout=7")
                .unwrap_err()
                .to_string()
                .ends_with("use `node timeout`")
        );
    }

    #[test]
    fn quoted_words_are_read_back_as_they_were() {
        for word in [
            "",
            "plain-1.2",
            "two words",
            "quo\"te",
            "back\\slash",
            "line\nend",
            "é\u{7f}",
        ] {
            let quoted = quote(word.as_bytes());
            assert_eq!(split_words(&quoted).unwrap(), [word.as_bytes()], "{quoted}");
        }
    }
}
