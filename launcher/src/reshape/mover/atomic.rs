//! Moving slots by the server itself: CLUSTER MIGRATESLOTS (Valkey 9.0 and later).
//!
//! The source forks, sends a snapshot of the slots and what is written meanwhile, pauses writes for a
//! moment, and the target takes over; no client ever sees ASK or TRYAGAIN. A source has one
//! snapshot at a time, and a migration that fails is rolled back by the server
//! (`cluster_migrateslots.c`), so each source works off its parts one after the other, and tries again.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use super::end::End;
use super::jobs::{Job, State, jobs, spelled};
use super::progress::{Tell, Tick};
use crate::error::Error;
use crate::machine::wait::{Deadline, Rounds};
use crate::node::Session;
use crate::reshape::MoveError;
use crate::reshape::moves::Task;
use crate::wire::resp::escape;
use crate::wire::slots::SlotRanges;

/// How often one migration is tried.
const TRIES: u32 = 3;
/// How long one may take. The server gives up by itself when the other end is silent for `repl-timeout`.
const PATIENCE: Duration = Duration::from_secs(600);
/// How often a source is asked how far it is. It goes on in steps of 100 ms (`clusterCron`).
const ROUND: Duration = Duration::from_millis(10);

/// Slots that go in one migration.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) slots: SlotRanges,
    pub(super) to: Arc<End>,
    /// How many keys were in them at the start.
    pub(super) keys: usize,
}

/// How many keys go in one migration, so that its snapshot and what is written meanwhile stay small
/// and progress is seen.
const KEYS_AT_ONCE: usize = 250_000;

/// The slots, with how many keys each has, in as few parts as that allows.
pub(super) fn parts(tasks: &[&(Task, usize)], to: &Arc<End>) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for (task, keys) in tasks {
        match parts
            .last_mut()
            .filter(|part| part.keys + keys <= KEYS_AT_ONCE)
        {
            Some(part) => {
                part.slots.insert(task.slot);
                part.keys += keys;
            }
            None => parts.push(Part {
                slots: SlotRanges::from_iter([task.slot]),
                to: Arc::clone(to),
                keys: *keys,
            }),
        }
    }
    parts
}

/// Moves the parts, one after the other.
pub(super) async fn work(from: Arc<End>, parts: Vec<Part>, tell: Tell) -> Result<(), Error> {
    let mut source = Session::lasting(from.endpoint.clone()).await?;
    for part in parts {
        if tell.is_closed() {
            break;
        }
        migrate(&mut source, &part, &tell).await?;
        tell.send(Tick::Keys(part.keys));
        tell.send(Tick::Slots(usize::from(part.slots.count())));
    }
    Ok(())
}

/// Waits until a source has no migration under way: those of a command that was killed go on.
pub(super) async fn wait_idle(from: &Arc<End>) -> Result<(), Error> {
    let mut source = Session::lasting(from.endpoint.clone()).await?;
    let at_work = |jobs: &[Job]| {
        jobs.iter()
            .find(|job| job.export && job.state == State::Working)
            .cloned()
    };
    let mut rounds = Rounds::until(Deadline::after(PATIENCE), ROUND);
    while let Some(job) = at_work(&ask(&mut source).await?) {
        if !rounds.next().await {
            return Err(MoveError::Migration {
                slots: job.slots.replace(' ', ",").parse().unwrap_or_default(),
                from: from.name().to_owned(),
                to: job.target,
                state: format!("is not over after {}", humantime::format_duration(PATIENCE)),
                message: job.message,
            }
            .into());
        }
    }
    Ok(())
}

async fn migrate(source: &mut Session, part: &Part, tell: &Tell) -> Result<(), Error> {
    let mut tries = 0;
    loop {
        tries += 1;
        let failure = match once(source, part).await? {
            ControlFlow::Break(()) => return Ok(()),
            ControlFlow::Continue(failure) => failure,
        };
        if tries == TRIES {
            return Err(failed(
                source,
                part,
                format!("failed {tries} times"),
                failure,
            ));
        }
        tell.send(Tick::Again {
            from: source.name().to_owned(),
            to: part.to.name().to_owned(),
            why: failure,
        });
    }
}

/// One try; continues with the server's words if it failed.
async fn once(source: &mut Session, part: &Part) -> Result<ControlFlow<(), String>, Error> {
    let mut command: Vec<String> = ["CLUSTER", "MIGRATESLOTS", "SLOTSRANGE"]
        .map(Into::into)
        .into();
    for range in part.slots.ranges() {
        command.extend([range.start().to_string(), range.end().to_string()]);
    }
    command.extend(["NODE".to_owned(), part.to.id.to_string()]);
    let replies = source.ask(&[command]).await?;
    if let Some(error) = replies.first().and_then(|reply| reply.as_error()) {
        return Ok(ControlFlow::Continue(escape(error)));
    }
    let slots = spelled(&part.slots);
    let mut rounds = Rounds::until(Deadline::after(PATIENCE), ROUND);
    loop {
        let jobs = ask(source).await?;
        let job = jobs
            .into_iter()
            .find(|job| job.export && job.slots == slots && *job.target == *part.to.id);
        let (state, message) = job.map_or_else(
            || (State::Failed, "the source has forgotten it".to_owned()),
            |job| (job.state, job.message),
        );
        match state {
            State::Succeeded => return Ok(ControlFlow::Break(())),
            State::Failed => return Ok(ControlFlow::Continue(message)),
            State::Cancelled => {
                return Err(failed(source, part, "was cancelled".to_owned(), message));
            }
            State::Working => {}
        }
        if !rounds.next().await {
            let state = format!("is not over after {}", humantime::format_duration(PATIENCE));
            return Err(failed(source, part, state, message));
        }
    }
}

async fn ask(source: &mut Session) -> Result<Vec<Job>, Error> {
    let command = ["CLUSTER", "GETSLOTMIGRATIONS"];
    let replies = source.ask(&[command.to_vec()]).await?;
    let understood = replies.first().and_then(jobs);
    understood.ok_or_else(|| {
        let reply = replies
            .first()
            .map(crate::wire::resp::print)
            .unwrap_or_default();
        source.refused(&command, reply.as_bytes())
    })
}

fn failed(source: &Session, part: &Part, state: String, message: String) -> Error {
    MoveError::Migration {
        slots: part.slots.clone(),
        from: source.name().to_owned(),
        to: part.to.name().to_owned(),
        state,
        message,
    }
    .into()
}
