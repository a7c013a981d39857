//! What Shardlab remembers between two commands: one folder per cluster in the state folder, with
//! a versioned `cluster.json`, written atomically, and a lock.
//!
//! What is about to be spawned is written down before the spawn, so that a later command finds
//! what a killed launcher left. The lock is `flock(2)`'s and therefore belongs to the open file: a
//! launcher that is killed between fork and exec leaves it held until its child has executed the
//! server, hence whoever gets the lock sees every process in its node's folder.

pub mod limits;
pub mod ports;

mod displaced;
mod files;
mod home;
mod journal;
mod lock;
mod record;

pub use crate::plan::Name;

pub use displaced::{Displaced, FolderId};
pub(crate) use displaced::{configs_in, is_same};
pub use files::{
    create_folders, is_absent, is_temporary, missing_folders, open_regular, read_regular,
    read_text, remove_folder, rename_aside, replace, set_aside, target_of, write_atomically,
};
pub(crate) use files::{is_config_of, make_node_folder};
pub use home::{Home, usual_cache};
pub(crate) use home::{PORTS_LOCK, node_folders};
pub use journal::{Journal, Move};
pub(crate) use lock::{
    JOURNAL_FILE, LOCK_FILE, OWNER_FILE, is_unfinished_folder, remove_own_files,
};
pub use lock::{Lock, has_lost_owner, has_owner, is_locked, is_owner};
pub(crate) use record::{COPY_FILE, RECORD_FILE, refuse_existing};
pub use record::{NodeRecord, Phase, Record, SCHEMA, Stage};
