//! For which node a config was written. Pure.

use std::path::Path;

use crate::directive::{quote, split_words};

/// What the first line of every config holds that a launcher has written.
pub(super) const WRITTEN_BY: &str = ", written by shardlab for ";

/// Whether a launcher has written a config, for a node that lives in `dir`: a copy that somebody has
/// made of a node's folder is not ours.
pub fn is_ours(config: &str, dir: &Path) -> bool {
    let first = config.lines().next().unwrap_or_default();
    first.starts_with('#')
        && first.contains(WRITTEN_BY)
        && config.lines().any(|line| is_dir(line, dir))
}

/// The config of a node whose folder was moved or copied from `from` to `to`; all else stays, byte for
/// byte.
pub fn moved(config: &[u8], from: &Path, to: &Path) -> Vec<u8> {
    let mut moved = Vec::with_capacity(config.len());
    for line in config.split_inclusive(|byte| *byte == b'\n') {
        if str::from_utf8(line).is_ok_and(|line| is_dir(line.trim_end(), from)) {
            let dir = quote(to.as_os_str().as_encoded_bytes());
            moved.extend(format!("dir {dir}\n").bytes());
        } else {
            moved.extend_from_slice(line);
        }
    }
    moved
}

/// Whether a line says that the node lives in `dir`.
fn is_dir(line: &str, dir: &Path) -> bool {
    let words = line
        .strip_prefix("dir ")
        .and_then(|rest| split_words(rest).ok());
    let dir = dir.as_os_str().as_encoded_bytes();
    words.is_some_and(|words| matches!(words.as_slice(), [word] if word.as_slice() == dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_moves_with_its_folder_and_is_else_as_it_was() {
        let config = b"# Node n1 of the cluster a, written by shardlab for valkey 9.1.2.\n\
            dir \"/lab/7001\"\nuser al\xffce on ~\xfe*\n# dir /lab/7001";
        let there = moved(config, Path::new("/lab/7001"), Path::new("/other lab/7001"));
        let expected = b"# Node n1 of the cluster a, written by shardlab for valkey 9.1.2.\n\
            dir \"/other lab/7001\"\nuser al\xffce on ~\xfe*\n# dir /lab/7001";
        assert_eq!(there, expected, "{}", there.escape_ascii());
        let text = String::from_utf8_lossy(&there);
        assert!(is_ours(&text, Path::new("/other lab/7001")));
        assert!(!is_ours(&text, Path::new("/lab/7001")));
    }
}
