//! Whether servers that were started still get on: one that never becomes a cluster need not be waited for as
//! long as a slow machine may need.

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use shardlab::Error;
use shardlab::ladder::Standing;
use shardlab::machine::wait::{Deadline, until};

/// A boot may take so many replies' time: a minute, unless a run is told to be slower.
const BOOT: u32 = 12;

/// For so many replies' time nothing may change while no server answers, …
const SILENT: u32 = 3;

/// … and while servers answer and do not get on with each other: sentinels ask every ten seconds only.
const UNCHANGED: u32 = 6;

/// How much less that is where all servers answer, with what no server that starts says, …
const WRONG: u32 = 10;

/// … and once servers have been waited for in vain and none has ever come up.
const HOPELESS: u32 = 5;

/// How often it is looked.
const EVERY: Duration = Duration::from_millis(50);

/// What a server that starts may be to who asks: not there yet, too busy, loading data.
const STARTS: [&str; 5] = [
    "cannot connect",
    "gave no answer",
    " broke: ",
    "LOADING",
    "CLUSTERDOWN",
];

/// So many boots in which no server answers say that none will.
const IN_VAIN: u32 = 10;

/// What a run has seen of its boots.
#[derive(Debug)]
pub(super) struct History {
    /// How long a reply may take.
    read: Duration,
    past: Mutex<Past>,
}

#[derive(Debug, Default)]
struct Past {
    came_up: bool,
    /// In how many boots no server answered, and how the last of them ended.
    in_vain: u32,
    last: Vec<Standing>,
}

impl History {
    pub(super) fn new(read: Duration) -> Self {
        Self {
            read,
            past: Mutex::default(),
        }
    }

    /// How long a cluster may take to be ready.
    pub(super) fn longest(&self) -> Duration {
        self.read.saturating_mul(BOOT)
    }

    /// A cluster is ready.
    pub(super) fn came_up(&self) {
        locked(&self.past).came_up = true;
    }

    /// A boot has come to this and no further.
    pub(super) fn in_vain(&self, standings: &[Standing]) {
        let mut past = locked(&self.past);
        if standings.iter().all(|one| one.rung.is_none()) {
            past.in_vain = past.in_vain.saturating_add(1);
            past.last = standings.to_vec();
        }
    }

    /// How every boot ends, if that is known.
    pub(super) fn foreseen(&self) -> Option<Vec<Standing>> {
        let past = locked(&self.past);
        (past.in_vain >= IN_VAIN && !past.came_up).then(|| past.last.clone())
    }

    /// For how long servers may stand as they do.
    fn patience(&self, standings: &[Standing]) -> Duration {
        let mut silent = standings
            .iter()
            .map(|one| one.why.as_deref().filter(|_| one.rung.is_none()));
        let starts = |why: &str| STARTS.iter().any(|words| why.contains(words));
        let patience = if silent
            .clone()
            .all(|why| why.is_some_and(|why| !starts(why)))
        {
            self.read * SILENT / WRONG
        } else if silent.all(|why| why.is_some()) {
            self.read * SILENT
        } else {
            self.read * UNCHANGED
        };
        let past = locked(&self.past);
        if past.in_vain > 0 && !past.came_up {
            patience.min(self.read * SILENT / HOPELESS)
        } else {
            patience
        }
    }
}

/// What is seen of one boot.
#[derive(Debug)]
pub(super) struct Watch(Mutex<Seen>);

#[derive(Debug)]
struct Seen {
    standings: Vec<Standing>,
    since: Instant,
}

impl Watch {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Seen {
            standings: Vec::new(),
            since: Instant::now(),
        }))
    }

    /// Where the servers stand now.
    pub(super) fn look(&self, standings: &[Standing]) {
        let mut seen = locked(&self.0);
        if seen.standings != standings {
            *seen = Seen {
                standings: standings.to_vec(),
                since: Instant::now(),
            };
        }
    }

    /// Where they have stood for too long.
    pub(super) async fn stuck(&self, history: &History) -> Vec<Standing> {
        let stuck = until(Deadline::after(Duration::MAX), EVERY, || {
            let seen = locked(&self.0);
            let is_stuck = !seen.standings.is_empty()
                && seen.since.elapsed() > history.patience(&seen.standings);
            std::future::ready(if is_stuck {
                ControlFlow::Break(seen.standings.clone())
            } else {
                ControlFlow::Continue(())
            })
        });
        stuck.await.unwrap_or_default()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why a boot came to nothing; the same words for all that fail alike, whatever their nodes and ports.
pub(crate) fn why(error: &Error) -> String {
    match error {
        Error::NotReady(late) if late.logs.is_empty() => {
            let mut whys: Vec<String> = Vec::new();
            for why in late.standings.iter().filter_map(|one| one.why.as_deref()) {
                let words = why
                    .split(' ')
                    .filter(|word| word.parse::<SocketAddr>().is_err());
                let why = words.collect::<Vec<_>>().join(" ");
                if !whys.contains(&why) {
                    whys.push(why);
                }
            }
            format!(
                "the servers that were started do not get ready: {}",
                whys.join("; ")
            )
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use shardlab::ladder::Rung;
    use shardlab::wire::client::ClientError;

    use super::*;

    const READ: Duration = Duration::from_secs(5);

    fn standing(rung: Option<Rung>, why: &str) -> Standing {
        Standing {
            node: "n1".to_owned(),
            rung,
            why: Some(why.to_owned()),
        }
    }

    #[test]
    fn servers_that_start_are_waited_for_and_those_that_answer_wrongly_are_not() {
        let address = ([127, 0, 0, 1], 7001).into();
        let refused = || std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let starts = [
            ClientError::Connect {
                address,
                source: refused(),
            },
            ClientError::Io {
                address,
                source: refused(),
            },
            ClientError::Timeout { address, unread: 0 },
        ];
        let (history, soon) = (History::new(READ), READ * SILENT / WRONG);
        for error in starts {
            let standings = [standing(None, &error.to_string())];
            assert_eq!(history.patience(&standings), READ * SILENT, "{error}");
        }
        let wrong = standing(None, "127.0.0.1:7001 closed the connection");
        assert_eq!(history.patience(std::slice::from_ref(&wrong)), soon);
        let loading = standing(None, "LOADING data");
        assert_eq!(history.patience(&[wrong.clone(), loading]), READ * SILENT);
        let listening = standing(Some(Rung::Listening), "closed the connection");
        assert_eq!(history.patience(&[wrong, listening]), READ * UNCHANGED);
    }

    #[test]
    fn whoever_has_never_come_up_is_waited_for_a_while_only_and_then_not_at_all() {
        let silent = [standing(None, "gave no answer in time")];
        let history = History::new(READ);
        history.in_vain(&[standing(Some(Rung::Listening), "waits")]);
        assert_eq!(history.patience(&silent), READ * SILENT);
        history.in_vain(&silent);
        assert_eq!(history.patience(&silent), READ * SILENT / HOPELESS);
        assert_eq!(history.foreseen(), None);
        (1..IN_VAIN).for_each(|_| history.in_vain(&silent));
        assert_eq!(history.foreseen().as_deref(), Some(&silent[..]));
        history.came_up();
        assert_eq!(history.foreseen(), None);
        assert_eq!(history.patience(&silent), READ * SILENT);
    }
}
