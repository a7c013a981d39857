//! Moving slots key by key: the slot is opened on both ends, its keys go by MIGRATE, then it is
//! closed.
//!
//! The order of the steps is the specification's (cluster-spec, "Moving hash slots" and "Migrating
//! keys"): the target imports before the source migrates, so that an ASK never leads to a node
//! that refuses; the target owns before the source gives up, so that a MOVED never does. Many slots
//! go through each step at once, since a node writes its nodes.conf to the disk once for all orders
//! that it finds in one round of its event loop.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::end::End;
use super::migrate::{Carrier, Parcel};
use super::progress::{Tell, Tick};
use crate::error::Error;
use crate::node::Session;
use crate::reshape::moves::Task;
use crate::reshape::{MoveError, MoveOptions};
use crate::wire::resp::Value;
use crate::wire::slots::Slot;
use crate::wire::view;

/// How many slots go through the steps together, shared by all lanes between two nodes.
const SLOTS_AT_ONCE: usize = 128;
/// How many keys of a slot are asked for at once (`GETKEYSINSLOT slot count`).
const KEYS_AT_ONCE: usize = 1000;
/// How often no key may leave a slot that has some.
const FRUITLESS_ROUNDS: u32 = 10;

/// Slots that wait for a lane between two nodes, in parts of whose keys the same node's count.
#[derive(Debug)]
pub(super) struct Queue(Mutex<VecDeque<Vec<Task>>>);

impl Queue {
    pub(super) fn new(tasks: &[Task], lanes: NonZeroUsize) -> Self {
        let alike = tasks.chunk_by(|one, next| one.keep == next.keep);
        let chunks = alike.flat_map(|alike| alike.chunks(SLOTS_AT_ONCE.div_ceil(lanes.get())));
        Self(Mutex::new(chunks.map(<[Task]>::to_vec).collect()))
    }

    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn next(&self) -> Option<Vec<Task>> {
        self.lock().pop_front()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Vec<Task>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One worker between two nodes. Several of them keep both nodes busy while one waits for a disk.
#[derive(Debug)]
pub(super) struct Lane {
    from: Arc<End>,
    to: Arc<End>,
    source: Session,
    target: Session,
    carrier: Carrier,
    tell: Tell,
}

impl Lane {
    pub(super) async fn open(
        from: &Arc<End>,
        to: &Arc<End>,
        options: MoveOptions,
        tell: Tell,
    ) -> Result<Self, Error> {
        let mut source = Session::lasting(from.endpoint.clone()).await?;
        Ok(Self {
            from: Arc::clone(from),
            to: Arc::clone(to),
            carrier: Carrier::new(&mut source, to, options, tell.clone()).await?,
            source,
            target: Session::lasting(to.endpoint.clone()).await?,
            tell,
        })
    }

    /// Moves what is in the queue, until it is empty or another worker has failed.
    pub(super) async fn work(mut self, queue: Arc<Queue>) -> Result<(), Error> {
        while !self.tell.is_closed()
            && let Some(tasks) = queue.next()
        {
            self.carry(&tasks).await?;
            self.tell.send(Tick::Slots(tasks.len()));
        }
        Ok(())
    }

    async fn carry(&mut self, tasks: &[Task]) -> Result<(), Error> {
        let forks = self.forks().await?;
        self.open_slots(tasks).await?;
        // None is added to them from here on: a client that asks for a new key is sent to the target.
        for database in self.source.databases().await?.into_keys() {
            self.empty(database, tasks).await?;
        }
        self.close_slots(tasks).await?;
        if self.forks().await? != forks {
            self.close_in_snapshots(tasks).await?;
        }
        Ok(())
    }

    /// How often each end has forked, as it does for every snapshot (`total_forks`, since Redis 6.2).
    async fn forks(&mut self) -> Result<[Option<u64>; 2], Error> {
        let mut forks = [None; 2];
        for (count, node) in forks.iter_mut().zip([&mut self.source, &mut self.target]) {
            let info = node.give(&["INFO", "stats"]).await?;
            *count = view::info_field(&info, "total_forks").and_then(|count| count.parse().ok());
        }
        Ok(forks)
    }

    /// Closes the slots for replicas that got a snapshot of an end while they were open. Valkey (since 8.0,
    /// `clusterEncodeOpenSlotsAuxField`) writes open slots into snapshots, and passes SETSLOT on before it obeys:
    /// a snapshot that is taken in between has the slot open, and the order that closes it lies before the
    /// replica's stream.
    async fn close_in_snapshots(&mut self, tasks: &[Task]) -> Result<(), Error> {
        let all = slots_of(tasks, |_| true);
        self.target.try_set_slots(&all, &["STABLE"]).await?;
        self.source.try_set_slots(&all, &["STABLE"]).await
    }

    /// Moves all keys that one database has in the slots.
    async fn empty(&mut self, database: u32, tasks: &[Task]) -> Result<(), Error> {
        let mut slots: Vec<Slot> = tasks.iter().map(|task| task.slot).collect();
        self.source.select(database);
        self.carrier.database = database;
        self.carrier.keep = tasks.first().map(|task| task.keep).unwrap_or_default();
        let mut fruitless = 0;
        loop {
            let parcels = self.parcels(&slots).await?;
            let Some(first) = parcels.first() else {
                return Ok(());
            };
            let gone = self
                .carrier
                .carry(&mut self.source, &mut self.target, &parcels);
            fruitless = if gone.await? == 0 { fruitless + 1 } else { 0 };
            if fruitless == FRUITLESS_ROUNDS {
                return Err(MoveError::Remains {
                    slot: first.slot,
                    from: self.from.name().to_owned(),
                    to: self.to.name().to_owned(),
                    rounds: fruitless,
                }
                .into());
            }
            slots = parcels.iter().map(|parcel| parcel.slot).collect();
            slots.dedup();
        }
    }

    async fn open_slots(&mut self, tasks: &[Task]) -> Result<(), Error> {
        let arriving = slots_of(tasks, |task| !task.target_owns);
        self.target
            .set_slots(&arriving, &["IMPORTING", &self.from.id])
            .await?;
        let both = slots_of(tasks, |task| task.source_owns && task.target_owns);
        self.source.open_slots(&both, &self.to.id).await?;
        let leaving = slots_of(tasks, |task| task.source_owns && !task.target_owns);
        self.source
            .set_slots(&leaving, &["MIGRATING", &self.to.id])
            .await?;
        // MIGRATE needs an open slot, which a node that does not own it can only import.
        let stray = slots_of(tasks, |task| !task.source_owns);
        self.source
            .set_slots(&stray, &["IMPORTING", &self.to.id])
            .await
    }

    async fn close_slots(&mut self, tasks: &[Task]) -> Result<(), Error> {
        let all = slots_of(tasks, |_| true);
        let order = ["NODE", &*self.to.id];
        self.target.set_slots(&all, &order).await?;
        // The source may have heard of the new owner by gossip already, and have become its replica
        // with its last slot; whether it agrees in the end is asked later.
        self.source.try_set_slots(&all, &order).await?;
        let stray = slots_of(tasks, |task| !task.source_owns || task.target_owns);
        self.source.try_set_slots(&stray, &["STABLE"]).await
    }

    /// The keys that are in the slots, in parcels that one MIGRATE can carry.
    async fn parcels(&mut self, slots: &[Slot]) -> Result<Vec<Parcel>, Error> {
        let limit = KEYS_AT_ONCE.to_string();
        let question = ["CLUSTER", "GETKEYSINSLOT"];
        let replies = self.source.ask_slots(slots, &question, &[&limit]).await?;
        let mut keys: Vec<(Slot, Bytes)> = Vec::new();
        for (reply, slot) in replies.iter().zip(slots) {
            let found = reply
                .as_array()
                .ok_or_else(|| self.source.refused(&question, &reply.raw))?;
            keys.extend(found.iter().filter_map(|key| match key.plain() {
                Value::BulkString(key) => Some((*slot, key.clone())),
                _ => None,
            }));
        }
        self.carrier.pack(&mut self.source, keys).await
    }
}

fn slots_of(tasks: &[Task], wanted: impl Fn(&Task) -> bool) -> Vec<Slot> {
    let wanted = tasks.iter().filter(|task| wanted(task));
    wanted.map(|task| task.slot).collect()
}
