//! Replies that depart and become what is expected from now on.

use std::collections::HashMap;

use shardlab::wire::resp::Frame;

use crate::binding::Names;
use crate::pattern::{Known, Server, mend};
use crate::render::{Naming, notation, whole_notation};
use crate::suite::Mended;
use crate::system::{Target, choose};
use crate::transcript::ast::{
    Answer, Expected, NodeField, NodeName, NodeRole, Outcome, Transcript,
};
use crate::transcript::{Span, Spanned, replies, steps};

/// Names for what nodes say of themselves.
pub(super) fn naming(target: &impl Target, names: &Names) -> Naming {
    let fact = |node: NodeName, field| match field {
        NodeField::Slots if node.role == NodeRole::Master => names.slots(node),
        field => target.node(node)?.field(field),
    };
    Naming::new(&target.nodes(), names.counts(), fact)
}

/// What is expected as it is written, and what it is to be.
#[derive(Debug)]
pub(super) struct Mending<'a> {
    /// By place, with the stars and counts that a case does not have any more when it runs.
    written: HashMap<Span, &'a Outcome>,
    naming: Naming,
    /// How many blocks are being repeated: no reply in them is the last word.
    pub(super) blocks: usize,
    /// In the order of the case.
    pub(super) mended: Vec<Mended>,
}

impl<'a> Mending<'a> {
    pub(super) fn new(transcript: &'a Transcript, naming: Naming) -> Self {
        let steps = steps(&transcript.body).into_iter();
        let replies = steps.flat_map(|(step, _)| replies(&step.kind.value));
        let outcomes = replies.flat_map(|reply| match reply {
            Expected::Always(answer) => vec![answer],
            Expected::Variants(variants) => variants.iter().map(|variant| &variant.body).collect(),
        });
        let outcomes = outcomes.flat_map(|answer| &answer.outcomes);
        Self {
            written: outcomes
                .map(|outcome| (outcome.span, &outcome.value))
                .collect(),
            naming,
            blocks: 0,
            mended: Vec::new(),
        }
    }

    /// What is to be written, and the same for this cluster.
    pub(super) fn of(
        &self,
        words: &[Vec<u8>],
        expected: &Expected,
        frame: &Frame,
        (server, known): (Option<&Server>, Known<'_>),
    ) -> Option<(Mended, Expected)> {
        if self.blocks > 0 {
            return None;
        }
        let answers: Vec<&Answer> = match expected {
            Expected::Always(answer) => vec![answer],
            Expected::Variants(variants) => choose(server, variants),
        };
        // Of several outcomes, nobody knows which one this is instead of.
        let [Answer { outcomes }] = answers.as_slice() else {
            return None;
        };
        let [outcome] = outcomes.as_slice() else {
            return None;
        };
        let place = outcome.span;
        // A step that is for several nodes has one reply for all of them.
        if self.mended.iter().any(|other| other.place == place) {
            return None;
        }
        let (written, here) = match (*self.written.get(&place)?, &outcome.value) {
            (Outcome::Reply(written), Outcome::Reply(here)) => {
                let whole = whole_notation(words, frame, &self.naming);
                let one = |written| mend(written, here, frame, &whole, known);
                let (written, here) = (one(written)?, one(here)?);
                if here == whole {
                    let fresh = notation(words, frame, &self.naming);
                    (fresh.clone(), fresh)
                } else {
                    (written, here)
                }
            }
            (Outcome::Pending, Outcome::Pending) => {
                let fresh = notation(words, frame, &self.naming);
                (fresh.clone(), fresh)
            }
            _ => return None,
        };
        let outcome = Outcome::Reply(written);
        let here = Answer {
            outcomes: vec![Spanned::new(Outcome::Reply(here), place)],
        };
        Some((Mended { place, outcome }, Expected::Always(here)))
    }
}
