//! Steps in their order, and blocks that are repeated: `within` and `for`.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use shardlab::machine::wait::{Deadline, next_round};

use crate::pattern::holds;
use crate::system::{Target, choose};
use crate::transcript::Spanned;
use crate::transcript::ast::{Block, Period, StepKind};

use super::limits::length;
use super::result::{Attempts, BlockKind, Difference};
use super::session::{NodeFactsOf, Outcome, Session, difference, stumble};

impl<T: Target> Session<'_, T> {
    /// Runs the steps up to the first that departs.
    pub(super) fn block<'f>(
        &'f mut self,
        block: &'f Block,
    ) -> Pin<Box<dyn Future<Output = Outcome> + Send + 'f>> {
        Box::pin(async move {
            for step in &block.steps {
                if self.deadline.passed() {
                    let received = "a case that has taken longer than it may";
                    return Err(stumble(step.kind.span, None, "this step", received));
                }
                self.step(&step.kind).await?;
            }
            Ok(())
        })
    }

    async fn step(&mut self, step: &Spanned<StepKind>) -> Outcome {
        match &step.value {
            StepKind::Send(pipeline) => self.pipeline(pipeline).await,
            StepKind::Read {
                connection,
                expected,
            } => self.read_one(connection, expected).await,
            StepKind::RawSend { connection, bytes } => self.raw_send(connection, bytes).await,
            StepKind::RawExpect {
                connection,
                outcome,
            } => self.raw_expect(connection, outcome, step.span).await,
            StepKind::Within(period, block) => self.within(period, block).await,
            StepKind::For(period, block) => self.throughout(period, block).await,
            StepKind::Act(action) => self.act(action, step.span).await,
            StepKind::Assert(assertion) => {
                let facts = NodeFactsOf(self.target);
                let known = crate::pattern::Known {
                    facts: &facts,
                    captures: &self.captures,
                };
                holds(assertion, known).map_err(|mismatch| difference(*mismatch, None, None))
            }
            StepKind::Choose(variants) => match choose(self.target.server(), variants).first() {
                Some(block) => self.block(block).await,
                None => Ok(()),
            },
        }
    }

    /// Repeats a block until it succeeds once. What failed attempts have captured or tolerated
    /// is forgotten.
    async fn within(&mut self, period: &Spanned<Period>, block: &Block) -> Outcome {
        let timeout = self.target.node_timeout().period;
        let begun = Instant::now();
        let whole = self.limits.within(period.value, timeout);
        let slack = self.limits.slack_of(length(period.value, timeout));
        let allowed = self.patience.of_block(whole, self.limits.read);
        let deadline = Deadline::after(allowed).min(self.deadline);
        let (captures, tolerated) = (self.captures.clone(), self.tolerated.len());
        let mut count = 0;
        let mut closest: Option<Box<Difference>> = None;
        loop {
            let last = deadline.passed();
            count += 1;
            let Err(mut difference) = self.repeated(block).await else {
                return Ok(());
            };
            self.captures.clone_from(&captures);
            self.tolerated.truncate(tolerated);
            if difference.is_final && !last {
                let note = "this cannot become right, so it was not tried again";
                difference.notes.push(note.to_owned());
            }
            if last && allowed < whole {
                let note = "other blocks were repeated in vain before, so this one had less time than it asks for";
                difference.notes.push(note.to_owned());
            }
            if last {
                self.patience.block_in_vain(begun.elapsed());
            }
            if last || difference.is_final {
                let further = closest.filter(|other| place(other) > place(&difference));
                let closest = further.map(|other| other.sentence());
                let attempts = Attempts {
                    slack,
                    closest,
                    ..self.attempts(BlockKind::Within, period.value, count, begun)
                };
                return Err(with(difference, attempts));
            }
            if closest
                .as_ref()
                .is_none_or(|other| place(&difference) >= place(other))
            {
                closest = Some(difference);
            }
            next_round(self.limits.pause, deadline).await;
        }
    }

    /// Repeats a block for a time, in which it must succeed every time.
    async fn throughout(&mut self, period: &Spanned<Period>, block: &Block) -> Outcome {
        let begun = Instant::now();
        let timeout = self.target.node_timeout().period;
        let deadline = Deadline::after(length(period.value, timeout)).min(self.deadline);
        let mut count = 0;
        loop {
            let last = deadline.passed();
            count += 1;
            if let Err(difference) = self.repeated(block).await {
                let attempts = self.attempts(BlockKind::For, period.value, count, begun);
                return Err(with(difference, attempts));
            }
            if last {
                return Ok(());
            }
            next_round(self.limits.pause, deadline).await;
        }
    }

    /// An attempt, of which nothing is written down.
    async fn repeated(&mut self, block: &Block) -> Outcome {
        self.count_blocks(1);
        let outcome = self.block(block).await;
        self.count_blocks(-1);
        outcome
    }

    fn count_blocks(&mut self, by: isize) {
        if let Some(mending) = &mut self.mending {
            mending.blocks = mending.blocks.saturating_add_signed(by);
        }
    }

    fn attempts(&self, kind: BlockKind, period: Period, count: u32, begun: Instant) -> Attempts {
        let timeout = self.target.node_timeout();
        let word = match kind {
            BlockKind::Within => "within",
            BlockKind::For => "for",
        };
        let (seconds, origin) = (timeout.period.as_secs_f64(), timeout.origin);
        Attempts {
            block: format!("{word} {}", written(period)),
            kind,
            count,
            elapsed: begun.elapsed(),
            slack: Duration::ZERO,
            node_timeout: format!("{seconds} s {origin}"),
            closest: None,
        }
    }
}

/// How far an attempt came.
fn place(difference: &Difference) -> usize {
    difference.span.start
}

/// The innermost block is the one that tells most.
fn with(mut difference: Box<Difference>, attempts: Attempts) -> Box<Difference> {
    difference.attempts.get_or_insert(attempts);
    difference
}

/// A period as in a transcript.
fn written(period: Period) -> String {
    match period {
        Period::Timeouts(thousandths) => format!("{}T", f64::from(thousandths) / 1000.0),
        Period::Millis(millis) if millis % 1000 == 0 => format!("{}s", millis / 1000),
        Period::Millis(millis) => format!("{millis}ms"),
    }
}
