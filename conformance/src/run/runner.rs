//! All cases against a server: several at once, each with a cluster of its own or a shared one.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use shardlab::machine::wait::Deadline;
use tokio::runtime::{self, Runtime};
use tokio::task::JoinSet;

use crate::known::KnownList;
use crate::pattern::{Captures, Known, Server};
use crate::pool::{Booking, Boots, Pool};
use crate::suite::Case;
use crate::system::Target;
use crate::system::attached::{Attached, Undiscovered};
use crate::system::launched::Wish;
use crate::transcript::ast::{Level, Needs};

use super::case::{Trial, run_case};
use super::footprint::{Footprint, footprint};
use super::gate::gate;
use super::keys::{delete, existing, occupied};
use super::limits::longest_first;
use super::probe::unknown_command;
use super::result::{CaseResult, Difference, RunResult, Skip, Verdict};
use super::session::NodeFactsOf;
use super::{Limits, Subject};

/// A runtime for runs: two threads, since the work is done by the servers.
///
/// # Errors
/// The system gives no threads or no poller.
pub fn runtime() -> io::Result<Runtime> {
    runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
}

/// Runs cases against a subject.
#[derive(Debug)]
pub struct Runner {
    subject: Subject,
    limits: Limits,
    known: KnownList,
    /// Held by the case that runs on somebody's cluster: there is one for all of them.
    turn: tokio::sync::Mutex<()>,
    /// That case's keys, while they may be there.
    in_hand: Mutex<Option<(Attached, Footprint)>>,
}

/// What came of trying a case.
type Tried = Result<Trial, Verdict>;

impl Runner {
    /// A runner with the usual limits, to which no departure is known.
    pub fn new(subject: Subject) -> Self {
        Self {
            subject,
            limits: Limits::default(),
            known: KnownList::default(),
            turn: tokio::sync::Mutex::default(),
            in_hand: Mutex::default(),
        }
    }

    /// Other limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What is known to depart.
    #[must_use]
    pub fn known(mut self, known: KnownList) -> Self {
        self.known = known;
        self
    }

    /// What it tests.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Runs all cases, `jobs` at once, and tells of each as it ends. Cases that are not begun
    /// when `patience` is over count as broken.
    pub async fn run(
        self: Arc<Self>,
        cases: Vec<Case>,
        jobs: usize,
        patience: Duration,
        told: impl Fn(&CaseResult),
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
                    let result = if deadline.passed() {
                        let reason = format!("the run's {} s were over", patience.as_secs());
                        CaseResult::new(&case, Verdict::Broken(reason))
                    } else {
                        runner.booked(&case, booking).await
                    };
                    let _ = sender.send((place, result));
                }
            });
        }
        drop(sender);
        let mut results_by_place = Vec::with_capacity(count);
        while let Some((place, result)) = results.recv().await {
            told(&result);
            if let Some(lost) = lost.get_mut(place) {
                *lost = None;
            }
            results_by_place.push((place, result));
        }
        // A worker that panics takes its case with it, which must not look like one that was not asked for.
        let lost = lost.into_iter().enumerate();
        results_by_place.extend(lost.filter_map(|(place, lost)| Some((place, lost?))));
        results_by_place.sort_by_key(|(place, _)| *place);
        RunResult {
            target: self.subject.describe(),
            options: self.subject.options(),
            cases: results_by_place
                .into_iter()
                .map(|(_, result)| result)
                .collect(),
            elapsed: begun.elapsed(),
        }
    }

    /// Deletes the keys of a case whose run was dropped half-way on somebody's cluster.
    ///
    /// # Errors
    /// They cannot be deleted.
    pub async fn clean_up(&self) -> Result<(), String> {
        // A task that is aborted ends at its next wait.
        let _turn = self.turn.lock().await;
        let in_hand = self.in_hand().take();
        match in_hand {
            Some((target, footprint)) => delete(&target, &footprint, &self.limits).await,
            None => Ok(()),
        }
    }

    fn in_hand(&self) -> std::sync::MutexGuard<'_, Option<(Attached, Footprint)>> {
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one case.
    pub async fn case(&self, case: &Case) -> CaseResult {
        self.booked(case, None).await
    }

    /// Cases in the order in which they are run, and the boots of those that get a cluster of their own.
    fn queue(&self, cases: Vec<Case>, jobs: usize) -> (VecDeque<Queued>, Option<Boots>) {
        let plain = |(place, case)| Queued {
            place,
            case,
            booking: None,
        };
        let mut cases: Vec<_> = cases.into_iter().enumerate().collect();
        cases.sort_by_key(|(_, case)| longest_first(case));
        let mut queue: VecDeque<_> = cases.into_iter().map(plain).collect();
        let Subject::Launched(pool) = &self.subject else {
            return (queue, None);
        };
        let own = |queued: &&mut Queued| {
            !is_shared(&queued.case) && refused(pool, &queued.case).is_none()
        };
        let wishes = queue.iter_mut().filter(own);
        let wishes = wishes
            .map(|queued| Wish::of(&queued.case.transcript.header))
            .collect();
        let (boots, bookings) = pool.book(wishes, jobs);
        for (queued, booking) in queue.iter_mut().filter(own).zip(bookings) {
            queued.booking = Some(booking);
        }
        (queue, Some(boots))
    }

    async fn booked(&self, case: &Case, booking: Option<Booking>) -> CaseResult {
        let mut result = CaseResult::new(case, Verdict::Pass);
        let tried = match &self.subject {
            Subject::Launched(pool) => {
                result.server = Some(pool.launcher().server().clone());
                self.launched(pool, case, booking).await
            }
            Subject::Attached(attachment) => {
                let _turn = self.turn.lock().await;
                match attachment.discover(self.limits.read).await {
                    Ok(target) => {
                        result.server = target.server().cloned();
                        self.attached(&target, case).await
                    }
                    Err(undiscovered) => {
                        Err(self.departs(case, None, unknown_place(case, undiscovered)))
                    }
                }
            }
        };
        match tried {
            Ok(trial) => {
                result.elapsed = trial.elapsed;
                result.tolerated = trial.tolerated;
                result.verdict = match trial.difference {
                    Some(difference) => self.departs(case, result.server.as_ref(), difference),
                    None => self.holds(case, result.server.as_ref()),
                };
            }
            Err(verdict) => result.verdict = verdict,
        }
        result
    }

    async fn launched(&self, pool: &Pool, case: &Case, booking: Option<Booking>) -> Tried {
        if let Some(skip) = refused(pool, case) {
            return Err(Verdict::Skipped(skip));
        }
        let wish = Wish::of(&case.transcript.header);
        let shared = is_shared(case);
        let booted = match booking {
            Some(booking) => match booking.take().await {
                // It failed over while it waited for its case.
                Some(Ok(cluster)) if !cluster.is_as_born().await => Some(pool.fresh(&wish).await),
                booted => booted,
            },
            None if shared => Some(pool.shared(&wish).await),
            None => Some(pool.fresh(&wish).await),
        };
        let cluster = match booted {
            Some(Ok(cluster)) => cluster,
            Some(Err(error)) => return Err(Verdict::Broken(error.to_string())),
            None => return Err(Verdict::Broken("the pool of clusters has ended".to_owned())),
        };
        let footprint = trace(case, &cluster);
        let trial = self.trial(case, &cluster).await?;
        // What a case has spoilt, or may have, no other case gets.
        if shared
            && trial.difference.is_none()
            && footprint.reaches.is_none()
            && delete(&cluster, &footprint, &self.limits).await.is_ok()
        {
            pool.give_back(wish, cluster);
        }
        Ok(trial)
    }

    async fn attached(&self, target: &Attached, case: &Case) -> Tried {
        let skip = |kind, reason| Err(Verdict::Skipped(Skip { kind, reason }));
        if let Some(refused) = gate(case, target.server(), Needs::Client) {
            return Err(Verdict::Skipped(refused));
        }
        if let Some(reason) = target.lacks(case.transcript.header.topology.value) {
            return skip("need another topology", reason);
        }
        let footprint = trace(case, target);
        if let Some(command) = &footprint.reaches {
            return skip(
                "would change more than their own keys",
                format!("it sends `{command}`"),
            );
        }
        match existing(target, &footprint, &self.limits).await {
            Ok(keys) => {
                if let Some(key) = keys.first() {
                    let key = shardlab::wire::resp::escape(key);
                    return skip(
                        "would change keys of yours",
                        format!("the key `{key}` is there already"),
                    );
                }
            }
            // What may be somebody's is not written.
            Err(reason) => {
                let wanted = "a server that tells whether the case's keys exist";
                return self.undiscovered(case, wanted, &reason);
            }
        }
        match occupied(target, &footprint, &self.limits).await {
            Ok(None) => {}
            Ok(Some(slot)) => {
                return skip(
                    "would see keys of yours",
                    format!("there are keys in slot {slot}, whose keys it counts"),
                );
            }
            Err(reason) => {
                let wanted = "a server that tells how many keys are in the case's slots";
                return self.undiscovered(case, wanted, &reason);
            }
        }
        *self.in_hand() = Some((target.clone(), footprint.clone()));
        let trial = self.trial(case, target).await;
        let deleted = match &trial {
            Ok(_) => delete(target, &footprint, &self.limits).await,
            Err(_) => Ok(()),
        };
        self.in_hand().take();
        let mut trial = trial?;
        if let Err(reason) = deleted {
            let left = format!("the case's keys are left behind: {reason}");
            match &mut trial.difference {
                Some(difference) => difference.notes.push(left),
                None => return Err(Verdict::Broken(left)),
            }
        }
        Ok(trial)
    }

    /// The departure of a case that cannot be tried, since the server did not tell what must be known first.
    fn undiscovered(&self, case: &Case, wanted: &str, reason: &str) -> Tried {
        let undiscovered = Undiscovered {
            expected: wanted.to_owned(),
            received: reason.to_owned(),
        };
        let difference = unknown_place(case, undiscovered);
        Err(self.departs(case, None, difference))
    }

    async fn trial<T: Target>(&self, case: &Case, target: &T) -> Tried {
        let commands = case
            .transcript
            .header
            .command
            .iter()
            .map(|command| command.value.as_str());
        if let Some(command) = unknown_command(target, commands, &self.limits).await {
            return Err(Verdict::Skipped(Skip {
                kind: "need a command that the server lacks",
                reason: format!("the server does not know `{command}`"),
            }));
        }
        Ok(run_case(&case.transcript, target, &self.limits).await)
    }

    fn departs(
        &self,
        case: &Case,
        server: Option<&Server>,
        difference: Box<Difference>,
    ) -> Verdict {
        let level = difference
            .level
            .unwrap_or(case.transcript.header.level.value);
        match server.and_then(|server| self.known.reason(case.id(), server)) {
            _ if level == Level::May => Verdict::Otherwise(difference),
            Some(reason) => Verdict::Known {
                difference,
                reason: reason.to_owned(),
            },
            None => Verdict::Departs(difference),
        }
    }

    fn holds(&self, case: &Case, server: Option<&Server>) -> Verdict {
        match server.and_then(|server| self.known.reason(case.id(), server)) {
            Some(reason) => Verdict::Fixed {
                reason: reason.to_owned(),
            },
            None => Verdict::Pass,
        }
    }
}

/// A case of which nobody told what came of it.
fn lost(case: &Case) -> CaseResult {
    let reason = "the runner ended before the case did; this is a bug".to_owned();
    CaseResult::new(case, Verdict::Broken(reason))
}

/// A case that waits for its turn.
struct Queued {
    place: usize,
    case: Case,
    booking: Option<Booking>,
}

/// Why a server that we start cannot be tested with a case.
fn refused(pool: &Pool, case: &Case) -> Option<Skip> {
    gate(case, Some(pool.launcher().server()), Needs::Sentinel)
}

/// Whether a case leaves its cluster as it was, but for its keys.
fn is_shared(case: &Case) -> bool {
    case.transcript.header.needs.value == Needs::Client
}

fn trace(case: &Case, target: &impl Target) -> Footprint {
    let known = Known {
        facts: &NodeFactsOf(target),
        captures: &Captures::new(),
    };
    footprint(&case.transcript, known)
}

/// What a server did not tell, at the line that asks for its nodes.
fn unknown_place(case: &Case, undiscovered: Undiscovered) -> Box<Difference> {
    let Undiscovered { expected, received } = undiscovered;
    Box::new(Difference::at(
        case.transcript.header.topology.span,
        expected,
        received,
    ))
}
