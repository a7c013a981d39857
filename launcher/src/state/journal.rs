//! What a command that moves slots has set out to do: `reshape.json` in the cluster's folder, from
//! before the first change until after the last.
//!
//! Without it, a command that was interrupted and given again would count its slots anew, and move
//! as many once more.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Lock;
use super::files::{is_absent, read_regular, write_atomically};
use super::layout::JOURNAL_FILE;
use crate::error::reshape::MoveError;
use crate::error::{Error, IoContext as _};
use crate::wire::slots::SlotRanges;

/// The version of `reshape.json` that this program writes and reads.
const SCHEMA: u32 = 1;

/// Slots that go from one node to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// The slots.
    pub slots: SlotRanges,
    /// The name of the node that has them, a master.
    pub from: String,
    /// The name of the node that is to have them, a master.
    pub to: String,
}

/// A command that moves slots, with the moves that it decided on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    schema: u32,
    /// The command, in one spelling, as a user can give it again: `shardlab reshard …`.
    pub command: String,
    /// What it moves. Some of it may have been moved already: [`Cluster::move_slots`](crate::Cluster::move_slots)
    /// finds out.
    pub moves: Vec<Move>,
}

impl Journal {
    /// What is under way in the cluster of this folder ([`Lock::folder`]), if anything.
    ///
    /// # Errors
    /// The file is there but cannot be read or understood.
    pub fn read(folder: &Path) -> Result<Option<Self>, Error> {
        let path = path(folder);
        let refuse = |reason| Error::State {
            path: path.clone(),
            reason,
        };
        let text = match read_regular(&path) {
            // A link that leads nowhere is there.
            Err(error) if is_absent(&error) && !path.is_symlink() => {
                return Ok(None);
            }
            text => text.map_err(|error| refuse(error.to_string()))?,
        };
        let journal: Self =
            serde_json::from_slice(&text).map_err(|error| refuse(error.to_string()))?;
        if journal.schema == SCHEMA {
            Ok(Some(journal))
        } else {
            let reason = format!(
                "it has schema {}, this shardlab knows {SCHEMA}",
                journal.schema
            );
            Err(refuse(reason))
        }
    }

    /// What is left of the same command, if it was interrupted; nothing if no command was.
    ///
    /// # Errors
    /// [`MoveError::Unfinished`] if another command was interrupted; a file that cannot be read.
    pub fn of(lock: &Lock, command: &str) -> Result<Option<Self>, Error> {
        Self::of_folder(lock.folder(), command)
    }

    /// The same without the right to change the cluster, for those who only look.
    ///
    /// # Errors
    /// As [`Journal::of`].
    pub fn of_folder(folder: &Path, command: &str) -> Result<Option<Self>, Error> {
        match Self::read(folder)? {
            Some(journal) if journal.command != command => Err(MoveError::Unfinished {
                command: journal.command,
            }
            .into()),
            journal => Ok(journal),
        }
    }

    /// Writes down what a command has set out to do, atomically; whatever was there is replaced.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(lock: &Lock, command: &str, moves: &[Move]) -> Result<Self, Error> {
        let journal = Self {
            schema: SCHEMA,
            command: command.to_owned(),
            moves: moves.to_vec(),
        };
        let path = path(lock.folder());
        let mut text = serde_json::to_vec_pretty(&journal).map_err(|error| Error::State {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        text.push(b'\n');
        write_atomically(&path, &text)?;
        Ok(journal)
    }

    /// The command is done, or its slots have been put in order in another way.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn remove(lock: &Lock) -> Result<(), Error> {
        let path = path(lock.folder());
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).doing("remove", &path)
            }
            _ => Ok(()),
        }
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join(JOURNAL_FILE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::wait::Deadline;
    use crate::state::Home;
    use std::time::Duration;

    const COMMAND: &str = "shardlab reshard --slots 1 --to n1";

    async fn lock(root: &Path) -> Lock {
        let deadline = Deadline::after(Duration::from_secs(10));
        let name = "one".parse().unwrap();
        Home::at(root.to_owned())
            .lock(&name, deadline)
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn the_same_command_finds_its_moves_and_another_one_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let lock = lock(root.path()).await;
        assert_eq!(Journal::of(&lock, COMMAND).unwrap(), None);
        let moves = [Move {
            slots: "7-9".parse().unwrap(),
            from: "n2".to_owned(),
            to: "n1".to_owned(),
        }];
        let written = Journal::write(&lock, COMMAND, &moves).unwrap();
        assert_eq!(Journal::of(&lock, COMMAND).unwrap(), Some(written));
        let refused = Journal::of(&lock, "shardlab rebalance").unwrap_err();
        assert!(
            refused
                .to_string()
                .starts_with(&format!("`{COMMAND}` was interrupted"))
        );
        assert!(refused.hint().unwrap().to_string().contains("fix"));
        Journal::remove(&lock).unwrap();
        Journal::remove(&lock).unwrap();
        assert_eq!(Journal::read(lock.folder()).unwrap(), None);
    }

    #[tokio::test]
    async fn a_journal_that_is_not_ours_is_an_error_that_names_it() {
        let root = tempfile::tempdir().unwrap();
        let lock = lock(root.path()).await;
        for text in ["{", r#"{"schema": 2, "command": "", "moves": []}"#] {
            fs::write(path(lock.folder()), text).unwrap();
            let error = Journal::read(lock.folder()).unwrap_err().to_string();
            assert!(error.contains("reshape.json"), "{error}");
        }
    }
}
