//! All cases against a server: several at once, each with a cluster of its own or a shared one.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::{self, Runtime};

use crate::binding::{Names, expand};
use crate::known::KnownList;
use crate::pattern::Server;
use crate::suite::Case;
use crate::system::Target;
use crate::system::attached::{Attachment, Found, Unusable};
use crate::system::launched::Wish;
use crate::system::pool::{Booking, Pool};
use crate::system::stall::why;
use crate::transcript::ast::{Level, Needs, Transcript};

use super::boots::Boots;
use super::case::{Trial, run_case_among};
use super::footprint::{Footprint, footprint};
use super::gate::gate;
use super::keys::{Trouble, Waits, delete, left_behind};
use super::limits::asks_for_nodes_only;
use super::mending::{Mending, naming};
use super::patience::{Patience, shortened};
use super::probe::unknown_command;
use super::result::{CaseResult, Difference, Skip, Verdict};
use super::session::NodeFactsOf;
use super::visit::Visit;
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
    pub(super) limits: Limits,
    known: KnownList,
    patience: Patience,
    /// Whether replies that depart become expectations.
    blesses: bool,
    booted: Boots,
    /// How often in a row the cluster was slow to tell its nodes, or did not.
    slow_discoveries: AtomicU32,
    /// Held by the case that runs on somebody's cluster: there is one for all of them.
    pub(super) turn: tokio::sync::Mutex<()>,
    /// What was seen of that cluster, and is done to it.
    pub(super) visit: Visit,
}

/// From so many slow answers in a row on, somebody's cluster has less time to tell its nodes.
const SLOW_DISCOVERIES: u32 = 2;

/// Why a case on a cluster that is changing is not judged.
pub(super) const CHANGING: &str = "need a cluster that stays as it is";

/// What a server is asked for besides its nodes, and need not tell.
const MORE: &str = "CLUSTER SLOTS";

/// What came of trying a case.
pub(super) type Tried = Result<Trial, Verdict>;

impl Runner {
    /// A runner with the usual limits, to which no departure is known.
    pub fn new(subject: Subject) -> Self {
        Self {
            limits: Limits::default(),
            known: KnownList::default(),
            patience: match &subject {
                Subject::Launched(_) => Patience::that_ends(),
                Subject::Attached(_) => Patience::of_a_server_at_rest(),
            },
            blesses: false,
            booted: Boots::default(),
            slow_discoveries: AtomicU32::new(0),
            subject,
            turn: tokio::sync::Mutex::default(),
            visit: Visit::default(),
        }
    }

    /// Other limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Goes on behind replies that depart, and keeps what they would be expected as.
    #[must_use]
    pub fn blessing(mut self) -> Self {
        self.blesses = true;
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

    /// Runs one case.
    pub async fn case(&self, case: &Case) -> CaseResult {
        self.booked(case, None).await
    }

    pub(super) fn waits(&self) -> Waits<'_> {
        Waits {
            limits: &self.limits,
            patience: &self.patience,
        }
    }

    /// Which nodes somebody's cluster has now. One that has become silent is not waited for in every case.
    async fn discover(&self, attachment: &Attachment, case: &Case) -> Result<Found, Unusable> {
        let slow = self.slow_discoveries.load(Ordering::Relaxed);
        let patience = match slow {
            0..SLOW_DISCOVERIES => self.limits.read,
            SLOW_DISCOVERIES.. => shortened(self.limits.read),
        };
        let for_more = if asks_for_nodes_only(case) || self.patience.is_over(MORE) {
            Duration::ZERO
        } else {
            patience
        };
        let begun = Instant::now();
        let found = Box::pin(attachment.discover(patience, for_more)).await;
        let slow = match &found {
            Ok(_) if for_more.is_zero() => 0,
            Ok(_) if begun.elapsed() < for_more => {
                self.patience.answered(MORE);
                0
            }
            Ok(_) => {
                self.patience.in_vain(MORE);
                0
            }
            Err(_) => slow.saturating_add(1),
        };
        self.slow_discoveries.store(slow, Ordering::Relaxed);
        found
    }

    pub(super) async fn booked(&self, case: &Case, booking: Option<Booking>) -> CaseResult {
        let mut result = CaseResult::new(case, Verdict::Pass);
        let tried = match &self.subject {
            Subject::Launched(pool) => {
                result.server = Some(pool.launcher().server().clone());
                self.launched(pool, case, booking).await
            }
            Subject::Attached(attachment) => 'tried: {
                // What no answer would change is told without one.
                if let Some(refused) = gate(case, None, attachment.granted()) {
                    break 'tried Err(Verdict::Skipped(refused));
                }
                let _turn = self.turn.lock().await;
                match self.admitted(case).await {
                    Err(verdict) => Err(verdict),
                    Ok(()) => self.guest(attachment, case, &mut result.server).await,
                }
            }
        };
        match tried {
            Ok(trial) => {
                result.elapsed = trial.elapsed;
                result.tolerated = trial.tolerated;
                result.mended = trial.mended;
                result.verdict = match trial.difference {
                    Some(difference) => self.departs(case, result.server.as_ref(), difference),
                    None => self.holds(case, result.server.as_ref()),
                };
            }
            Err(verdict) => result.verdict = verdict,
        }
        result
    }

    async fn guest(
        &self,
        attachment: &Attachment,
        case: &Case,
        server: &mut Option<Server>,
    ) -> Tried {
        match self.discover(attachment, case).await {
            Ok(found) => {
                *server = found.server().cloned();
                self.attached(&found, attachment, case).await
            }
            Err(unusable) => {
                let wanted = "a server that tells its nodes (CLUSTER NODES)";
                let trouble = Trouble {
                    passes: unusable.is_of_names(),
                    ..Trouble::from(unusable.to_string().as_str())
                };
                self.undiscovered(case, wanted, trouble)
            }
        }
    }

    async fn launched(&self, pool: &Pool, case: &Case, booking: Option<Booking>) -> Tried {
        let wish = wish(pool, case).map_err(Verdict::Skipped)?;
        if let Some(reason) = self.booted.failure(&wish) {
            return Err(Verdict::Broken(reason));
        }
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
            Some(Ok(cluster)) => {
                self.booted.note(&wish, None);
                cluster
            }
            Some(Err(error)) => {
                let reason = why(&error);
                self.booted.note(&wish, Some(&reason));
                return Err(Verdict::Broken(reason));
            }
            None => return Err(Verdict::Broken("the pool of clusters has ended".to_owned())),
        };
        let names = wish.names();
        let transcript = expand(&case.transcript, &names);
        let footprint = trace(&transcript, &cluster);
        let trial = self.trial(case, &transcript, &cluster, &names).await?;
        // What a case has spoilt, or may have, no other case gets.
        if shared
            && trial.difference.is_none()
            && footprint.reaches.is_none()
            && footprint.reshapes.is_none()
            && delete(&cluster, &footprint, self.waits()).await.is_ok()
        {
            match left_behind(&cluster, self.waits()).await {
                Ok(None) => pool.give_back(wish, cluster),
                Ok(Some(left)) => return Err(Verdict::Broken(left)),
                Err(_) => {}
            }
        }
        Ok(trial)
    }

    /// The departure of a case that cannot be tried, since the server did not tell what must be known first.
    pub(super) fn undiscovered(&self, case: &Case, wanted: &str, trouble: Trouble) -> Tried {
        if trouble.passes {
            return Err(Verdict::Skipped(Skip {
                kind: CHANGING,
                reason: format!("the cluster is changing: {}", trouble.text),
            }));
        }
        let place = case.transcript.header.topology.span;
        let mut difference = Difference::at(place, wanted.to_owned(), trouble.text);
        difference.cause = trouble.cause;
        Err(self.departs(case, None, Box::new(difference)))
    }

    pub(super) async fn trial<T: Target>(
        &self,
        case: &Case,
        transcript: &Transcript,
        target: &T,
        names: &Names,
    ) -> Tried {
        let commands = transcript
            .header
            .command
            .iter()
            .map(|command| command.value.as_str());
        if let Some(command) = unknown_command(target, commands, self.waits()).await {
            return Err(Verdict::Skipped(Skip {
                kind: "need a command that the server lacks",
                reason: format!("the server does not know `{command}`"),
            }));
        }
        // Nodes of a case that pauses or kills them owe no answer.
        let endless = Patience::default();
        let patience = match (transcript.header.needs.value, &self.subject) {
            (Needs::Client, _) | (Needs::Admin | Needs::Config, Subject::Launched(_)) => {
                &self.patience
            }
            _ => &endless,
        };
        let is_known = |server| self.known.reason(case.id(), server).is_some();
        // What is known to depart is not what is to be expected.
        let blesses = self.blesses && !target.server().is_some_and(is_known);
        let mending = blesses.then(|| Mending::new(&case.transcript, naming(target, names)));
        Ok(run_case_among(transcript, target, &self.limits, patience, mending).await)
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
                reason: reason.text.to_owned(),
            },
            None => Verdict::Departs(difference),
        }
    }

    fn holds(&self, case: &Case, server: Option<&Server>) -> Verdict {
        match server.and_then(|server| self.known.reason(case.id(), server)) {
            Some(reason) => Verdict::Fixed {
                reason: reason.text.to_owned(),
                place: reason.place.to_owned(),
            },
            None => Verdict::Pass,
        }
    }
}

/// What is started for a case, or why the server cannot be tested with it.
pub(super) fn wish(pool: &Pool, case: &Case) -> Result<Wish, Skip> {
    let launcher = pool.launcher();
    match gate(case, Some(launcher.server()), Needs::Sentinel) {
        Some(skip) => Err(skip),
        None => launcher.wish(&case.transcript).map_err(|reason| Skip {
            kind: "need what the profile does not offer",
            reason,
        }),
    }
}

/// Whether a case leaves its cluster as it was, but for its keys.
pub(super) fn is_shared(case: &Case) -> bool {
    case.transcript.header.needs.value == Needs::Client
}

pub(super) fn trace(transcript: &Transcript, target: &impl Target) -> Footprint {
    footprint(transcript, &NodeFactsOf(target))
}
