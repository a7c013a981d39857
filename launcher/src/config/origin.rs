//! For which node of which cluster a config was written. Pure.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::config::directive::{quote, split_words};
use crate::server::Identity;

/// What the first line of every config holds that a launcher has written.
pub(super) const WRITTEN_BY: &str = ", written by shardlab for ";

/// What stands in the second line, before the cluster's folder.
const RECORD_IN: &str = "# The cluster's record is in ";

/// The first lines of a config of `node`, as in "Node n1", of the cluster whose folder is `folder`.
pub(super) fn header(node: &str, folder: &Path, server: &Identity) -> String {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    format!(
        "# {node} of the cluster {name}{WRITTEN_BY}{server}.\n{}\n",
        record_line(folder)
    )
}

fn record_line(folder: &Path) -> String {
    format!("{RECORD_IN}{}", quote(folder.as_os_str().as_bytes()))
}

/// The folder of the cluster that a config was written for; `None` if no launcher has written it, or
/// an older one.
pub fn cluster_folder(config: &str) -> Option<PathBuf> {
    let mut lines = config.lines();
    lines.next().filter(|first| is_first(first))?;
    let words = split_words(lines.next()?.strip_prefix(RECORD_IN)?).ok()?;
    match words.as_slice() {
        [word] => Some(PathBuf::from(OsStr::from_bytes(word))),
        _ => None,
    }
}

/// The name of the cluster that a config was written for; `None` if no launcher has written it.
pub fn cluster_name(config: &str) -> Option<&str> {
    let first = config.lines().next().filter(|first| is_first(first))?;
    first.split_once(WRITTEN_BY)?.0.rsplit(' ').next()
}

fn is_first(line: &str) -> bool {
    line.starts_with('#') && line.contains(WRITTEN_BY)
}

/// Whether a launcher has written a config, for a node that lives in `dir`: a copy that somebody has
/// made of a node's folder is not ours.
pub fn is_ours(config: &str, dir: &Path) -> bool {
    let first = config.lines().next().unwrap_or_default();
    is_first(first) && config.lines().any(|line| is_dir(line, dir))
}

/// The config of a node whose folder was moved or copied to `to`, of the cluster whose folder is `folder`
/// now; all else stays, byte for byte. A server that rewrites its config names its folder by the path
/// without links, so whatever folder is named gives way.
pub fn moved(config: &[u8], to: &Path, folder: &Path) -> Vec<u8> {
    let mut moved = Vec::with_capacity(config.len());
    for line in config.split_inclusive(|byte| *byte == b'\n') {
        let text = str::from_utf8(line).unwrap_or_default().trim_end();
        let new = if text.starts_with("dir ") {
            format!("dir {}\n", quote(to.as_os_str().as_bytes()))
        } else if text.starts_with(RECORD_IN) {
            record_line(folder) + "\n"
        } else {
            moved.extend_from_slice(line);
            continue;
        };
        moved.extend(new.bytes());
    }
    moved
}

/// Whether a line says that the node lives in `dir`.
fn is_dir(line: &str, dir: &Path) -> bool {
    let words = line
        .strip_prefix("dir ")
        .and_then(|rest| split_words(rest).ok());
    let dir = dir.as_os_str().as_bytes();
    words.is_some_and(|words| matches!(words.as_slice(), [word] if word.as_slice() == dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_moves_with_its_folder_and_is_else_as_it_was() {
        let config = b"# Node n1 of the cluster a, written by shardlab for valkey 9.1.2.\n\
            # The cluster's record is in \"/the lab/a\"\n\
            dir \"/lab/7001\"\nuser al\xffce on ~\xfe*\n# dir /lab/7001";
        let to = Path::new("/other lab/7001");
        let there = moved(config, to, Path::new("/b/a"));
        let expected = b"# Node n1 of the cluster a, written by shardlab for valkey 9.1.2.\n\
            # The cluster's record is in /b/a\n\
            dir \"/other lab/7001\"\nuser al\xffce on ~\xfe*\n# dir /lab/7001";
        assert_eq!(there, expected, "{}", there.escape_ascii());
        let text = String::from_utf8_lossy(&there);
        assert!(is_ours(&text, to));
        assert!(!is_ours(&text, Path::new("/lab/7001")));
        assert_eq!(cluster_folder(&text), Some(PathBuf::from("/b/a")));
    }

    #[test]
    fn a_config_tells_of_which_cluster_it_is() {
        let older =
            "# Sentinel s1 of the cluster a, written by shardlab for valkey 9.1.2;\n# More.\n";
        let server = Identity::from_version_output("Redis server v=7.0.15").unwrap();
        let folder = Path::new("/the \"lab\"/a");
        let newer = header("Node n1", folder, &server);
        assert_eq!(cluster_folder(&newer).as_deref(), Some(folder));
        assert_eq!(cluster_name(&newer), Some("a"));
        assert_eq!(cluster_name(older), Some("a"));
        assert_eq!(cluster_name("port 7001\n"), None);
        assert_eq!(cluster_folder(older), None);
    }
}
