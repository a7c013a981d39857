//! How long anything may take.

use std::cmp::Reverse;
use std::time::Duration;

use crate::suite::Case;
use crate::transcript::ast::{Block, Period, StepKind};

/// The deadlines of a run. Every wait has one.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// For a connection to be made, and for a reply to come.
    pub read: Duration,
    /// The most that `within` adds to its period, so that a busy machine does not look like a slow server; never
    /// more than [`Self::slack_share`] of the period.
    pub slack: Duration,
    /// How much of its period `within` may add to it.
    pub slack_share: f64,
    /// Between two attempts of a block.
    pub pause: Duration,
    /// For how long a reply that is to be pending must stay away, and for how long no byte may
    /// follow those that were expected.
    pub quiet: Duration,
    /// For a case, unless its blocks add up to more.
    pub case: Duration,
    /// For a process to end or to start.
    pub process: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            read: Duration::from_secs(5),
            slack: Duration::from_secs(5),
            slack_share: 1.0,
            pause: Duration::from_millis(50),
            quiet: Duration::from_millis(100),
            case: Duration::from_secs(60),
            process: Duration::from_secs(20),
        }
    }
}

impl Limits {
    /// Everything `factor` times as long, for slow machines. The factor lies between 0.1 and 100.
    #[must_use]
    pub fn slower(&self, factor: f64) -> Self {
        let factor = factor.clamp(0.1, 100.0);
        Self {
            read: self.read.mul_f64(factor),
            slack: self.slack.mul_f64(factor),
            slack_share: self.slack_share * factor,
            pause: self.pause,
            quiet: self.quiet.mul_f64(factor),
            case: self.case.mul_f64(factor),
            process: self.process.mul_f64(factor),
        }
    }

    /// For a node to show that it is there.
    pub(super) fn answer(&self) -> Duration {
        self.read / 5
    }

    /// What is added to a period of `within`.
    pub(super) fn slack_of(&self, period: Duration) -> Duration {
        self.slack.min(period.mul_f64(self.slack_share))
    }

    /// How long `within` may take.
    pub(super) fn within(&self, period: Period, node_timeout: Duration) -> Duration {
        let period = length(period, node_timeout);
        period.saturating_add(self.slack_of(period))
    }

    /// How long a case with this body may take.
    pub(super) fn of_case(&self, body: &Block, node_timeout: Duration) -> Duration {
        self.case
            .max(self.longest(body, node_timeout).saturating_add(self.read))
    }

    /// How long a block may take, if each of its steps takes all of its time.
    fn longest(&self, block: &Block, node_timeout: Duration) -> Duration {
        let of_step = |step: &StepKind| match step {
            StepKind::Within(period, _) => self.within(period.value, node_timeout),
            StepKind::For(period, _) => {
                length(period.value, node_timeout).saturating_add(self.read)
            }
            StepKind::Choose(variants) => variants
                .iter()
                .map(|variant| self.longest(&variant.body, node_timeout))
                .max()
                .unwrap_or_default(),
            StepKind::Act(_) => self.process,
            _ => Duration::ZERO,
        };
        block
            .steps
            .iter()
            .map(|step| of_step(&step.kind))
            .fold(Duration::ZERO, Duration::saturating_add)
    }
}

/// The key by which cases are queued: those that may take longest go first, since the last one
/// that waits for elections would keep the whole run waiting alone.
pub(crate) fn longest_first(case: &Case) -> Reverse<Duration> {
    Reverse(Limits::default().longest(&case.transcript.body, Duration::from_secs(1)))
}

/// Whether a case has no block that is repeated and no action: it takes no longer than its replies.
pub(crate) fn waits_for_nothing(case: &Case) -> bool {
    Limits::default()
        .longest(&case.transcript.body, Duration::from_secs(1))
        .is_zero()
}

/// Whether a case sends nothing but CLUSTER NODES, to servers of all versions: what it needs to know of a
/// running cluster is known as soon as the nodes are.
pub(crate) fn asks_for_nodes_only(case: &Case) -> bool {
    fn sends_only(case: &Case, block: &Block) -> bool {
        block.steps.iter().all(|step| match &step.kind.value {
            StepKind::Send(pipeline) => pipeline
                .exchanges
                .iter()
                .all(|exchange| case.text(exchange.command.span) == "CLUSTER NODES"),
            StepKind::Within(_, block) | StepKind::For(_, block) => sends_only(case, block),
            StepKind::Assert(_) => true,
            _ => false,
        })
    }
    case.transcript.header.since.is_none() && sends_only(case, &case.transcript.body)
}

/// A period in time.
pub(super) fn length(period: Period, node_timeout: Duration) -> Duration {
    match period {
        Period::Timeouts(thousandths) => node_timeout.saturating_mul(thousandths) / 1000,
        Period::Millis(millis) => Duration::from_millis(millis.into()),
    }
}

/// How many cases run at once unless somebody says otherwise: five for each core, at most 16, since
/// nearly all of their time goes by in waiting for gossip and elections.
pub fn jobs_by_default() -> u8 {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u8::try_from(cores.saturating_mul(5).min(16)).unwrap_or(5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::parse_case;

    #[test]
    fn a_case_has_the_time_that_its_blocks_add_up_to() {
        let block = |count| {
            let steps = "within 10T\n  n1> PING\n  PONG\n\n".repeat(count);
            crate::run::tests::transcript(&steps).body
        };
        let (limits, second) = (Limits::default(), Duration::from_secs(1));
        assert_eq!(limits.of_case(&block(1), second), limits.case);
        let ten = limits.of_case(&block(10), second);
        assert_eq!(ten, Duration::from_secs(10 * 15 + 5));
    }

    #[test]
    fn slack_is_no_longer_than_the_period_and_grows_with_slow() {
        let (usual, second) = (Limits::default(), Duration::from_secs(1));
        for (timeouts, slow, whole) in [
            (500, 1.0, second),
            (2_000, 1.0, second * 4),
            (8_000, 1.0, second * 13),
            (2_000, 3.0, second * 8),
            (8_000, 3.0, second * 23),
        ] {
            let period = Period::Timeouts(timeouts);
            assert_eq!(
                usual.slower(slow).within(period, second),
                whole,
                "{timeouts} {slow}"
            );
        }
    }

    #[test]
    fn what_may_take_longest_is_queued_first_and_the_rest_keeps_its_order() {
        let case = |name: &str, steps: &str| {
            let source = format!("{}{steps}", crate::run::tests::HEADER);
            parse_case(format!("area/{name}.resp"), source.as_bytes()).unwrap()
        };
        let quick = "n1> PING\nPONG\n";
        let mut cases = [
            case("case_1", quick),
            case("case_2", quick),
            case("case_3", "within 2s\n  n1> PING\n  PONG\n"),
            case("case_4", "within 3T\n  n1> PING\n  PONG\n"),
        ];
        cases.sort_by_key(longest_first);
        assert_eq!(
            cases.map(|case| case.path),
            [
                "area/case_4.resp",
                "area/case_3.resp",
                "area/case_1.resp",
                "area/case_2.resp"
            ]
        );
    }

    #[test]
    fn a_period_is_a_multiple_of_the_node_timeout_or_a_time() {
        let timeout = Duration::from_millis(500);
        assert_eq!(
            length(Period::Timeouts(1500), timeout),
            Duration::from_millis(750)
        );
        assert_eq!(
            length(Period::Millis(20), timeout),
            Duration::from_millis(20)
        );
    }
}
