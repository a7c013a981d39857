//! Slots, with what is in them, from one node to another, while clients work.
//!
//! Two ways: by the server itself where it can ([`atomic`]), else key by key ([`keys`]). Both can be
//! interrupted at any moment and begun again: what each slot still needs is asked of the nodes
//! first. No step loses or doubles a key.

mod agree;
mod atomic;
mod end;
pub(super) mod jobs;
mod keys;
mod migrate;
mod options;
mod progress;
mod stages;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::moves::{self, Keep, Task};
use super::{Move, MoveError};
use crate::cluster::Cluster;
use crate::error::Error;
use crate::machine::wait::Deadline;
use crate::node::Session;
use crate::probe::survey::Survey;
use crate::wire::client::REPLY_TIMEOUT;
use crate::wire::slots::{Slot, SlotRanges};

use atomic::Part;
use end::End;
use keys::{Lane, Queue};
pub use options::{MoveOptions, Way};
pub use progress::{MoveEvent, MoveProgress, Moved};
use progress::{Tell, Tick};

/// How many workers there are between two nodes: one moves keys while another waits for the disk.
const LANES: NonZeroUsize = NonZeroUsize::new(2).expect("it is not zero");
/// How many there are in all where each SETSLOT waits for the replicas' word before the next one of that
/// connection. Each has two connections.
const LANES_THAT_WAIT: usize = 128;

/// The slots that are to go from one node to another, with how many keys each had.
struct Leg {
    from: Arc<End>,
    to: Arc<End>,
    tasks: Vec<(Task, usize)>,
}

impl Cluster {
    /// Moves slots with their keys, and waits until all nodes agree that they have moved. Clients that
    /// follow MOVED, ASK and TRYAGAIN see no error meanwhile. What has been moved already is not
    /// moved again, so whoever was interrupted calls it again with the same moves. A node that has
    /// become a replica since stands for its master.
    ///
    /// # Errors
    /// [`MoveError`]: a node is silent or refuses, a slot is owned by neither end, a
    /// key does not get through. What has moved stays moved; the rest is where it was or half-way,
    /// and every key is served.
    pub async fn move_slots(
        &self,
        moves: &[Move],
        options: MoveOptions,
        observe: impl FnMut(&MoveEvent<'_>),
    ) -> Result<Moved, Error> {
        let done = self.try_move_slots(moves, options, observe).await;
        done.map_err(of_move)
    }

    async fn try_move_slots(
        &self,
        moves: &[Move],
        options: MoveOptions,
        mut observe: impl FnMut(&MoveEvent<'_>),
    ) -> Result<Moved, Error> {
        let since = Instant::now();
        let atomic = self.moves_atomically(options.way)?;
        let mut survey = self.survey(Deadline::after(REPLY_TIMEOUT)).await;
        let moves = of_masters(moves, &survey)?;
        for part in &moves {
            self.tell_owner(&survey, &part.to, &part.from, &part.slots)
                .await?;
        }
        if atomic {
            for part in &moves {
                atomic::wait_idle(&self.end_of(&survey, &part.from)?).await?;
            }
            survey = self.survey(Deadline::after(REPLY_TIMEOUT)).await;
        }
        let stages = stages::stages(moves, &survey);
        let mut legs = Vec::with_capacity(stages.len());
        for stage in &stages {
            legs.push(self.legs(stage, &survey).await?);
        }
        let tasks = || legs.iter().flatten().flat_map(|leg| &leg.tasks);
        let mut progress = MoveProgress::new(tasks().count(), tasks().map(|(_, keys)| keys).sum());
        observe(&MoveEvent::Progress(&progress));
        let mut done: Vec<Move> = Vec::new();
        for (stage, legs) in stages.into_iter().zip(legs) {
            let (tell, mut told) = mpsc::unbounded_channel();
            let mut work = JoinSet::new();
            let lanes = self.lanes(options, legs.len());
            begin(&mut work, legs, atomic, lanes, options, &Tell::new(tell)).await?;
            let mut first = Ok(());
            loop {
                tokio::select! {
                    biased;
                    Some(tick) = told.recv() => progress.hear(tick, since.elapsed(), &mut observe),
                    done = work.join_next() => match done {
                        Some(Ok(done)) => {
                            if done.is_err() {
                                // The others end what they have begun, and begin nothing.
                                told.close();
                            }
                            first = first.and(done);
                        }
                        Some(Err(died)) => std::panic::resume_unwind(died.into_panic()),
                        None => break,
                    },
                }
            }
            first?;
            done.extend(stage);
            self.agree(&done).await?;
        }
        Ok(Moved {
            slots: progress.slots_done,
            keys: progress.keys_done,
            elapsed: since.elapsed(),
        })
    }

    /// Whether the server itself moves slots, if they are to be moved this way.
    ///
    /// # Errors
    /// [`Error::Unsupported`]: the server cannot.
    pub fn moves_atomically(&self, way: Way) -> Result<bool, Error> {
        let able = self.record().server.atomic_slot_migration();
        match way {
            Way::Auto => Ok(able),
            Way::Keys => Ok(false),
            Way::Atomic if able => Ok(true),
            Way::Atomic => Err(Error::Unsupported(
                format!(
                    "{} has no CLUSTER MIGRATESLOTS, which came with Valkey 9.0; its slots can be moved key by key",
                    self.record().server
                )
                .into(),
            )),
        }
    }

    /// Moves all keys of some slots from one node to another, key by key, and closes the slots: the
    /// target owns them then, and all nodes agree. Either node may own them or not, and they may be
    /// open or not. Gives the number of keys that left.
    ///
    /// # Errors
    /// As [`Cluster::move_slots`].
    pub async fn settle_slots(
        &self,
        slots: &SlotRanges,
        from: &str,
        to: &str,
        keep: Keep,
        options: MoveOptions,
    ) -> Result<usize, Error> {
        let settled = self.try_settle_slots(slots, from, to, keep, options).await;
        settled.map_err(of_move)
    }

    async fn try_settle_slots(
        &self,
        slots: &SlotRanges,
        from: &str,
        to: &str,
        keep: Keep,
        options: MoveOptions,
    ) -> Result<usize, Error> {
        let survey = self.survey(Deadline::after(REPLY_TIMEOUT)).await;
        self.tell_owner(&survey, from, to, slots).await?;
        let (source, target) = (moves::line(&survey, from)?, moves::line(&survey, to)?);
        let task = |slot| Task {
            slot,
            source_owns: source.owns(slot),
            target_owns: target.owns(slot),
            open: true,
            keep,
        };
        let tasks: Vec<_> = slots.slots().map(task).collect();
        let (from, to) = (self.end_of(&survey, from)?, self.end_of(&survey, to)?);
        let (tell, mut told) = mpsc::unbounded_channel();
        let lane = Lane::open(&from, &to, options, Tell::new(tell)).await?;
        lane.work(Arc::new(Queue::new(&tasks, NonZeroUsize::MIN)))
            .await?;
        let mut keys = 0;
        while let Some(tick) = told.recv().await {
            keys += match tick {
                Tick::Keys(some) => some,
                _ => 0,
            };
        }
        self.agree(&[Move {
            slots: slots.clone(),
            from: from.name().to_owned(),
            to: to.name().to_owned(),
        }])
        .await?;
        Ok(keys)
    }

    /// How many workers each of so many pairs of nodes gets.
    fn lanes(&self, options: MoveOptions, pairs: usize) -> NonZeroUsize {
        let share = LANES_THAT_WAIT / pairs.max(1);
        let usual = match NonZeroUsize::new(share) {
            Some(share) if self.record().server.setslot_waits_for_replicas() => share.max(LANES),
            _ => LANES,
        };
        options.lanes.unwrap_or(usual)
    }

    fn end_of(&self, survey: &Survey, name: &str) -> Result<Arc<End>, Error> {
        Ok(Arc::new(End {
            endpoint: self.node(name)?.endpoint(),
            id: moves::line(survey, name)?.id.clone(),
        }))
    }

    async fn legs(&self, moves: &[Move], survey: &Survey) -> Result<Vec<Leg>, Error> {
        let mut legs = Vec::new();
        for part in moves {
            let tasks = moves::tasks(part, survey)?;
            if tasks.is_empty() {
                continue;
            }
            let (from, to) = (
                self.end_of(survey, &part.from)?,
                self.end_of(survey, &part.to)?,
            );
            let slots: Vec<Slot> = tasks.iter().map(|task| task.slot).collect();
            let mut source = Session::lasting(from.endpoint.clone()).await?;
            let databases = source.databases().await?;
            let counts = source
                .count_keys(databases.into_keys(), &slots)
                .await?
                .into_iter();
            let counts = counts.map(|count| usize::try_from(count).unwrap_or(usize::MAX));
            let tasks = tasks.into_iter().zip(counts).collect();
            legs.push(Leg { from, to, tasks });
        }
        Ok(legs)
    }
}

/// Starts the workers: one for each source that can do it by itself, some between any two nodes
/// where it goes key by key. All are connected before the first one begins.
async fn begin(
    work: &mut JoinSet<Result<(), Error>>,
    legs: Vec<Leg>,
    atomic: bool,
    lanes: NonZeroUsize,
    options: MoveOptions,
    tell: &Tell,
) -> Result<(), Error> {
    let mut by_source: BTreeMap<String, (Arc<End>, Vec<Part>)> = BTreeMap::new();
    let mut ready = Vec::new();
    for leg in legs {
        let whole = |task: &Task| atomic && !task.open && !task.target_owns;
        let (whole, by_key): (Vec<_>, Vec<_>) = leg.tasks.iter().partition(|(task, _)| whole(task));
        let parts = by_source
            .entry(leg.from.name().to_owned())
            .or_insert_with(|| (Arc::clone(&leg.from), Vec::new()));
        parts.1.extend(atomic::parts(&whole, &leg.to));
        let tasks: Vec<Task> = by_key.iter().map(|(task, _)| *task).collect();
        let queue = Arc::new(Queue::new(&tasks, lanes));
        for _ in 0..queue.len().min(lanes.get()) {
            let lane = Lane::open(&leg.from, &leg.to, options, tell.clone()).await?;
            ready.push((lane, Arc::clone(&queue)));
        }
    }
    for (lane, queue) in ready {
        work.spawn(lane.work(queue));
    }
    for (from, parts) in by_source
        .into_values()
        .filter(|(_, parts)| !parts.is_empty())
    {
        work.spawn(atomic::work(from, parts, tell.clone()));
    }
    Ok(())
}

/// A refusal, told as one of a move, which can be gone on with.
fn of_move(error: Error) -> Error {
    match error {
        Error::Reply {
            node,
            command,
            reply,
        } => MoveError::Refused {
            node,
            command,
            reply,
        }
        .into(),
        other => other,
    }
}

/// The same moves, each node that is a replica now replaced by its master.
fn of_masters(moves: &[Move], survey: &Survey) -> Result<Vec<Move>, Error> {
    let master = |name: &str| {
        moves::line(survey, name)?;
        Ok::<_, Error>(survey.master_of(name).unwrap_or(name).to_owned())
    };
    moves
        .iter()
        .map(|part| {
            Ok(Move {
                slots: part.slots.clone(),
                from: master(&part.from)?,
                to: master(&part.to)?,
            })
        })
        .collect()
}
