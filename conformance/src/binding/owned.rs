//! Which slots a transcript lets a name own: those of keys and shard channels that it serves, and those to which
//! others redirect.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use shardlab::wire::slots::{Slot, key_slot};

use crate::commands::{keys, requests, shard_channels};
use crate::transcript::ast::{
    Command, Connection, Expected, NodeField, NodeName, NodeRole, Outcome, Piece, RawBytes,
    RawOutcome, Shape, StepKind, Template, Transcript, Word,
};
use crate::transcript::{Spanned, expected, raw, steps};

/// The slots of each number: of `n1`, and of `r1` that serves its keys.
pub(super) type Owned = BTreeMap<u16, BTreeSet<Slot>>;

/// What a transcript lets its names own.
pub(super) fn owned(transcript: &Transcript) -> Owned {
    let mut owned = Owned::new();
    // What has been sent in bytes, and is not answered yet.
    let mut asked: HashMap<&Connection, Vec<Vec<Vec<u8>>>> = HashMap::new();
    for (step, _) in steps(&transcript.body) {
        match &step.kind.value {
            StepKind::Send(pipeline) => {
                for exchange in &pipeline.exchanges {
                    redirected(&mut owned, &expected(&exchange.expected));
                    if is_served(&exchange.expected) {
                        let node = pipeline.connection.node;
                        reshaped(&mut owned, node, &exchange.command);
                        let command = words(&exchange.command);
                        serves(&mut owned, node, &command);
                    }
                }
            }
            StepKind::Read {
                expected: reply, ..
            } => redirected(&mut owned, &expected(reply)),
            StepKind::RawSend { connection, bytes } => {
                let sent = requests(&literal(bytes));
                asked.entry(&connection.value).or_default().extend(sent);
            }
            StepKind::RawExpect {
                connection,
                outcome: RawOutcome::Bytes(bytes),
            } => {
                redirected(&mut owned, &raw(bytes));
                let commands = asked.remove(&connection.value).unwrap_or_default();
                if !literal(bytes).starts_with(b"-") {
                    for command in commands {
                        serves(&mut owned, connection.node, &command);
                    }
                }
            }
            _ => {}
        }
    }
    owned
}

/// A node serves all keys and shard channels of a command.
fn serves(owned: &mut Owned, node: NodeName, command: &[Vec<u8>]) {
    let keys = keys(command);
    let names = keys.iter().chain(shard_channels(command));
    own(owned, node, names.map(|name| key_slot(name)).collect());
}

/// What a name owns at first counts: later the slot may have moved.
fn own(owned: &mut Owned, node: NodeName, mut slots: BTreeSet<Slot>) {
    let of_others = owned.iter().filter(|(number, _)| **number != node.number);
    slots.retain(|slot| of_others.clone().all(|(_, slots)| !slots.contains(slot)));
    if node.each().is_none() && node.role != NodeRole::Sentinel && !slots.is_empty() {
        owned.entry(node.number).or_default().extend(slots);
    }
}

/// A slot that is opened, or taken away, belongs to somebody.
fn reshaped(owned: &mut Owned, node: NodeName, command: &Command) {
    let words = command.words.iter().map(|word| match &word.value {
        Word::Argument(template) => Some(template),
        Word::Range { .. } => None,
    });
    let Some(words) = words.collect::<Option<Vec<_>>>() else {
        return;
    };
    let text = |place: usize| {
        let word = words.get(place).and_then(|word| word.literal());
        word.map(|word| String::from_utf8_lossy(word).to_uppercase())
    };
    let number = |place: usize| text(place).and_then(|text| Slot::new(text.parse().ok()?));
    if text(0).as_deref() != Some("CLUSTER") {
        return;
    }
    match (text(1).as_deref(), text(3).as_deref()) {
        (Some("DELSLOTS"), _) => {
            let slots = (2..words.len()).filter_map(number).collect();
            own(owned, node, slots);
        }
        (Some("SETSLOT"), Some("MIGRATING")) => own(owned, node, number(2).into_iter().collect()),
        (Some("SETSLOT"), Some("IMPORTING")) => {
            let node = |piece: &Spanned<Piece>| match piece.value {
                Piece::Node { node, .. } => Some(node),
                _ => None,
            };
            let source = words
                .get(4)
                .and_then(|word| word.pieces.iter().find_map(node));
            if let Some(source) = source {
                own(owned, source, number(2).into_iter().collect());
            }
        }
        _ => {}
    }
}

/// `MOVED 15495 <n3>`, `MOVED 15495 <n3.host>:7003`: the slot is of that node, a master.
fn redirected(owned: &mut Owned, templates: &[&Template]) {
    for pieces in templates.iter().map(|template| template.pieces.as_slice()) {
        for (before, after) in pieces.iter().zip(pieces.iter().skip(1)) {
            if let (
                Piece::Literal(bytes),
                Piece::Node {
                    node,
                    field: NodeField::Address | NodeField::Host,
                },
            ) = (&before.value, &after.value)
                && node.role == NodeRole::Master
                && let Some(slot) = moved(bytes)
            {
                own(owned, *node, BTreeSet::from([slot]));
            }
        }
    }
}

/// The slot in `MOVED 15495 `, at the end.
fn moved(bytes: &[u8]) -> Option<Slot> {
    let text = String::from_utf8_lossy(bytes);
    let mut words = text.strip_suffix(' ')?.rsplit(' ');
    let slot = words.next()?.parse().ok().and_then(Slot::new)?;
    let code = words.next()?;
    code.trim_start_matches(['-', '\r', '\n'])
        .ends_with("MOVED")
        .then_some(slot)
}

/// Whether whoever answers so serves the keys: nothing that may come is an error.
fn is_served(reply: &Expected) -> bool {
    let answers = match reply {
        Expected::Always(answer) => vec![answer],
        Expected::Variants(variants) => variants.iter().map(|variant| &variant.body).collect(),
    };
    let mut outcomes = answers.into_iter().flat_map(|answer| &answer.outcomes);
    outcomes.all(|outcome| match &outcome.value {
        Outcome::Reply(pattern) => !matches!(pattern.shape, Shape::Error(_)),
        Outcome::Pending => true,
        Outcome::NoConnection => false,
    })
}

/// A command's words as far as they are written out.
fn words(command: &Command) -> Vec<Vec<u8>> {
    let word = |word: &Spanned<Word>| match &word.value {
        Word::Argument(template) => template.literal().map(<[u8]>::to_vec),
        Word::Range { .. } => None,
    };
    command.words.iter().map_while(word).collect()
}

/// Bytes as far as they are written out.
fn literal(bytes: &RawBytes) -> Vec<u8> {
    let lines = matches!(bytes, RawBytes::Lines { .. });
    let mut all = Vec::new();
    for template in raw(bytes) {
        for piece in &template.pieces {
            if let Piece::Literal(bytes) = &piece.value {
                all.extend_from_slice(bytes);
            }
        }
        if lines {
            all.extend_from_slice(b"\r\n");
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binding::transcript;

    #[test]
    fn a_name_owns_what_it_serves_and_what_others_redirect_to_it() {
        for (steps, expected) in [
            ("n1> GET b\n(nil)\n", "1: 3300"),
            ("n1> GET a\n(error) MOVED 15495 <n3>\n", "3: 15495"),
            (
                "n1> GET a\n(error) MOVED 15495 <n3.host>:7003\n",
                "3: 15495",
            ),
            ("n1> MGET a b\n(error) CROSSSLOT x\n", ""),
            ("n1> CLUSTER KEYSLOT a\n(integer) 15495\n", ""),
            ("r2> GET c\n\"1\"\n", "2: 7365"),
            ("n1> GET a\n(error) ASK 15495 <n3>\n", ""),
            ("n1> BLPOP b 0\n(pending)\n", "1: 3300"),
            (
                "n2>> GET a\\r\\n\n\nn2<< -MOVED 15495 <n3>\\r\\n\n",
                "3: 15495",
            ),
            ("n1>>\n*2\n$3\nGET\n$1\nb\nn1<<\n$-1\n", "1: 3300"),
            ("within 1T\n  n2> GET b\n  (error) MOVED 3300 <r1>\n", ""),
            ("n*> GET a\n(error) MOVED 15495 <n3>\n", "3: 15495"),
            ("n1> SSUBSCRIBE b\n1) \"ssubscribe\"\n...\n", "1: 3300"),
            ("r2> SPUBLISH c x\n(integer) 1\n", "2: 7365"),
            ("n2> CLUSTER DELSLOTS 1 7\nOK\n", "2: 1 7"),
            ("n2> CLUSTER DELSLOTS 1\n(error) ERR x\n", ""),
            ("n2> CLUSTER SETSLOT 7 MIGRATING <n1.id>\nOK\n", "2: 7"),
            (
                "n1> CLUSTER SETSLOT 15495 IMPORTING <n3.id>\nOK\n\nn1> ASKING\n> GET a\nOK\n(nil)\n",
                "3: 15495",
            ),
        ] {
            let owned = owned(&transcript("3 masters, 1 replica each", steps));
            let text = owned.iter().map(|(number, slots)| {
                let slots: Vec<_> = slots.iter().map(|slot| slot.number().to_string()).collect();
                format!("{number}: {}", slots.join(" "))
            });
            assert_eq!(text.collect::<Vec<_>>().join(", "), expected, "{steps}");
        }
    }
}
