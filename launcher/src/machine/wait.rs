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

/// How much longer than the wait itself its last look may take, on a busy machine.
const GRACE: Duration = Duration::from_secs(1);

/// The rounds of a wait that is written as a loop, for what does not fit into a probe of [`until`]: a loop may
/// work on references, and its errors end the wait.
#[derive(Debug)]
pub struct Rounds {
    deadline: Deadline,
    every: Duration,
    is_last: bool,
}

impl Rounds {
    /// The first of the rounds that are `every` apart and go on until the deadline.
    pub fn until(deadline: Deadline, every: Duration) -> Self {
        Self {
            deadline,
            every,
            is_last: deadline.passed(),
        }
    }

    /// When a look that begins now must be over: after `most` of time, and hardly later than the wait itself. The
    /// last one has time, too.
    pub fn look(&self, most: Duration) -> Deadline {
        Deadline::after(most.min(self.deadline.remaining() + GRACE))
    }

    /// Whether no other round comes: what is not so now is late.
    pub fn is_last(&self) -> bool {
        self.is_last
    }

    /// Waits for the next round; false if there is none. The last one begins when the deadline has passed, so
    /// that a machine that was busy meanwhile is not taken for a failure.
    pub async fn next(&mut self) -> bool {
        if self.is_last {
            return false;
        }
        pause(self.every.min(self.deadline.remaining())).await;
        self.is_last = self.deadline.passed();
        true
    }
}

/// Probes in [`Rounds`] until the probe breaks with a value; when they are over, the last observation comes
/// back as the error.
///
/// # Errors
/// What the last probe observed when time ran out.
pub async fn until<T, O, F, P>(deadline: Deadline, every: Duration, mut probe: P) -> Result<T, O>
where
    P: FnMut() -> F,
    F: Future<Output = ControlFlow<T, O>>,
{
    let mut rounds = Rounds::until(deadline, every);
    loop {
        match probe().await {
            ControlFlow::Break(value) => return Ok(value),
            ControlFlow::Continue(observation) => {
                if !rounds.next().await {
                    return Err(observation);
                }
            }
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

/// A timer that fires so late shows that this process, or the machine, stood still.
const STANDSTILL: Duration = Duration::from_millis(200);

/// What comes of something that must be over at the deadline; `None` if it is not. If nothing ran meanwhile, as on
/// a busy machine or after a suspension, what is waited for has had no time either: it gets that time again.
pub async fn before<F: Future>(deadline: Deadline, work: F) -> Option<F::Output> {
    let mut work = std::pin::pin!(work);
    let due = deadline.instant().max(tokio::time::Instant::now());
    if let Ok(done) = tokio::time::timeout_at(due, work.as_mut()).await {
        return Some(done);
    }
    let late = due.elapsed();
    if late < STANDSTILL {
        return None;
    }
    tokio::time::timeout(late, work).await.ok()
}

/// Waits for so long: between the rounds of what goes on until it is dropped.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that sleeps"
)]
pub async fn pause(duration: Duration) {
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

    #[tokio::test]
    async fn the_last_round_begins_when_the_deadline_has_passed() {
        let deadline = Deadline::after(Duration::from_millis(20));
        let mut rounds = Rounds::until(deadline, Duration::from_millis(3));
        let mut began = Vec::new();
        loop {
            began.push(deadline.passed());
            if !rounds.next().await {
                break;
            }
        }
        assert_eq!(began.first(), Some(&false));
        assert_eq!(began.iter().filter(|late| **late).count(), 1, "{began:?}");
    }

    #[tokio::test]
    async fn there_is_one_round_when_there_is_no_time_at_all() {
        let mut rounds = Rounds::until(Deadline::after(Duration::ZERO), Duration::ZERO);
        assert!(!rounds.next().await);
    }

    #[tokio::test]
    async fn a_time_in_which_nothing_ran_does_not_count() {
        let work = before(
            Deadline::after(Duration::from_millis(50)),
            pause(Duration::from_millis(500)),
        );
        // On the same thread.
        let standstill = async { pause_blocking(Duration::from_millis(300)) };
        let (done, ()) = tokio::join!(work, standstill);
        assert_eq!(done, Some(()));
    }

    #[tokio::test]
    async fn what_does_not_come_is_given_up() {
        for millis in [0, 20] {
            let deadline = Deadline::after(Duration::from_millis(millis));
            assert_eq!(before(deadline, std::future::pending::<()>()).await, None);
        }
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
