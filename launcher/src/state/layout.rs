//! What our files and folders in the state folder are called.

/// The lock under which ports are chosen, in the state folder itself.
pub(crate) const PORTS_LOCK: &str = ".ports.lock";
/// Also what tells a cluster's folder from any other one, so no other program may use the name.
pub(crate) const LOCK_FILE: &str = "shardlab.lock";
/// What a cluster's folder is called until its lock is in it.
pub(super) const NEW_FOLDER: &str = ".shardlab-new-";
/// Held by the process that a private cluster lives as long as.
pub(crate) const OWNER_FILE: &str = "owner";
/// Held by the process that removes a private cluster once its owner is gone.
pub(super) const REAPER_FILE: &str = "reaper";
/// What a command that moves slots has set out to do, until it is done.
pub(crate) const JOURNAL_FILE: &str = "reshape.json";
/// Where the nodes' folders are, if that is elsewhere (`--dir`): for when the record is damaged or gone.
pub(crate) const DIR_FILE: &str = "dir";
/// What is remembered of the cluster.
pub(crate) const RECORD_FILE: &str = "cluster.json";
/// The same once more, for when the first one is damaged or gone.
pub(crate) const COPY_FILE: &str = "cluster.copy.json";

/// Whether a folder is one that a launcher is making, or was, for a cluster.
pub(crate) fn is_unfinished_folder(name: &str) -> bool {
    name.starts_with(NEW_FOLDER)
}
