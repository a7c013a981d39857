//! A transcript with a step, a line or an item for each node that a star stands for, and with the
//! counts and slots of the cluster at hand.

use crate::transcript::ast::{
    Answer, Block, Command, Connection, Exchange, Expected, NodeField, Outcome, Piece, RawBytes,
    RawOutcome, Step, StepKind, Template, Transcript, Variant, Word,
};
use crate::transcript::{Spanned, expected, pieces, raw, replies, sent, steps};

use super::Names;
use super::each::{Bound, first_in, resolved};

/// The transcript as it is for a cluster whose nodes have these names.
pub fn expand(transcript: &Transcript, names: &Names) -> Transcript {
    Transcript {
        body: names.block(&transcript.body),
        ..transcript.clone()
    }
}

/// Whether a transcript tells of all nodes or slots of a cluster: it counts them, or what it expects is
/// about each of them.
pub fn is_of_all(transcript: &Transcript) -> bool {
    let of_all = |template: &&Template| {
        pieces(template).into_iter().any(|piece| match piece.value {
            Piece::Count(_) => true,
            Piece::Node { node, field } => {
                node.each().is_some()
                    || matches!(
                        field,
                        NodeField::Slots | NodeField::First | NodeField::Last | NodeField::Replicas
                    )
            }
            _ => false,
        })
    };
    let steps = steps(&transcript.body).into_iter();
    let mut told = steps.flat_map(|(step, _)| told(&step.kind.value));
    told.any(|template| of_all(&template))
}

/// The templates of what comes back in a step.
fn told(kind: &StepKind) -> Vec<&Template> {
    match kind {
        StepKind::RawExpect {
            outcome: RawOutcome::Bytes(bytes),
            ..
        } => raw(bytes),
        _ => replies(kind).into_iter().flat_map(expected).collect(),
    }
}

impl Names {
    fn block(&self, block: &Block) -> Block {
        let next = block.steps.iter().skip(1).map(Some).chain([None]);
        let steps = block.steps.iter().zip(next);
        Block {
            steps: steps
                .flat_map(|(step, next)| self.step(step, next))
                .collect(),
            trailing: block.trailing.clone(),
        }
    }

    /// The step, for each node that the star of its prompt or of its command stands for.
    fn step(&self, step: &Step, next: Option<&Step>) -> Vec<Step> {
        let kind = &step.kind.value;
        let prompt = match kind {
            StepKind::Send(pipeline) => Some(pipeline.connection.node),
            StepKind::Read { connection, .. }
            | StepKind::RawSend { connection, .. }
            | StepKind::RawExpect { connection, .. } => Some(connection.node),
            _ => None,
        };
        let in_command = sent(kind).into_iter().find_map(first_in);
        let asked = prompt.into_iter().chain(in_command.map(|(node, _)| node));
        let bounds = match asked.into_iter().find(|node| node.each().is_some()) {
            None => vec![Bound::default()],
            Some(star) => {
                // Bytes are answered in the next step.
                let answer = match (kind, next.map(|next| &next.kind.value)) {
                    (StepKind::RawSend { .. }, Some(next @ StepKind::RawExpect { .. })) => next,
                    _ => kind,
                };
                let templates = sent(kind).into_iter().chain(told(answer));
                let beside = templates
                    .flat_map(pieces)
                    .filter_map(|piece| match piece.value {
                        Piece::Node { node, .. } => Some(node),
                        _ => None,
                    });
                let beside = beside.chain(prompt).collect();
                self.each(star, NodeField::Address, Bound::default(), &beside)
            }
        };
        let filled = bounds.into_iter().map(|bound| Step {
            comments: step.comments.clone(),
            kind: Spanned::new(self.kind(kind, bound), step.kind.span),
        });
        filled.collect()
    }

    fn kind(&self, kind: &StepKind, bound: Bound) -> StepKind {
        let connection = |connection: &Spanned<Connection>| {
            let mut connection = connection.clone();
            connection.value.node = resolved(connection.value.node, bound);
            connection
        };
        match kind {
            StepKind::Send(pipeline) => {
                let mut pipeline = pipeline.clone();
                pipeline.connection = connection(&pipeline.connection);
                for exchange in &mut pipeline.exchanges {
                    *exchange = Exchange {
                        command: Spanned::new(
                            self.command(&exchange.command, bound),
                            exchange.command.span,
                        ),
                        expected: self.expected(&exchange.expected, bound),
                    };
                }
                StepKind::Send(pipeline)
            }
            StepKind::Read {
                connection: from,
                expected,
            } => StepKind::Read {
                connection: connection(from),
                expected: self.expected(expected, bound),
            },
            StepKind::RawSend {
                connection: to,
                bytes,
            } => StepKind::RawSend {
                connection: connection(to),
                bytes: self.raw(bytes, bound),
            },
            StepKind::RawExpect {
                connection: from,
                outcome,
            } => StepKind::RawExpect {
                connection: connection(from),
                outcome: match outcome {
                    RawOutcome::Bytes(bytes) => RawOutcome::Bytes(self.raw(bytes, bound)),
                    RawOutcome::NoConnection => RawOutcome::NoConnection,
                },
            },
            StepKind::Within(period, block) => StepKind::Within(*period, self.block(block)),
            StepKind::For(period, block) => StepKind::For(*period, self.block(block)),
            StepKind::Choose(variants) => {
                StepKind::Choose(variant_bodies(variants, |block| self.block(block)))
            }
            StepKind::Act(_) | StepKind::Assert(_) => kind.clone(),
        }
    }

    fn command(&self, command: &Command, bound: Bound) -> Command {
        let words = command.words.iter().map(|word| {
            let filled = match &word.value {
                Word::Argument(template) => Word::Argument(self.template(template, bound)),
                range @ Word::Range { .. } => range.clone(),
            };
            Spanned::new(filled, word.span)
        });
        Command {
            words: words.collect(),
        }
    }

    fn raw(&self, bytes: &RawBytes, bound: Bound) -> RawBytes {
        match bytes {
            RawBytes::Line(template) => RawBytes::Line(self.template(template, bound)),
            RawBytes::Lines { lines, no_newline } => RawBytes::Lines {
                lines: lines
                    .iter()
                    .map(|line| Spanned::new(self.template(&line.value, bound), line.span))
                    .collect(),
                no_newline: *no_newline,
            },
        }
    }

    fn expected(&self, reply: &Expected, bound: Bound) -> Expected {
        let answer = |answer: &Answer| {
            let outcomes = answer.outcomes.iter().map(|outcome| {
                let filled = match &outcome.value {
                    // What is in a list is about the list's own nodes, not about the one that is asked.
                    Outcome::Reply(pattern) => {
                        Outcome::Reply(self.pattern(pattern, bound, Bound::default()))
                    }
                    other => other.clone(),
                };
                Spanned::new(filled, outcome.span)
            });
            Answer {
                outcomes: outcomes.collect(),
            }
        };
        match reply {
            Expected::Always(one) => Expected::Always(answer(one)),
            Expected::Variants(variants) => Expected::Variants(variant_bodies(variants, answer)),
        }
    }
}

fn variant_bodies<T>(variants: &[Variant<T>], filled: impl Fn(&T) -> T) -> Vec<Variant<T>> {
    let each = variants.iter().map(|variant| Variant {
        comments: variant.comments.clone(),
        condition: variant.condition.clone(),
        body: filled(&variant.body),
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binding::{NamedShard, transcript};
    use crate::transcript::print;

    /// The steps of a transcript as they are for a cluster of two masters, of which one has two ranges
    /// and two replicas.
    fn expanded(steps: &str) -> String {
        let shard = |number, slots: &str, replicas| NamedShard {
            numbers: vec![number],
            slots: slots.parse().unwrap(),
            replicas,
        };
        let names = Names {
            shards: vec![
                shard(1, "0-99,200-16383", 2),
                shard(3, "100-199", 0),
                shard(2, "", 0),
            ],
        };
        let text = print(&expand(
            &transcript("3 masters, 1 replica each", steps),
            &names,
        ));
        text.split_once("\n\n").unwrap().1.to_owned()
    }

    #[track_caller]
    fn becomes(steps: &str, expected: &str) {
        assert_eq!(expanded(steps), expected, "{steps}");
    }

    #[test]
    fn a_line_is_for_each_node_that_is_not_named_beside_it() {
        becomes(
            "n1> CLUSTER NODES\n(any order)\n| <n1.id> myself,master <n1.slots>\n| <n*.id> <n*.node> master <n*.slots>\n\
             | <r*.id> slave <n*.id>\n",
            "n1> CLUSTER NODES\n(any order)\n| <n1.id> myself,master 0-99 200-16383\n| <n3.id> <n3.node> master 100-199\n\
             | <n2.id> <n2.node> master\n| <r1.id> slave <n1.id>\n| <r1b.id> slave <n1.id>\n",
        );
        becomes(
            "r1> CLUSTER NODES\n(has)\n| <r1.id> myself\n| <r1*.id> slave <n1.id>\n",
            "r1> CLUSTER NODES\n(has)\n| <r1.id> myself\n| <r1b.id> slave <n1.id>\n",
        );
    }

    #[test]
    fn an_item_is_for_each_range_and_what_is_in_it_about_its_owner() {
        becomes(
            "n1> CLUSTER SLOTS\n(any order)\n1) (any order)\n   1) (integer) <n*.first>\n   2) (integer) <n*.last>\n   \
             3) \"<n*.id>\"\n   4) \"<r*.id>\"\n",
            "n1> CLUSTER SLOTS\n(any order)\n1) (any order)\n   1) (integer) 0\n   2) (integer) 99\n   3) \"<n1.id>\"\n   \
             4) \"<r1.id>\"\n   5) \"<r1b.id>\"\n2) (any order)\n   1) (integer) 200\n   2) (integer) 16383\n   3) \"<n1.id>\"\n   \
             4) \"<r1.id>\"\n   5) \"<r1b.id>\"\n3) (any order)\n   1) (integer) 100\n   2) (integer) 199\n   3) \"<n3.id>\"\n",
        );
        becomes(
            "n1> CLUSTER SHARDS\n(has)\n1) 1) <n1.slots>\n   2) \"<r1*.id>\"\n",
            "n1> CLUSTER SHARDS\n(has)\n1) 1) 1) (integer) 0\n      2) (integer) 99\n      3) (integer) 200\n      4) (integer) 16383\n   \
             2) \"<r1.id>\"\n   3) \"<r1b.id>\"\n",
        );
    }

    #[test]
    fn a_step_is_for_each_node_of_its_prompt_or_its_command() {
        becomes(
            "n*> GET a\n(error) MOVED 15495 <n3>\n",
            "n1> GET a\n(error) MOVED 15495 <n3>\n\nn2> GET a\n(error) MOVED 15495 <n3>\n",
        );
        becomes(
            "n*>> GET a\\r\\n\n\nn*<< -MOVED 15495 <n3>\\r\\n\n",
            "n1>> GET a\\r\\n\n\nn2>> GET a\\r\\n\n\nn1<< -MOVED 15495 <n3>\\r\\n\n\nn2<< -MOVED 15495 <n3>\\r\\n\n",
        );
        becomes(
            "n1> CLUSTER REPLICATE <r*.id>\nOK\n\nr*/x> CLUSTER MYID\n\"<r*.id>\"\n",
            "n1> CLUSTER REPLICATE <r1.id>\nOK\n\nn1> CLUSTER REPLICATE <r1b.id>\nOK\n\n\
             r1/x> CLUSTER MYID\n\"<r1.id>\"\n\nr1b/x> CLUSTER MYID\n\"<r1b.id>\"\n",
        );
    }

    #[test]
    fn counts_are_of_the_cluster_at_hand() {
        becomes(
            "n1> CLUSTER INFO\n(has)\n| cluster_known_nodes:<nodes>\n| cluster_size:<masters>\n",
            "n1> CLUSTER INFO\n(has)\n| cluster_known_nodes:5\n| cluster_size:2\n",
        );
    }

    #[test]
    fn a_transcript_without_stars_stays_as_it_is() {
        let steps =
            "n1> GET a\n(error) MOVED 15495 <n3>\n\nwithin 3T\n  r1> ROLE\n  1) \"slave\"\n  ...\n";
        becomes(steps, steps);
        assert!(!is_of_all(&transcript("3 masters, 1 replica each", steps)));
        assert!(is_of_all(&transcript("any", "n1> A\n| <nodes>\n")));
    }
}
