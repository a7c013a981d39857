//! The text of a transcript with other expectations. Pure.

use crate::transcript::ast::{Answer, Block, Expected, Outcome, StepKind, Transcript};
use crate::transcript::{Span, parse, print, print_pattern};

use super::Case;

/// What is expected instead of something else.
#[derive(Debug, Clone, PartialEq)]
pub struct Mended {
    /// Where the old expectation stands.
    pub place: Span,
    /// The new one.
    pub outcome: Outcome,
}

/// The text of a case with these expectations; whatever else is written in it stays as it is.
pub fn rewritten(case: &Case, mended: &[Mended]) -> String {
    let mut wanted = case.transcript.clone();
    block(&mut wanted.body, mended);
    let canonical = print(&wanted);
    if print(&case.transcript) == case.source {
        return canonical;
    }
    let text = spliced(&case.source, mended);
    match parse(&text) {
        Ok(transcript) if is_same(&transcript, &wanted) => text,
        _ => canonical,
    }
}

/// Whether two transcripts say the same.
fn is_same(one: &Transcript, other: &Transcript) -> bool {
    print(one) == print(other)
}

/// The source with the lines of each reply replaced.
fn spliced(source: &str, mended: &[Mended]) -> String {
    let mut text = source.to_owned();
    let mut last_first: Vec<_> = mended.iter().collect();
    last_first.sort_by_key(|mended| std::cmp::Reverse(mended.place.start));
    for Mended { place, outcome } in last_first {
        let Outcome::Reply(pattern) = outcome else {
            continue;
        };
        let before = source.get(..place.start).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
        let reply = print_pattern(pattern).replace('\n', &format!("\n{indent}"));
        if source.is_char_boundary(place.start) && source.is_char_boundary(place.end) {
            text.replace_range(place.start..place.end, &reply);
        }
    }
    text
}

fn block(of: &mut Block, mended: &[Mended]) {
    for step in &mut of.steps {
        match &mut step.kind.value {
            StepKind::Send(pipeline) => {
                for exchange in &mut pipeline.exchanges {
                    reply(&mut exchange.expected, mended);
                }
            }
            StepKind::Read { expected, .. } => reply(expected, mended),
            StepKind::Within(_, inner) | StepKind::For(_, inner) => block(inner, mended),
            StepKind::Choose(variants) => {
                for variant in variants {
                    block(&mut variant.body, mended);
                }
            }
            StepKind::RawSend { .. }
            | StepKind::RawExpect { .. }
            | StepKind::Act(_)
            | StepKind::Assert(_) => {}
        }
    }
}

fn reply(expected: &mut Expected, mended: &[Mended]) {
    let answers: Vec<&mut Answer> = match expected {
        Expected::Always(answer) => vec![answer],
        Expected::Variants(variants) => variants.iter_mut().map(|it| &mut it.body).collect(),
    };
    for outcome in answers.into_iter().flat_map(|answer| &mut answer.outcomes) {
        if let Some(new) = mended.iter().find(|new| new.place == outcome.span) {
            outcome.value = new.outcome.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::parse_case;
    use crate::transcript::ast::{Marks, Pattern, Shape};
    use crate::transcript::{Spanned, replies, steps};

    /// A transcript whose every reply of this shape becomes a null.
    fn nulled(steps_text: &str, becomes: &Shape) -> String {
        let header = "id:       TST-01\ntitle:    t\nlevel:    may\nneeds:    client\ntopology: 3 masters\n\n";
        let case = parse_case(
            "a/b.resp".to_owned(),
            format!("{header}{steps_text}").as_bytes(),
        )
        .unwrap();
        let all = steps(&case.transcript.body);
        let all = all
            .into_iter()
            .flat_map(|(step, _)| replies(&step.kind.value));
        let all = all.flat_map(|reply| match reply {
            Expected::Always(answer) => answer.outcomes.clone(),
            Expected::Variants(variants) => variants
                .iter()
                .flat_map(|it| it.body.outcomes.clone())
                .collect(),
        });
        let is_it = |outcome: &Spanned<Outcome>| match &outcome.value {
            Outcome::Reply(pattern) => pattern.shape == *becomes,
            _ => false,
        };
        let null = Outcome::Reply(Pattern {
            marks: Marks::default(),
            shape: Shape::Nil,
        });
        let mended: Vec<_> = all
            .filter(is_it)
            .map(|outcome| Mended {
                place: outcome.span,
                outcome: null.clone(),
            })
            .collect();
        let text = rewritten(&case, &mended);
        text.strip_prefix(header).unwrap().to_owned()
    }

    #[test]
    fn nothing_but_the_reply_changes() {
        for (before, after) in [
            (
                "# why\nn1> GET a\n(true)\n\n# and\nn1> PING\nPONG\n",
                "# why\nn1> GET a\n(nil)\n\n# and\nn1> PING\nPONG\n",
            ),
            (
                "n1> GET a\n[redis>=7.0 valkey]\n(true)\n# others\n[*]\n(false)\n",
                "n1> GET a\n[redis>=7.0 valkey]\n(nil)\n# others\n[*]\n(false)\n",
            ),
            // A layout of one's own.
            (
                "within 3T\n    n1>  GET  'b'\n    (true)\n\n\nn1> PING\nPONG\n",
                "within 3T\n    n1>  GET  'b'\n    (nil)\n\n\nn1> PING\nPONG\n",
            ),
        ] {
            assert_eq!(nulled(before, &Shape::Boolean(Some(true))), after);
        }
    }
}
