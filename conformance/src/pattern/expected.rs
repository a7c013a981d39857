//! Variants, alternatives and outcomes.

use shardlab::wire::resp::Frame;

use crate::transcript::ast::{Answer, Condition, Expected, Outcome};
use crate::transcript::{Span, Spanned};

use super::environment::{Captures, Facts, Known, Server};
use super::frame::Matcher;
use super::{Match, Mismatch, describe};

/// What came of a command.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Received<'a> {
    /// A reply, or a push.
    Frame(&'a Frame),
    /// Nothing so far.
    Pending,
    /// The connection was refused or lost.
    NoConnection,
}

/// Compares what came with what is expected. `captures` grows only if it matches. Without a
/// `server`, or for one that no condition admits, the answer of any variant will do.
pub fn judge(
    expected: &Expected,
    received: Received<'_>,
    server: Option<&Server>,
    facts: &dyn Facts,
    captures: &mut Captures,
) -> Match {
    let answers: Vec<&Answer> = match expected {
        Expected::Always(answer) => vec![answer],
        Expected::Variants(variants) => {
            let admitted = server.and_then(|server| {
                variants
                    .iter()
                    .find(|variant| match &variant.condition.value {
                        Condition::Products(products) => {
                            products.admit(&server.product, server.version)
                        }
                        Condition::Else => true,
                    })
            });
            match admitted {
                Some(variant) => vec![&variant.body],
                None => variants.iter().map(|variant| &variant.body).collect(),
            }
        }
    };
    let outcomes: Vec<_> = answers
        .into_iter()
        .flat_map(|answer| &answer.outcomes)
        .collect();
    let mut differs = None;
    let mut mismatches = Vec::new();
    for outcome in outcomes {
        match one(outcome, received, facts, captures) {
            (Match::Yes, fresh) => {
                captures.extend(fresh);
                return Match::Yes;
            }
            (found @ Match::Differs(_), fresh) => {
                differs.get_or_insert((found, fresh));
            }
            (Match::No(mismatch), _) => mismatches.push(*mismatch),
        }
    }
    if let Some((found, fresh)) = differs {
        captures.extend(fresh);
        return found;
    }
    Match::No(Box::new(joined(mismatches, received)))
}

/// One outcome's verdict, and what it captures.
fn one(
    outcome: &Spanned<Outcome>,
    received: Received<'_>,
    facts: &dyn Facts,
    captures: &Captures,
) -> (Match, Captures) {
    let known = Known { facts, captures };
    match (&outcome.value, received) {
        (Outcome::Reply(pattern), Received::Frame(frame)) => {
            return Matcher::new(known).judge(pattern, outcome.span, frame);
        }
        (Outcome::Pending, Received::Pending) | (Outcome::NoConnection, Received::NoConnection) => {
            return (Match::Yes, Captures::new());
        }
        _ => {}
    }
    let expected = match &outcome.value {
        Outcome::Reply(pattern) => describe::wanted(pattern, known),
        Outcome::Pending => "no reply yet".to_owned(),
        Outcome::NoConnection => "no connection".to_owned(),
    };
    let mismatch = Mismatch::new(outcome.span, expected, received_text(received));
    (Match::No(Box::new(mismatch)), Captures::new())
}

fn received_text(received: Received<'_>) -> String {
    match received {
        Received::Frame(frame) => describe::received(frame),
        Received::Pending => "no reply".to_owned(),
        Received::NoConnection => "no connection (refused or lost)".to_owned(),
    }
}

/// The mismatch with every alternative, as one.
fn joined(mut mismatches: Vec<Mismatch>, received: Received<'_>) -> Mismatch {
    if mismatches.len() == 1
        && let Some(mismatch) = mismatches.pop()
    {
        return mismatch;
    }
    let span = mismatches
        .iter()
        .map(|mismatch| mismatch.span)
        .reduce(Span::to)
        .unwrap_or_default();
    let expected: Vec<String> = mismatches
        .into_iter()
        .map(|mismatch| mismatch.expected)
        .collect();
    Mismatch::new(span, expected.join(", or "), received_text(received))
}
