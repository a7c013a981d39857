//! Servers that have ended: what their logs tell of the reason.

use std::path::Path;

/// The end of a log, in words.
pub(super) fn last_words(log: &[String], path: &Path) -> String {
    if log.is_empty() {
        return format!("its log `{}` is empty", path.display());
    }
    let mut text = "its last log lines:".to_owned();
    for line in log {
        text.push_str("\n    ");
        text.push_str(line);
    }
    text
}

/// What servers say that end at once since they cannot read their data (`aof.c`, `rdb.c` and `server.c`,
/// Redis 5.0 to 8.2, Valkey 8 and 9).
const CANNOT_READ: [&str; 10] = [
    "reading the append only file",
    "AOF loading aborted",
    "AOF MANIFEST FILE ERROR",
    "Found an empty AOF manifest",
    "AOF manifest file",
    "append-only dir",
    "open the append-only file",
    "Error trying to load the AOF files",
    "error loading the DB",
    "loading DB. Unrecoverable error",
];

/// The line of a log by which a server has ended since it cannot read its data.
pub(crate) fn data_damage(log: &[String]) -> Option<&str> {
    let tells = |line: &&String| CANNOT_READ.iter().any(|words| line.contains(words));
    log.iter().find(tells).map(|line| line.trim())
}

/// Whether no space is left where a file is, or was to be.
pub(super) fn disk_is_full(path: &Path) -> bool {
    let there = path.ancestors().find(|ancestor| ancestor.exists());
    there
        .and_then(|folder| nix::sys::statvfs::statvfs(folder).ok())
        .is_some_and(|disk| disk.blocks_available() == 0)
}
