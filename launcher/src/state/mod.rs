//! What Shardlab remembers between two commands: one folder per cluster in the state folder, with
//! a versioned `cluster.json`, written atomically, and a lock.
//!
//! What is about to be spawned is written down before the spawn, so that a later command finds
//! what a killed launcher left. The lock is `flock(2)`'s and therefore belongs to the open file: a
//! launcher that is killed between fork and exec leaves it held until its child has executed the
//! server, hence whoever gets the lock sees every process in its node's folder.

#[doc(hidden)]
pub mod limits;
#[doc(hidden)]
pub mod ports;

mod displaced;
mod files;
mod flock;
mod folder;
mod home;
mod journal;
mod layout;
mod lock;
mod owner;
mod record;
mod record_file;

pub use crate::plan::Name;

#[doc(hidden)]
pub use files::{
    create_folders, is_absent, is_temporary, missing_folders, open_regular, read_regular,
    read_text, remove_folder, rename_aside, replace, set_aside, target_of, write_atomically,
};
pub(crate) use files::{is_config_of, make_node_folder};
#[doc(hidden)]
pub use folder::{Displaced, FolderId};
pub(crate) use folder::{configs_in, is_same};
pub use home::Home;
pub(crate) use home::node_folders;
#[doc(hidden)]
pub use home::usual_cache;
#[doc(hidden)]
pub use journal::{Journal, Move};
pub(crate) use layout::{
    COPY_FILE, JOURNAL_FILE, LOCK_FILE, OWNER_FILE, PORTS_LOCK, RECORD_FILE, is_unfinished_folder,
};
pub(crate) use lock::remove_own_files;
#[doc(hidden)]
pub use lock::{Lock, is_locked};
#[doc(hidden)]
pub use owner::{has_lost_owner, has_owner, is_owner};
pub(crate) use record::refuse_existing;
#[doc(hidden)]
pub use record::{NodeRecord, Phase, Record, SCHEMA, Stage};
