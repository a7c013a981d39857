//! All cases of a run: in which order, how many at once, and with which clusters booted ahead.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use shardlab::machine::wait::Deadline;
use tokio::task::JoinSet;

use crate::suite::Case;
use crate::system::pool::{Booking, Boots};

use super::event::Event;
use super::gate::gate;
use super::limits::{asks_for_nodes_only, longest_first, waits_for_nothing};
use super::result::{CaseResult, RunResult, Verdict};
use super::runner::{is_shared, wish};
use super::{Runner, Subject};

impl Runner {
    /// Runs all cases, `jobs` at once, and tells of each as it begins and ends. Cases that are not begun
    /// when `patience` is over count as broken.
    pub async fn run(
        self: Arc<Self>,
        cases: Vec<Case>,
        jobs: usize,
        patience: Duration,
        told: impl Fn(Event<'_>),
    ) -> RunResult {
        let (begun, deadline) = (Instant::now(), Deadline::after(patience));
        let count = cases.len();
        let mut lost: Vec<_> = cases.iter().map(|case| Some(lost(case))).collect();
        let (queue, _boots) = self.queue(cases, jobs);
        let queue = Arc::new(Mutex::new(queue));
        let (sender, mut results) = tokio::sync::mpsc::unbounded_channel();
        let mut workers = JoinSet::new();
        for _ in 0..jobs.clamp(1, count.max(1)) {
            let (runner, queue, sender) = (Arc::clone(&self), Arc::clone(&queue), sender.clone());
            workers.spawn(async move {
                let next = || {
                    queue
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .pop_front()
                };
                while let Some(Queued {
                    place,
                    case,
                    booking,
                }) = next()
                {
                    let _ = sender.send((place, News::Begun(case.id().to_owned())));
                    let result = if deadline.passed() {
                        let reason = format!("the run's {} s were over", patience.as_secs());
                        CaseResult::new(&case, Verdict::Broken(reason))
                    } else {
                        runner.booked(&case, booking).await
                    };
                    let _ = sender.send((place, News::Ended(Box::new(result))));
                }
            });
        }
        drop(sender);
        let mut results_by_place = Vec::with_capacity(count);
        while let Some((place, news)) = results.recv().await {
            let result = match news {
                News::Begun(id) => {
                    told(Event::Begun { id: &id });
                    continue;
                }
                News::Ended(result) => *result,
            };
            told(Event::Ended(&result));
            if let Some(lost) = lost.get_mut(place) {
                *lost = None;
            }
            results_by_place.push((place, result));
        }
        self.leave().await;
        // A worker that panics takes its case with it, which must not look like one that was not asked for.
        let lost = lost.into_iter().enumerate();
        results_by_place.extend(lost.filter_map(|(place, lost)| Some((place, lost?))));
        results_by_place.sort_by_key(|(place, _)| *place);
        RunResult {
            target: self.subject().describe(),
            options: self.subject().options(),
            cases: results_by_place
                .into_iter()
                .map(|(_, result)| result)
                .collect(),
            elapsed: begun.elapsed(),
            least: None,
            is_interrupted: false,
        }
    }

    /// Cases in the order in which they are run, and the boots of those that get a cluster of their own.
    fn queue(&self, cases: Vec<Case>, jobs: usize) -> (VecDeque<Queued>, Option<Boots>) {
        let plain = |(place, case)| Queued {
            place,
            case,
            booking: None,
        };
        let mut cases: Vec<_> = cases.into_iter().enumerate().collect();
        self.sort(&mut cases);
        let mut queue: VecDeque<_> = cases.into_iter().map(plain).collect();
        let Subject::Launched(pool) = self.subject() else {
            return (queue, None);
        };
        let own = |queued: &Queued| {
            (!is_shared(&queued.case))
                .then(|| wish(pool, &queued.case).ok())
                .flatten()
        };
        let (wishes, queued): (Vec<_>, Vec<_>) = queue
            .iter_mut()
            .filter_map(|queued| Some((own(queued)?, queued)))
            .unzip();
        let (boots, bookings) = pool.book(wishes, jobs);
        for (queued, booking) in queued.into_iter().zip(bookings) {
            queued.booking = Some(booking);
        }
        (queue, Some(boots))
    }

    /// What is not for this server is told first, then a case that waits for nothing, so that something
    /// is seen at once; then those that may take longest. On a running cluster cases take turns anyhow, and
    /// those come first that ask for what it has just told.
    fn sort(&self, cases: &mut [(usize, Case)]) {
        let refused = |case: &Case| match self.subject() {
            Subject::Launched(pool) => wish(pool, case).is_err(),
            Subject::Attached(attachment) => gate(case, None, attachment.granted()).is_some(),
        };
        match self.subject() {
            // What changes least comes first.
            Subject::Attached(_) => {
                let needs = |case: &Case| case.transcript.header.needs.value;
                cases.sort_by_key(|(_, case)| {
                    (!refused(case), needs(case), !asks_for_nodes_only(case))
                });
            }
            Subject::Launched(_) => {
                cases.sort_by_key(|(_, case)| (!refused(case), longest_first(case)));
                let quick = |case: &Case| is_shared(case) && waits_for_nothing(case);
                let first = cases.iter().position(|(_, case)| !refused(case));
                let quick = cases
                    .iter()
                    .position(|(_, case)| !refused(case) && quick(case));
                if let Some(cases) = first.zip(quick).and_then(|(a, b)| cases.get_mut(a..=b)) {
                    cases.rotate_right(1);
                }
            }
        }
    }
}

/// A case of which nobody told what came of it.
fn lost(case: &Case) -> CaseResult {
    let reason = "the runner ended before the case did; this is a bug".to_owned();
    CaseResult::new(case, Verdict::Broken(reason))
}

/// What a worker tells.
enum News {
    Begun(String),
    Ended(Box<CaseResult>),
}

/// A case that waits for its turn.
struct Queued {
    place: usize,
    case: Case,
    booking: Option<Booking>,
}
