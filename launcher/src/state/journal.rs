//! What a verb that moves slots has set out to do: `reshape.json` in the cluster's folder, from
//! before the first change until after the last.
//!
//! Without it, a verb that was interrupted and called again would count its slots anew, and move
//! as many once more.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Lock;
use super::files::{is_absent, read_regular, write_atomically};
use super::layout::JOURNAL_FILE;
use crate::error::reshape::MoveError;
use crate::error::{Error, IoContext as _, Part};
use crate::plan::Intent;
use crate::wire::slots::SlotRanges;

/// The version of `reshape.json` that is written. Version 1, which shardlab 0.1.0 wrote, is read as well.
const SCHEMA: u32 = 2;

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

/// What was asked for, with the moves that were decided on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Journal {
    schema: u32,
    /// What was asked for.
    pub intent: Intent,
    /// What it moves. Some of it may have been moved already: [`Cluster::move_slots`](crate::Cluster::move_slots)
    /// finds out.
    pub moves: Vec<Move>,
}

/// What can stand in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    schema: u32,
    intent: Option<Intent>,
    /// Instead of the intent in schema 1.
    command: Option<String>,
    moves: Vec<Move>,
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
        let written: Written =
            serde_json::from_slice(&text).map_err(|error| refuse(error.to_string()))?;
        let schema = written.schema;
        let intent = match schema {
            1 => written.command.map(Intent::Command),
            SCHEMA => written.intent,
            _ => {
                let reason = format!("it has schema {schema}, this shardlab knows {SCHEMA}");
                return Err(refuse(reason));
            }
        };
        let intent =
            intent.ok_or_else(|| refuse("it does not say what was asked for".to_owned()))?;
        Ok(Some(Self {
            schema,
            intent,
            moves: written.moves,
        }))
    }

    /// What is left of the same intent, if it was interrupted; nothing if none was.
    ///
    /// # Errors
    /// [`MoveError::Unfinished`] if another intent was interrupted; a file that cannot be read.
    pub fn of_folder(folder: &Path, intent: &Intent) -> Result<Option<Self>, Error> {
        match Self::read(folder)? {
            Some(journal) if !journal.is_of(intent) => Err(MoveError::Unfinished {
                intent: journal.intent,
            }
            .into()),
            journal => Ok(journal),
        }
    }

    fn is_of(&self, intent: &Intent) -> bool {
        match &self.intent {
            Intent::Command(command) => words(command) == words(&Part::from(intent).to_string()),
            own => own == intent,
        }
    }

    /// Writes down what was asked for and what will be done, atomically; whatever was there is replaced.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(lock: &Lock, intent: &Intent, moves: &[Move]) -> Result<Self, Error> {
        let journal = Self {
            schema: SCHEMA,
            intent: intent.clone(),
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

    /// It is done, or its slots have been put in order in another way.
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

/// The words of a command, in any order, without the cluster's name: the journal is in its folder.
fn words(command: &str) -> Vec<&str> {
    let mut words: Vec<_> = command.trim_matches('`').split(' ').collect();
    if let Some(place) = words.iter().position(|word| *word == "-n") {
        words.drain(place..words.len().min(place + 2));
    }
    words.sort_unstable();
    words
}

fn path(folder: &Path) -> PathBuf {
    folder.join(JOURNAL_FILE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::wait::Deadline;
    use crate::plan::{Rebalance, Reshard, Scale, Sources};
    use crate::state::Home;
    use std::time::Duration;

    fn reshard(slots: u16) -> Intent {
        Intent::Reshard(Reshard {
            slots,
            to: "n1".to_owned(),
            from: Sources::All,
        })
    }

    fn moves() -> Vec<Move> {
        vec![Move {
            slots: "7-9".parse().unwrap(),
            from: "n2".to_owned(),
            to: "n1".to_owned(),
        }]
    }

    async fn lock(root: &Path) -> Lock {
        let deadline = Deadline::after(Duration::from_secs(10));
        let name = "one".parse().unwrap();
        Home::at(root.to_owned())
            .lock(&name, deadline)
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn the_same_intent_finds_its_moves_and_another_one_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let lock = lock(root.path()).await;
        let of = |intent: &Intent| Journal::of_folder(lock.folder(), intent);
        let rebalance = Intent::Rebalance(Rebalance {
            weights: [("n1".to_owned(), 0.3)].into(),
            ..Rebalance::default()
        });
        let scale = Intent::Scale(Scale {
            masters: Some(3),
            replicas: None,
        });
        let node = "n1".to_owned();
        let all = [
            reshard(1),
            reshard(2),
            rebalance,
            scale,
            Intent::DelNode { node },
        ];
        for intent in &all {
            assert_eq!(of(intent).unwrap(), None);
            let written = Journal::write(&lock, intent, &moves()).unwrap();
            assert_eq!(of(intent).unwrap(), Some(written));
            for other in all.iter().filter(|other| *other != intent) {
                let refused = of(other).unwrap_err();
                let expected = format!("{intent} was interrupted");
                assert!(refused.to_string().starts_with(&expected), "{refused}");
                let again = Part::from(intent).to_string();
                assert!(refused.hint().unwrap().to_string().starts_with(&again));
            }
            Journal::remove(&lock).unwrap();
            Journal::remove(&lock).unwrap();
        }
        assert_eq!(Journal::read(lock.folder()).unwrap(), None);
    }

    #[tokio::test]
    async fn what_version_0_1_0_has_written_is_gone_on_with() {
        let root = tempfile::tempdir().unwrap();
        let lock = lock(root.path()).await;
        let scale = Intent::Scale(Scale {
            masters: Some(3),
            replicas: Some(1),
        });
        for (intent, command) in [
            (
                reshard(5),
                "shardlab reshard -n one --slots 5 --to n1 --from all",
            ),
            (scale, "shardlab scale --masters 3 --replicas 1 -n one"),
        ] {
            let text = format!(
                r#"{{"schema": 1, "command": "{command}", "moves": [{{"slots": "7-9", "from": "n2", "to": "n1"}}]}}"#
            );
            fs::write(path(lock.folder()), text).unwrap();
            let begun = Journal::of_folder(lock.folder(), &intent).unwrap();
            assert_eq!(begun.unwrap().moves, moves());
            let refused = Journal::of_folder(lock.folder(), &reshard(6)).unwrap_err();
            let expected = format!("`{command}` was interrupted");
            assert!(refused.to_string().starts_with(&expected), "{refused}");
        }
    }

    #[tokio::test]
    async fn a_journal_that_is_not_ours_is_an_error_that_names_it() {
        let root = tempfile::tempdir().unwrap();
        let lock = lock(root.path()).await;
        for text in [
            "{",
            r#"{"schema": 3, "moves": []}"#,
            r#"{"schema": 2, "command": "", "moves": []}"#,
        ] {
            fs::write(path(lock.folder()), text).unwrap();
            let error = Journal::read(lock.folder()).unwrap_err().to_string();
            assert!(error.contains("reshape.json"), "{error}");
        }
    }
}
