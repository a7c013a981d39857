//! Puts somebody's cluster back as it was before a case changed its slots, roles or processes.

mod picture;
#[cfg(test)]
mod tests;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use shardlab::machine::text::excerpt;
use shardlab::machine::wait::{Deadline, Rounds};
use shardlab::wire::client::ClientError;
use shardlab::wire::resp::{Frame, escape};
use shardlab::wire::view::{NodeId, keyspace};

use crate::system::Target as _;
use crate::system::attached::Attached;
use crate::system::without_words;
use crate::transcript::ast::NodeName;

pub(super) use picture::Picture;
use picture::{Fault, Mend, Place, Places, Return};
use view::{View, Views};

use super::Limits;

/// What each node is asked.
const QUESTIONS: [&[&str]; 4] = [
    &["CLUSTER", "NODES"],
    &["CLUSTER", "INFO"],
    &["INFO", "replication"],
    &["CONFIG", "GET", "*"],
];

/// For how long a node remembers the votes of its last election: another one in that time may take these for its
/// own, and win without a new epoch (`auth_retry_time` in `clusterHandleSlaveFailover`, Redis up to 7).
pub(super) fn election_memory(target: &Attached) -> Duration {
    let period = target.node_timeout().period;
    period.saturating_mul(4).max(Duration::from_secs(4))
}

/// Before the same is sent again: a manual failover that is asked for twice begins anew
/// (`CLUSTER_MF_TIMEOUT`, 5 s).
const AGAIN: Duration = Duration::from_secs(6);

/// Keys that are moved at once.
const KEYS: &str = "100";

/// Differences that an error tells.
const TOLD: usize = 8;

/// Looks at a cluster until it is at rest, or only `once`.
///
/// # Errors
/// What keeps it from being at rest.
pub(super) async fn picture(
    target: &Attached,
    limits: &Limits,
    once: bool,
) -> Result<Picture, String> {
    let places = places(target)?;
    let mut rounds = rounds(target, limits.process, limits);
    loop {
        let views = views(target, places.keys().copied(), limits).await;
        match Picture::of(&views, &places) {
            Ok(picture) => return Ok(picture),
            Err(reason) if once || !rounds.next().await => return Err(reason),
            Err(_) => {}
        }
    }
}

fn rounds(target: &Attached, least: Duration, limits: &Limits) -> Rounds {
    let period = target.node_timeout().period;
    let patience = least.saturating_add(period.saturating_mul(10));
    Rounds::until(Deadline::after(patience), limits.pause)
}

fn places(target: &Attached) -> Result<Places, String> {
    let place = |name: NodeName| {
        let facts = target.node(name)?;
        let place = Place {
            id: NodeId::new(facts.id.as_deref()?)?,
            ip: facts.endpoint.ip.clone(),
            port: facts.endpoint.port,
            bus: facts.bus_port,
        };
        Some((name, place))
    };
    let places = target.nodes().into_iter().map(place);
    let places: Option<Places> = places.collect();
    places.ok_or_else(|| "not every node has an id".to_owned())
}

async fn views(target: &Attached, nodes: impl Iterator<Item = NodeName>, limits: &Limits) -> Views {
    let mut views = Views::new();
    for node in nodes {
        let asked = ask(target, node, limits.answer()).await;
        let view = asked
            .map_err(|error| error.to_string())
            .and_then(|replies| {
                let odd = || "it does not tell its nodes and its role".to_owned();
                View::of(&replies).ok_or_else(odd)
            });
        views.insert(node, view);
    }
    views
}

async fn ask(
    target: &Attached,
    node: NodeName,
    patience: Duration,
) -> Result<Vec<Frame>, ClientError> {
    let deadline = Deadline::after(patience);
    let mut link = target.connect(node, deadline).await?;
    link.pipeline(&QUESTIONS, deadline).await
}

/// Puts a cluster back, and looks whether all nodes agree.
///
/// # Errors
/// What differs still, and how it can be put back by hand.
pub(super) async fn put_back(
    target: &Attached,
    picture: &Picture,
    limits: &Limits,
) -> Result<(), String> {
    let mut work = Work {
        target,
        picture,
        limits,
        done: BTreeMap::new(),
        refused: BTreeSet::new(),
    };
    let places = picture.places();
    let patience = limits.process.saturating_add(picture.forgetting());
    let mut rounds = rounds(target, patience, limits);
    // A node that was met again is forgotten again, as long as others tell it.
    let mut whole_from: Option<Deadline> = None;
    for node in places.keys().filter(|node| target.is_down(**node)) {
        work.wake(*node).await;
    }
    loop {
        let views = views(target, places.keys().copied(), limits).await;
        let faults = picture.faults(&views);
        if faults.iter().any(Fault::is_of_membership) {
            whole_from.get_or_insert_with(|| Deadline::after(picture.forgetting()));
        }
        if faults.is_empty() && whole_from.is_none_or(Deadline::passed) {
            return Ok(());
        }
        for fault in Picture::first(&faults) {
            work.mend(fault).await;
        }
        if !rounds.next().await {
            // A node that was forgotten may be heard of again, but is not there.
            let is_whole = faults.is_empty();
            return if is_whole {
                Ok(())
            } else {
                Err(work.told(&faults))
            };
        }
    }
}

/// Lets each master that has keys write them to its disk, so that they outlive its process.
///
/// # Errors
/// A master cannot.
pub(super) async fn save(
    target: &Attached,
    picture: &Picture,
    limits: &Limits,
) -> Result<(), String> {
    if picture.setting("appendonly") == Some("yes") {
        return Ok(());
    }
    for node in picture.masters() {
        // DBSIZE counts in database 0 only.
        let keys = call(target, node, &["INFO", "keyspace"], limits.answer()).await?;
        if !keyspace(&keys).is_empty() {
            call(target, node, &["SAVE"], limits.process).await?;
        }
    }
    Ok(())
}

/// Sends a command, to which the answer must be no error.
async fn call<A: AsRef<[u8]>>(
    target: &Attached,
    node: NodeName,
    words: &[A],
    patience: Duration,
) -> Result<Frame, String> {
    let deadline = Deadline::after(patience);
    let asked = async {
        let mut link = target.connect(node, deadline).await?;
        link.call(words, deadline).await
    };
    let reply = asked.await.map_err(|error| error.to_string())?;
    match reply.as_error() {
        None => Ok(reply),
        Some(error) => {
            let place = target.node(node).map(|facts| facts.address);
            let place = place.map_or_else(String::new, |address| address.to_string());
            let first = words.iter().take(2).map(|word| escape(word.as_ref()));
            let command = first.collect::<Vec<_>>().join(" ");
            let said = excerpt(without_words(error), 200, 0);
            Err(format!("{place} answers `{said}` to `{command}`"))
        }
    }
}

/// A cluster that is being put back.
struct Work<'a> {
    target: &'a Attached,
    picture: &'a Picture,
    limits: &'a Limits,
    /// What was done, and when.
    done: BTreeMap<String, Instant>,
    /// What nodes say that do not obey.
    refused: BTreeSet<String>,
}

impl Work<'_> {
    async fn mend(&mut self, fault: &Fault) {
        let (key, now) = (format!("{:?}", fault.mend), Instant::now());
        let before = self.done.get(&key);
        if before.is_some_and(|before| now.duration_since(*before) < AGAIN) {
            return;
        }
        self.done.insert(key, now);
        match &fault.mend {
            Mend::Wait => {}
            Mend::Wake(node) => self.wake(*node).await,
            Mend::Tell(node, words) => self.tell(*node, words).await,
            Mend::Return(slot) => self.bring_home(slot).await,
        }
    }

    async fn wake(&mut self, node: NodeName) {
        if let Err(reason) = self.target.wake(node).await {
            self.refused.insert(reason);
        }
    }

    async fn tell<A: AsRef<[u8]>>(&mut self, node: NodeName, words: &[A]) {
        let told = call(self.target, node, words, self.limits.read).await;
        if let Err(reason) = told {
            self.refused.insert(reason);
        }
    }

    async fn set_slot(&mut self, node: NodeName, slot: &str, words: &[&str]) {
        let words = [&["CLUSTER", "SETSLOT", slot], words].concat();
        self.tell(node, &words).await;
    }

    /// Keys first; then the owner, whose epoch becomes the greatest; then those who took it for theirs.
    async fn bring_home(&mut self, back: &Return) {
        let Some(home) = self.picture.place(back.home).cloned() else {
            return;
        };
        let (slot, id) = (back.slot.to_string(), &*home.id);
        let owner = back.from.first().and_then(|node| self.picture.place(*node));
        match owner.map(|owner| owner.id.to_string()) {
            _ if back.is_home => self.set_slot(back.home, &slot, &["STABLE"]).await,
            Some(other) => {
                self.set_slot(back.home, &slot, &["IMPORTING", &other])
                    .await;
            }
            None => {
                self.tell(back.home, &["CLUSTER", "ADDSLOTS", &slot]).await;
            }
        }
        for node in &back.from {
            if !back.is_home {
                self.set_slot(*node, &slot, &["MIGRATING", id]).await;
            }
            if let Err(reason) = self.move_keys(*node, &slot, &home).await {
                self.refused.insert(reason);
                return;
            }
        }
        let told = std::iter::once(&back.home).filter(|_| !back.is_home);
        for node in told.chain(&back.from).chain(&back.misled) {
            if back.from.contains(node) {
                self.set_slot(*node, &slot, &["STABLE"]).await;
            }
            self.set_slot(*node, &slot, &["NODE", id]).await;
        }
        // Whoever had it may have done so with a greater epoch.
        if !back.from.is_empty() || !back.misled.is_empty() {
            self.tell(back.home, &["CLUSTER", "BUMPEPOCH"]).await;
        }
    }

    async fn move_keys(&self, from: NodeName, slot: &str, home: &Place) -> Result<(), String> {
        let deadline = Deadline::after(self.limits.process);
        loop {
            let words = ["CLUSTER", "GETKEYSINSLOT", slot, KEYS];
            let reply = call(self.target, from, &words, self.limits.read).await?;
            let keys = reply.as_array().unwrap_or_default().iter();
            let keys: Vec<_> = keys.filter_map(Frame::as_text).collect();
            if keys.is_empty() {
                return Ok(());
            }
            if deadline.passed() {
                return Err(format!("the keys of slot {slot} do not move"));
            }
            let (port, patience) = (home.port.to_string(), self.limits.read);
            let millis = patience.as_millis().to_string();
            let login = self.target.migrate_words();
            let words = ["MIGRATE", &home.ip, &port, "", "0", &millis, "REPLACE"];
            let words = words.into_iter().chain(login.iter().map(String::as_str));
            let words = words.chain(["KEYS"]).map(str::as_bytes).chain(keys);
            let words: Vec<_> = words.collect();
            call(self.target, from, &words, patience.saturating_mul(2)).await?;
        }
    }

    /// What differs, and how to mend it.
    fn told(&self, faults: &[Fault]) -> String {
        let mut lines: Vec<_> = faults
            .iter()
            .take(TOLD)
            .map(|fault| match self.picture.by_hand(fault) {
                Some(by_hand) => format!("{}: {by_hand}", fault.differs),
                None => fault.differs.clone(),
            })
            .collect();
        if let Some(more @ 1..) = faults.len().checked_sub(TOLD) {
            lines.push(format!("{more} more"));
        }
        lines.extend(self.refused.iter().take(TOLD).cloned());
        lines.join("\n  ")
    }
}
