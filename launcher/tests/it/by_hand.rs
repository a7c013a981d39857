//! docs/seeds.md tells the truth: every row has its command and its transcript, and the commands of
//! each story, run one after the other, do what it says.

mod document;
pub(crate) mod ports;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use shardlab::machine::wait::{Deadline, until_blocking};
use snapbox::cmd::Command;

use self::document::{Checked, Now, Row, Step, Story, stories};
use self::ports::Ports;
use crate::lab::{Lab, PATIENCE};

/// How long a command that only looks is repeated, until it sees what the document shows.
const LOOKING: Duration = Duration::from_secs(30);

/// A story on its way.
struct Walk {
    lab: Lab,
    ports: Ports,
    /// Where the commands run, for files that they write.
    folder: tempfile::TempDir,
}

impl Walk {
    fn new() -> Self {
        Self {
            lab: Lab::new(),
            ports: Ports::new(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Runs a step, and gives what differs from the document.
    fn take(&self, step: &Step) -> Result<(), String> {
        let only_looks = ["shardlab call", "shardlab logs", "shardlab status"]
            .iter()
            .any(|look| step.command.starts_with(look));
        let time = if only_looks { LOOKING } else { Duration::ZERO };
        let again = Duration::from_millis(100);
        until_blocking(Deadline::after(time), again, || {
            match self.try_to_take(step) {
                Ok(()) => ControlFlow::Break(()),
                Err(difference) => ControlFlow::Continue(difference),
            }
        })
    }

    fn try_to_take(&self, step: &Step) -> Result<(), String> {
        let output = self.shell(&step.command).output().unwrap();
        let text = |bytes: &[u8]| self.ports.written(&String::from_utf8_lossy(bytes));
        let printed = text(&output.stdout) + &text(&output.stderr);
        let missing = step.shows.iter().find(|shown| !shows(&printed, shown));
        match missing {
            Some(shown) => Err(format!("`{shown}` is not in\n{printed}")),
            None if output.status.success() == step.fails => {
                Err(format!("it ended with {}:\n{printed}", output.status))
            }
            None => Ok(()),
        }
    }

    /// The command, with real ports and with patience.
    fn shell(&self, command: &str) -> Command {
        let mut line = command.to_owned();
        if line.starts_with("shardlab up") && !line.contains(" --port") {
            line.push_str(" --port 7001");
        }
        let waits = ["shardlab up", "shardlab start", "shardlab wait"];
        if waits.iter().any(|wait| line.starts_with(wait)) {
            line.push_str(" --timeout 120s");
        }
        let line = format!("PATH=\"$PROGRAMS:$PATH\"; {}", self.ports.real(&line));
        let program = Path::new(env!("CARGO_BIN_EXE_shardlab"));
        self.lab
            .in_here(Command::new("sh"))
            .args(["-c", &line])
            .env("PROGRAMS", program.parent().unwrap())
            .current_dir(self.folder.path())
            .timeout(PATIENCE)
    }
}

/// Whether a line of `text` holds `shown`, its parts between `…` in their order. However many
/// blanks make columns, one stands for them.
fn shows(text: &str, shown: &str) -> bool {
    let holds = |line: &str| {
        let mut rest = line;
        shown.split('…').all(|part| {
            let found = rest.split_once(part);
            rest = found.map_or("", |(_, behind)| behind);
            found.is_some()
        })
    };
    text.lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .any(|line| holds(&line))
}

/// Runs the stories of the walk-through whose heading begins so, side by side: each has a cluster of its own.
fn walk_through(seed: &str) {
    let stories: Vec<Story> = stories();
    let stories: Vec<_> = stories
        .iter()
        .filter(|story| story.seed.starts_with(seed))
        .collect();
    assert!(!stories.is_empty(), "{seed} is not in the document");
    std::thread::scope(|scope| {
        for story in stories {
            scope.spawn(|| follow(story));
        }
    });
}

fn follow(story: &Story) {
    let walk = Walk::new();
    for row in &story.rows {
        for step in steps(row) {
            if let Err(difference) = walk.take(step) {
                panic!(
                    "docs/seeds.md:{}: {}, {}: `{}`: {difference}",
                    row.line, story.seed, story.title, step.command
                );
            }
        }
    }
    walk.lab.assert_empty();
}

fn steps(row: &Row) -> &[Step] {
    match &row.now {
        Now::Steps(steps) => steps,
        Now::NotNeeded(_) => &[],
    }
}

#[test]
fn seed_000_can_be_followed() {
    walk_through("Seed 000");
}

#[test]
fn seed_001_can_be_followed() {
    walk_through("Seed 001");
}

#[test]
fn seed_002_can_be_followed() {
    walk_through("Seed 002");
}

#[test]
fn seed_003_can_be_followed() {
    walk_through("Seed 003");
}

#[test]
fn seed_004_can_be_followed() {
    walk_through("Seed 004");
}

#[test]
fn every_row_says_what_does_it_and_what_checks_it() {
    let known = transcripts();
    for story in stories() {
        for row in &story.rows {
            let line = row.line;
            assert!(!row.by_hand.is_empty(), "line {line}: nothing is done");
            match &row.now {
                Now::Steps(steps) => assert!(!steps.is_empty(), "line {line}: no command"),
                Now::NotNeeded(why) => assert!(!why.is_empty(), "line {line}: no reason"),
            }
            match &row.checked {
                Checked::None(why) => assert!(!why.is_empty(), "line {line}: no reason"),
                Checked::Transcripts(ids) => {
                    for id in ids {
                        assert!(known.contains(id), "line {line}: no case `{id}`");
                    }
                }
            }
        }
    }
}

#[test]
fn every_story_of_the_seeds_that_is_a_transcript_has_its_row() {
    let named: BTreeSet<_> = stories()
        .into_iter()
        .flat_map(|story| story.rows)
        .flat_map(|row| match row.checked {
            Checked::Transcripts(ids) => ids,
            Checked::None(_) => Vec::new(),
        })
        .collect();
    let unnamed: Vec<_> = transcripts()
        .into_iter()
        .filter(|id| id.starts_with("SEED-") && !named.contains(id))
        .collect();
    assert!(unnamed.is_empty(), "not in docs/seeds.md: {unnamed:?}");
}

/// The ids of all transcripts.
fn transcripts() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let folders = std::fs::read_dir(root).unwrap().flatten();
    let files = folders
        .filter(|entry| entry.path().is_dir())
        .flat_map(|folder| std::fs::read_dir(folder.path()).unwrap().flatten());
    let ids: BTreeSet<_> = files.map(|file| id(&file.path())).collect();
    assert!(!ids.is_empty(), "no transcripts were found");
    ids
}

fn id(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let id = text.lines().find_map(|line| line.strip_prefix("id:"));
    id.unwrap_or_else(|| panic!("{} has no id", path.display()))
        .trim()
        .to_owned()
}
