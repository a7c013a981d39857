//! What a transcript touches: the keys of its commands, and whether it stays with them. Pure.
//! Somebody else's cluster is to be as it was before.

use std::collections::{BTreeSet, HashMap};

use shardlab::wire::slots::{Slot, key_slot};

use crate::commands::{Effect, effect, has, keys, requests, upper};
use crate::pattern::{Facts, Known};
use crate::system::command_name;
use crate::transcript::ast::{Block, Connection, Piece, StepKind, Transcript};
use crate::transcript::{pieces, sent, steps};

/// What a transcript's commands touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Footprint {
    /// The keys that they name.
    pub(super) keys: BTreeSet<Vec<u8>>,
    /// The slots whose keys they count or list, or which they move.
    pub(super) slots: BTreeSet<u16>,
    /// The databases that they name besides 0, each of which may hold any of the keys.
    databases: BTreeSet<u32>,
    /// The first command that changes slots, epochs, roles or settings, which can be put back.
    pub(super) reshapes: Option<String>,
    /// Whether one makes a replica stand for election.
    pub(super) elects: bool,
    /// The first command that reaches beyond that: to scripts, settings, all data, or to keys that are not known before.
    pub(super) reaches: Option<String>,
    /// The first command that may write a key.
    pub(super) writes: Option<String>,
    /// The first command that looks at all keys of a node.
    pub(super) scans: Option<String>,
    /// The first command after which a connection is not logged in, or as somebody else.
    pub(super) logs_out: Option<String>,
}

/// What stands for a value that a reply will tell.
const TOLD_LATER: &[u8] = b"\0told later";

/// What a transcript's commands touch, wherever they stand.
pub(super) fn footprint(transcript: &Transcript, facts: &dyn Facts) -> Footprint {
    let mut footprint = Footprint::default();
    let (mut commands, mut raw) = (Vec::new(), HashMap::new());
    let steps = steps(&transcript.body).into_iter();
    let captured = steps.flat_map(|(step, _)| sent(&step.kind.value));
    let captured = captured
        .flat_map(pieces)
        .filter_map(|piece| match &piece.value {
            Piece::Captured(name) => Some((name.clone(), TOLD_LATER.to_vec())),
            _ => None,
        });
    let known = Known {
        facts,
        captures: &captured.collect(),
    };
    collect(&transcript.body, known, &mut commands, &mut raw);
    // A command may have come in pieces.
    commands.extend(raw.values().flat_map(|bytes| requests(bytes)));
    for command in commands {
        footprint.add(&command);
    }
    footprint
}

/// Whether a word holds what a reply will tell.
fn is_told_later(word: &[u8]) -> bool {
    word.windows(TOLD_LATER.len())
        .any(|part| part == TOLD_LATER)
}

fn collect<'t>(
    block: &'t Block,
    known: Known<'_>,
    commands: &mut Vec<Vec<Vec<u8>>>,
    raw: &mut HashMap<&'t Connection, Vec<u8>>,
) {
    for step in &block.steps {
        match &step.kind.value {
            StepKind::Send(pipeline) => {
                let each = pipeline.exchanges.iter();
                commands
                    .extend(each.filter_map(|exchange| known.arguments(&exchange.command).ok()));
            }
            StepKind::RawSend { connection, bytes } => {
                if let Ok(bytes) = known.raw(bytes) {
                    commands.extend(requests(&bytes));
                    raw.entry(&connection.value).or_default().extend(bytes);
                }
            }
            StepKind::Within(_, block) | StepKind::For(_, block) => {
                collect(block, known, commands, raw);
            }
            StepKind::Choose(variants) => {
                for variant in variants {
                    collect(&variant.body, known, commands, raw);
                }
            }
            _ => {}
        }
    }
}

impl Footprint {
    /// The keys, in order.
    pub(super) fn keys(&self) -> Vec<&[u8]> {
        self.keys.iter().map(Vec::as_slice).collect()
    }

    /// Whether they are about one of these slots.
    pub(super) fn is_in(&self, slots: &BTreeSet<Slot>) -> bool {
        let of_keys = self.keys.iter().map(|key| key_slot(key));
        let named = self.slots.iter().filter_map(|slot| Slot::new(*slot));
        of_keys.chain(named).any(|slot| slots.contains(&slot))
    }

    /// The databases in which the keys may be.
    pub(super) fn databases(&self) -> impl Iterator<Item = u32> {
        std::iter::once(0).chain(
            self.databases
                .iter()
                .copied()
                .filter(|database| *database > 0),
        )
    }

    /// Forgets the keys of another one.
    pub(super) fn forget(&mut self, other: &Self) {
        self.keys.retain(|key| !other.keys.contains(key));
    }

    /// Adds what a command touches.
    pub(super) fn add(&mut self, command: &[Vec<u8>]) {
        let Some((name, arguments)) = command.split_first() else {
            return;
        };
        let name = upper(name);
        let below = arguments
            .first()
            .map(|word| upper(word))
            .unwrap_or_default();
        let does = effect(command);
        let first = match does {
            Effect::Reshapes => Some(&mut self.reshapes),
            Effect::Reaches => Some(&mut self.reaches),
            Effect::Reads | Effect::Writes => None,
        };
        if let Some(first) = first {
            first.get_or_insert_with(|| command_name(command));
        }
        let slots = match name.as_str() {
            "CLUSTER" => of_slots(&below, arguments.get(1..).unwrap_or_default()),
            _ => &[],
        };
        self.elects |= name == "CLUSTER" && below == "FAILOVER";
        self.slots.extend(numbers(&below, slots));
        let database = match name.as_str() {
            "SELECT" => arguments.first(),
            "MOVE" => arguments.get(1),
            // COPY source destination [REPLACE] [DB database]
            "COPY" => {
                let word = |word: &Vec<u8>| word.eq_ignore_ascii_case(b"DB");
                let place = arguments.iter().skip(2).position(word);
                place.and_then(|place| arguments.get(place + 3))
            }
            _ => None,
        };
        let keys = keys(command);
        let channel = arguments.first().filter(|_| has("PUBLISH SPUBLISH", &name));
        let mut own = keys.iter().chain(database).chain(channel).chain(slots);
        if own.any(|word| is_told_later(word)) {
            let what = format!("{name} with what a reply tells");
            self.reaches.get_or_insert(what);
        }
        let database: Option<u32> =
            database.and_then(|word| std::str::from_utf8(word).ok()?.parse().ok());
        self.databases.extend(database);
        // MIGRATE logs in at the target only if it is told how.
        if has("AUTH MIGRATE RESET", &name) || (name == "HELLO" && arguments.len() > 1) {
            self.logs_out.get_or_insert(name.clone());
        }
        if has("KEYS SCAN", &name) {
            self.scans.get_or_insert(name.clone());
        }
        if does == Effect::Writes {
            self.writes.get_or_insert(name);
        }
        self.keys.extend(keys);
    }
}

/// The words that are slots, which a subcommand of CLUSTER looks into, or gives to somebody.
fn of_slots<'a>(subcommand: &str, arguments: &'a [Vec<u8>]) -> &'a [Vec<u8>] {
    match subcommand {
        "COUNTKEYSINSLOT" | "GETKEYSINSLOT" | "SETSLOT" => arguments.get(..1).unwrap_or_default(),
        "ADDSLOTS" | "DELSLOTS" | "ADDSLOTSRANGE" | "DELSLOTSRANGE" => arguments,
        _ => &[],
    }
}

/// The slots that such words are; those of a subcommand for ranges are their ends.
fn numbers(subcommand: &str, words: &[Vec<u8>]) -> Vec<u16> {
    let number = |word: &Vec<u8>| std::str::from_utf8(word).ok()?.parse().ok();
    let numbers: Vec<u16> = words.iter().filter_map(number).collect();
    let slots: Vec<u16> = if subcommand.ends_with("RANGE") {
        let pairs = numbers.chunks_exact(2);
        let ranges = pairs.filter_map(|pair| Some(*pair.first()?..=*pair.get(1)?));
        ranges.flatten().collect()
    } else {
        numbers
    };
    slots.into_iter().filter(|slot| *slot < 16_384).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_steps(steps: &str) -> Footprint {
        let target = crate::system::scripted::Scripted::new();
        let facts = crate::run::session::NodeFactsOf(&target);
        footprint(&crate::run::tests::transcript(steps), &facts)
    }

    #[test]
    fn keys_are_found_in_frames_that_are_sent_in_pieces() {
        let steps = "n1>> *3\\r\\n$3\\r\\nSET\\r\\n\n\nn1>> $1\\r\\na\\r\\n$1\\r\\n1\\r\\n\n\nn1<< +OK\\r\\n\n";
        assert_eq!(of_steps(steps).keys(), [b"a"]);
    }

    #[test]
    fn the_slots_that_are_looked_into_are_noticed() {
        let mut footprint = Footprint::default();
        for command in [
            "countkeysinslot 3300",
            "countkeysinslot 16384",
            "countkeysinslot x",
            "setslot 7 MIGRATING 8",
            "ADDSLOTS 1 2",
            "DELSLOTSRANGE 4 6 9 9",
        ] {
            let words = format!("CLUSTER {command}");
            let words = words.split(' ').map(|word| word.as_bytes().to_vec());
            footprint.add(&words.collect::<Vec<_>>());
        }
        let slots = [1, 2, 4, 5, 6, 7, 9, 3300];
        assert_eq!(footprint.slots, BTreeSet::from(slots));
        assert_eq!(footprint.reshapes.as_deref(), Some("CLUSTER SETSLOT"));
    }

    #[test]
    fn the_databases_that_are_named_are_noticed() {
        let mut footprint = Footprint::default();
        for command in [
            "SELECT 7",
            "MOVE a 3",
            "COPY a b REPLACE DB 2",
            "SELECT x",
            "SET 9 9",
        ] {
            let words = command.split(' ').map(|word| word.as_bytes().to_vec());
            footprint.add(&words.collect::<Vec<_>>());
        }
        assert_eq!(footprint.databases().collect::<Vec<_>>(), [0, 2, 3, 7]);
    }

    #[test]
    fn what_reaches_beyond_a_case_is_noticed() {
        let reaches = |steps: &str| of_steps(steps).reaches;
        assert_eq!(
            reaches("n1> cluster reset\nOK\n").as_deref(),
            Some("CLUSTER RESET")
        );
        assert_eq!(reaches("n1> SET flushall 1\nOK\n"), None);
        let told = "n1> ECHO a\n\"<K=word>\"\n\n";
        let value = of_steps(&format!("{told}n1> SET a <K>\nOK\n"));
        assert_eq!(
            (value.reaches.as_deref(), value.keys()),
            (None, vec![&b"a"[..]])
        );
        for command in [
            "SET {a}<K> 1",
            "PUBLISH <K> 1",
            "SELECT <K>",
            "CLUSTER COUNTKEYSINSLOT <K>",
        ] {
            let reaches = reaches(&format!("{told}n1> {command}\nOK\n"));
            assert!(reaches.is_some(), "{command}");
        }
    }
}
