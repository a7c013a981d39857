//! Waiting: every wait has a deadline and polls an observable fact. The only sleep of the
//! project is here.

use std::future::Future;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// The moment at which a wait gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// A deadline that lies `duration` ahead. Durations too long for the clock count as a century.
    pub fn after(duration: Duration) -> Self {
        const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
        let now = Instant::now();
        Self(now.checked_add(duration).unwrap_or(now + CENTURY))
    }

    /// The earlier of this deadline and one that lies `duration` ahead.
    #[must_use]
    pub fn at_most(self, duration: Duration) -> Self {
        self.min(Self::after(duration))
    }

    /// The time left; zero when the deadline has passed.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Whether the deadline has passed.
    pub fn passed(self) -> bool {
        self.remaining().is_zero()
    }

    /// The deadline as tokio's time-outs want it.
    pub fn instant(self) -> tokio::time::Instant {
        self.0.into()
    }
}

/// Probes again and again, `every` apart, until the probe breaks with a value or the deadline has
/// passed; then the last observation comes back as the error. The probe is made at least once, and
/// once more at the deadline, so that a machine that was busy meanwhile is not taken for a failure.
///
/// # Errors
/// What the last probe observed when time ran out.
pub async fn until<T, O, F, P>(deadline: Deadline, every: Duration, mut probe: P) -> Result<T, O>
where
    P: FnMut() -> F,
    F: Future<Output = ControlFlow<T, O>>,
{
    loop {
        let last = deadline.passed();
        match probe().await {
            ControlFlow::Break(value) => return Ok(value),
            ControlFlow::Continue(observation) if last => return Err(observation),
            ControlFlow::Continue(_) => pause(every.min(deadline.remaining())).await,
        }
    }
}

/// As [`until`], for a probe that works on what it has borrowed and may fail: its error ends the wait.
///
/// # Errors
/// The probe's own; within, what it observed last when time ran out.
pub async fn until_met<T, O, E>(
    deadline: Deadline,
    every: Duration,
    mut probe: impl AsyncFnMut() -> Result<ControlFlow<T, O>, E>,
) -> Result<Result<T, O>, E> {
    loop {
        let last = deadline.passed();
        match probe().await? {
            ControlFlow::Break(value) => return Ok(Ok(value)),
            ControlFlow::Continue(observation) if last => return Ok(Err(observation)),
            ControlFlow::Continue(_) => pause(every.min(deadline.remaining())).await,
        }
    }
}

/// Attempts something until it succeeds, for what a node may not be ready for yet.
///
/// # Errors
/// The last attempt's error when time runs out.
pub async fn retry<T, E, F: Future<Output = Result<T, E>>>(
    deadline: Deadline,
    mut attempt: impl FnMut() -> F,
) -> Result<T, E> {
    until(deadline, Duration::from_millis(5), || {
        let attempt = attempt();
        async {
            attempt
                .await
                .map_or_else(ControlFlow::Continue, ControlFlow::Break)
        }
    })
    .await
}

/// The pause between two rounds of a loop that watches `deadline` itself; ends early at the deadline.
pub async fn next_round(every: Duration, deadline: Deadline) {
    pause(every.min(deadline.remaining())).await;
}

/// As [`until`], on the calling thread: for destructors, which cannot await.
///
/// # Errors
/// What the last probe observed when time ran out.
pub fn until_blocking<T, O>(
    deadline: Deadline,
    every: Duration,
    mut probe: impl FnMut() -> ControlFlow<T, O>,
) -> Result<T, O> {
    loop {
        let last = deadline.passed();
        match probe() {
            ControlFlow::Break(value) => return Ok(value),
            ControlFlow::Continue(observation) if last => return Err(observation),
            ControlFlow::Continue(_) => pause_blocking(every.min(deadline.remaining())),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that sleeps"
)]
async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that sleeps"
)]
fn pause_blocking(duration: Duration) {
    std::thread::sleep(duration);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_fact_that_comes_true_ends_the_wait() {
        let mut attempts = 0;
        let result = until(
            Deadline::after(Duration::from_secs(60)),
            Duration::ZERO,
            || {
                attempts += 1;
                std::future::ready(if attempts == 3 {
                    ControlFlow::Break("there")
                } else {
                    ControlFlow::Continue(attempts)
                })
            },
        )
        .await;
        assert_eq!(result, Ok("there"));
        assert_eq!(attempts, 3);
    }

    #[tokio::test]
    async fn the_last_observation_is_the_error() {
        let result: Result<(), &str> =
            until(Deadline::after(Duration::ZERO), Duration::ZERO, || {
                std::future::ready(ControlFlow::Continue("not yet"))
            })
            .await;
        assert_eq!(result, Err("not yet"));
    }

    #[test]
    fn a_blocking_wait_probes_once_even_when_the_deadline_has_passed() {
        let result: Result<u8, ()> =
            until_blocking(Deadline::after(Duration::ZERO), Duration::ZERO, || {
                ControlFlow::Break(7)
            });
        assert_eq!(result, Ok(7));
    }

    #[test]
    fn a_duration_beyond_the_clock_is_a_deadline_all_the_same() {
        assert!(!Deadline::after(Duration::MAX).passed());
    }
}
