//! The manifest of an archive: what it holds, and what an archive may hold. Pure.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::Damage;
use crate::config::directive::split_words;
use crate::config::{CLUSTER_FILE, CONFIG_FILE, LOG_FILE, PID_FILE, SENTINEL_FILE};
use crate::machine::text::excerpt;
use crate::plan::{MAX_NODES, NodePlan, Options, Setting};
use crate::server::Identity;
use crate::state::Name;

/// The version of the manifest that this program writes and reads.
pub(super) const SCHEMA: u32 = 1;
/// The first member of every archive.
pub(super) const MANIFEST: &str = "manifest.json";
/// The most that a manifest may have, in bytes: one of [`MAX_NODES`] nodes has a quarter of it.
pub(super) const MANIFEST_LIMIT: u64 = 4 << 20;
/// The most files that a node may have in an archive: an append-only file in parts has a handful.
const MOST_FILES: usize = 1000;
/// The most that a nodes.conf may have: of [`MAX_NODES`] nodes and 16384 ranges it has a tenth of it.
pub(super) const NODES_CONF_LIMIT: u64 = 4 << 20;
/// The data of a node that ran.
const SNAPSHOT: &str = "snapshot.rdb";
/// The folder of files that are kept as they were.
const DATA: &str = "data";
/// The longest path in an archive: what a tar header holds without extensions.
const PATH_LIMIT: usize = 100;

/// The first member of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of this structure.
    pub schema: u32,
    /// The name of the cluster that was saved.
    pub name: Name,
    /// What it was started with, passwords included.
    pub options: Options,
    /// What it ran on.
    pub server: Identity,
    /// The node that was the master, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub master: Option<String>,
    /// Names of nodes that it once had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retired: Vec<String>,
    /// How many replicas each master has, if that is not what the options say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reshaped: Option<Vec<usize>>,
    /// Its nodes, in the cluster's order.
    pub nodes: Vec<SavedNode>,
}

/// One node in a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedNode {
    /// Its name, its role at birth, and the ports that it had.
    pub plan: NodePlan,
    /// Its files, in the archive's order.
    pub files: Vec<SavedFile>,
}

/// One file in a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedFile {
    /// Its path below the node's name, one of those that [`super`] shows.
    pub path: String,
    /// Bytes.
    pub length: u64,
    /// SHA-256, 64 hex digits.
    pub sha256: String,
}

/// What a file of a node is, by its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FileKind {
    /// What it remembers of the cluster.
    NodesConf,
    /// Its data, as BGSAVE has written it.
    Snapshot,
    /// A file at this place in the node's folder.
    Data(String),
}

impl FileKind {
    /// Takes the path below a node's name apart.
    pub(super) fn parse(path: &str) -> Result<Self, &'static str> {
        if path == CLUSTER_FILE {
            return Ok(Self::NodesConf);
        }
        if path == SNAPSHOT {
            return Ok(Self::Snapshot);
        }
        let Some((DATA, place)) = path.split_once('/') else {
            return Err("it is neither nodes.conf nor snapshot.rdb nor below data/");
        };
        let parts: Vec<_> = place.split('/').collect();
        let ours = [CONFIG_FILE, SENTINEL_FILE, LOG_FILE, PID_FILE, CLUSTER_FILE];
        if parts
            .iter()
            .any(|part| part.is_empty() || part.starts_with('.'))
        {
            Err("a part of it is empty or begins with a dot")
        } else if parts.len() > 2 {
            Err("it lies too deep")
        } else if place
            .chars()
            .any(|letter| letter.is_control() || letter == '\\')
        {
            Err("it holds a control character or a backslash")
        } else if parts.first().is_some_and(|first| ours.contains(first)) {
            Err("shardlab writes that file itself")
        } else {
            Ok(Self::Data(place.to_owned()))
        }
    }

    /// The path below the node's name.
    pub(super) fn path(&self) -> String {
        match self {
            Self::NodesConf => CLUSTER_FILE.to_owned(),
            Self::Snapshot => SNAPSHOT.to_owned(),
            Self::Data(place) => format!("{DATA}/{place}"),
        }
    }
}

/// The path of a node's file in the archive; refused if it does not fit a tar header.
pub(super) fn member_path(node: &str, path: &str) -> Result<String, &'static str> {
    let whole = format!("{node}/{path}");
    if whole.len() <= PATH_LIMIT {
        Ok(whole)
    } else {
        Err("it is too long")
    }
}

/// The part of a manifest that says how to read the rest.
#[derive(Deserialize)]
struct Versioned {
    schema: u64,
}

impl Manifest {
    /// Reads a manifest and checks all that can be checked without the files.
    ///
    /// # Errors
    /// The first [`Damage`].
    pub fn parse(text: &[u8]) -> Result<Self, Damage> {
        let unread = |error: serde_json::Error| Damage::Manifest(error.to_string());
        let versioned: Versioned = serde_json::from_slice(text).map_err(unread)?;
        if versioned.schema != u64::from(SCHEMA) {
            return Err(Damage::Schema {
                given: versioned.schema,
                known: SCHEMA,
            });
        }
        let manifest: Self = serde_json::from_slice(text).map_err(unread)?;
        manifest.check()?;
        Ok(manifest)
    }

    /// How many bytes all files have.
    pub fn length(&self) -> u64 {
        let files = self.nodes.iter().flat_map(|node| &node.files);
        files.fold(0, |sum, file| sum.saturating_add(file.length))
    }

    fn check(&self) -> Result<(), Damage> {
        if self.nodes.is_empty() || self.nodes.len() > MAX_NODES {
            return Err(Damage::NodeCount(self.nodes.len()));
        }
        self.options.settings.iter().try_for_each(check_setting)?;
        if let Some(name) = self.retired.iter().find(|name| !is_node_name(name)) {
            return Err(Damage::NodeName(excerpt(name.as_bytes(), 40, 0)));
        }
        let masters = self.nodes.iter().map(|node| &node.plan.name);
        if let Some(master) = &self.master
            && !masters.into_iter().any(|name| name == master)
        {
            return Err(Damage::NodeName(escaped(master)));
        }
        let mut names = HashSet::new();
        let mut paths = HashSet::new();
        for node in &self.nodes {
            let name = &node.plan.name;
            if !is_node_name(name) {
                return Err(Damage::NodeName(escaped(name)));
            }
            if !names.insert(name) {
                return Err(Damage::NodeTwice(name.clone()));
            }
            if node.files.len() > MOST_FILES {
                return Err(Damage::FileCount {
                    node: name.clone(),
                    files: node.files.len(),
                });
            }
            for file in &node.files {
                let path = check_file(name, file)?;
                if !paths.insert(path.clone()) {
                    return Err(Damage::FileTwice(path));
                }
            }
        }
        Ok(())
    }
}

/// Directives whose value is the name of a file or folder in the node's own.
pub(super) const FILE_NAMES: [&str; 3] = ["dbfilename", "appendfilename", "appenddirname"];

/// A setting becomes a line of a config, and these names are where data is unpacked to.
fn check_setting(setting: &Setting) -> Result<(), Damage> {
    setting
        .check()
        .map_err(|error| Damage::Setting(escaped(&error.to_string())))?;
    if !FILE_NAMES.contains(&setting.key.as_str()) {
        return Ok(());
    }
    let words = split_words(&setting.value).unwrap_or_default();
    let is_plain = |word: &[u8]| {
        let special = |byte: &u8| *byte == b'/' || *byte == b'\\' || byte.is_ascii_control();
        !word.is_empty() && !word.starts_with(b".") && !word.iter().any(special)
    };
    match words.as_slice() {
        [word] if is_plain(word) => Ok(()),
        _ => Err(Damage::FileName {
            key: setting.key.clone(),
            value: escaped(&setting.value),
        }),
    }
}

fn check_file(node: &str, file: &SavedFile) -> Result<String, Damage> {
    let refuse = |reason| Damage::Path {
        path: escaped(&file.path),
        reason,
    };
    let kind = FileKind::parse(&file.path).map_err(refuse)?;
    let path = member_path(node, &file.path).map_err(refuse)?;
    if kind == FileKind::NodesConf && file.length > NODES_CONF_LIMIT {
        return Err(Damage::Length {
            path,
            length: file.length,
        });
    }
    let is_hex = |digit: u8| digit.is_ascii_hexdigit() && !digit.is_ascii_uppercase();
    if file.sha256.len() != 64 || !file.sha256.bytes().all(is_hex) {
        return Err(Damage::Sum(path));
    }
    Ok(path)
}

/// Whether a name is one that plans give: `n1`, `r1b`, `s3`. It becomes a folder's name.
fn is_node_name(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(['n', 'r', 's']) else {
        return false;
    };
    let number = rest
        .strip_suffix(|letter: char| letter.is_ascii_lowercase())
        .unwrap_or(rest);
    (1..=5).contains(&number.len()) && number.bytes().all(|digit| digit.is_ascii_digit())
}

/// Text of a stranger's, fit for an error: escaped, and cut.
pub(super) fn escaped(text: &str) -> String {
    const MOST: usize = 200;
    let bytes = text.as_bytes();
    match bytes.get(..MOST) {
        Some(beginning) if bytes.len() > MOST => {
            format!("{}…", crate::wire::resp::escape(beginning))
        }
        _ => crate::wire::resp::escape(bytes),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn sound() -> Value {
        let sum = "0".repeat(64);
        json!({
            "schema": 1,
            "name": "default",
            "options": Options { masters: 1, replicas: vec![0], ..Options::default() },
            "server": { "product": "valkey", "version": "9.1.2" },
            "nodes": [{
                "plan": { "name": "n1", "role": "master", "shard": 0, "port": 7001, "bus_port": 17001, "slots": "0-16383" },
                "files": [
                    { "path": "nodes.conf", "length": 10, "sha256": sum },
                    { "path": "data/appendonlydir/appendonly.aof.1.base.rdb", "length": 88, "sha256": sum },
                ],
            }],
        })
    }

    fn refusal(change: impl FnOnce(&mut Value)) -> String {
        let mut manifest = sound();
        change(&mut manifest);
        Manifest::parse(manifest.to_string().as_bytes())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_sound_manifest_is_read_and_written_the_same() {
        let manifest = Manifest::parse(sound().to_string().as_bytes()).unwrap();
        assert_eq!(manifest.length(), 98);
        assert_eq!(serde_json::to_value(&manifest).unwrap(), sound());
    }

    #[test]
    fn a_manifest_that_cannot_be_ours_is_refused_with_the_reason() {
        let file = |change: fn(&mut Value)| {
            refusal(|manifest| change(&mut manifest["nodes"][0]["files"][1]))
        };
        let setting = |key: &str, value: &str| {
            refusal(|it| it["options"]["settings"] = json!([{ "key": key, "value": value }]))
        };
        let table = [
            (
                refusal(|it| it["schema"] = json!(2)),
                "it has schema 2, this shardlab knows 1",
            ),
            (refusal(|it| it["more"] = json!(1)), "unknown field `more`"),
            (
                refusal(|it| it["name"] = json!("../x")),
                "cannot be a cluster's name",
            ),
            (refusal(|it| it["nodes"] = json!([])), "it has 0 nodes"),
            (
                refusal(|it| it["nodes"][0]["plan"]["name"] = json!("..")),
                "`..` is not the name of a node",
            ),
            (
                refusal(|it| it["nodes"][0]["plan"]["name"] = json!("n")),
                "`n` is not the name of a node",
            ),
            (
                refusal(|it| it["nodes"][0]["plan"]["name"] = json!("n1/x")),
                "is not the name of a node",
            ),
            (
                refusal(|it| {
                    let node = it["nodes"][0].clone();
                    it["nodes"].as_array_mut().unwrap().push(node);
                }),
                "node `n1` is in it twice",
            ),
            (
                file(|it| it["path"] = json!("nodes.conf")),
                "`n1/nodes.conf` is in it twice",
            ),
            (
                file(|it| it["path"] = json!("data/../../x")),
                "begins with a dot",
            ),
            (
                file(|it| it["path"] = json!("/etc/passwd")),
                "neither nodes.conf",
            ),
            (file(|it| it["path"] = json!("data//etc")), "is empty"),
            (file(|it| it["path"] = json!("data/a/b/c")), "too deep"),
            (
                file(|it| it["path"] = json!("data/node.conf")),
                "writes that file itself",
            ),
            (
                setting("save=\nloadmodule x", "1"),
                "its setting is not valid",
            ),
            (setting("save", "1\nport 1"), "control character"),
            (setting("logfile", "/tmp/x"), "decided by shardlab"),
            (setting("DBFILENAME", "/tmp/x"), "its setting is not valid"),
            (
                setting("dbfilename", "/tmp/x"),
                "`/tmp/x`, which is not the name of a file",
            ),
            (
                setting("appendfilename", "\"\\x2e./x\""),
                "which is not the name of a file",
            ),
            (
                setting("appenddirname", ""),
                "which is not the name of a file",
            ),
            (
                file(|it| it["path"] = json!("data/a\u{1b}[2J")),
                r"`data/a\x1b[2J`",
            ),
            (
                file(|it| it["path"] = json!(format!("data/{}", "x".repeat(100)))),
                "too long",
            ),
            (file(|it| it["sha256"] = json!("0")), "no SHA-256"),
            (file(|it| it["length"] = json!(-1)), "cannot be read"),
            (
                refusal(|it| it["nodes"][0]["files"][0]["length"] = json!(u64::MAX)),
                "more than it may have",
            ),
        ];
        for (found, expected) in table {
            assert!(
                found.contains(expected),
                "{found:?} does not say {expected:?}"
            );
        }
    }

    #[test]
    fn a_manifest_that_costs_more_than_any_of_ours_or_hides_something_is_refused() {
        let table = [
            (
                refusal(|it| {
                    let file = it["nodes"][0]["files"][1].clone();
                    it["nodes"][0]["files"] = vec![file; 1001].into();
                }),
                "node `n1` has 1001 files",
            ),
            (
                refusal(|it| it["retired"] = json!(["n4", "../x"])),
                "`../x` is not the name of a node",
            ),
            (
                refusal(|it| it["server"]["product"] = json!("\u{1b}[2J")),
                "not a product's name",
            ),
        ];
        for (found, expected) in table {
            assert!(found.contains(expected), "{found:?}, not {expected:?}");
        }
    }

    proptest! {
        #[test]
        fn no_path_leads_out_of_a_nodes_folder(path in "(data/)?[./a-z\\\\\0-]{0,12}") {
            if let Ok(FileKind::Data(place)) = FileKind::parse(&path) {
                let plain = |part: std::path::Component<'_>| matches!(part, std::path::Component::Normal(_));
                prop_assert!(std::path::Path::new(&place).components().all(plain), "{place}");
                prop_assert!(!place.is_empty() && !place.starts_with('/'));
                prop_assert_eq!(FileKind::parse(&path).unwrap().path(), path);
            }
        }

        #[test]
        fn no_text_breaks_the_parser(text in ".{0,200}") {
            prop_assert!(Manifest::parse(text.as_bytes()).is_err());
        }
    }
}
