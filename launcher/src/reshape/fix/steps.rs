//! One repair at a time.
//!
//! What must never happen is that a node deletes keys because it hears from another one that it
//! has lost their slot (`clusterUpdateSlotsConfigWith`, `cluster_legacy.c`: `dirty_slots`). So whoever is to
//! let go of a slot does so before anybody else takes it: gossip takes nothing from who owns nothing.
//! And whoever takes one gets a higher epoch before, so that nobody's older word takes it back.

use std::ops::ControlFlow;
use std::time::Duration;

use super::reported::{knows, owns_alone, split, who_reports_otherwise};
use crate::cluster::Cluster;
use crate::error::Error;
use crate::machine::wait::{self, Deadline};
use crate::node::Session;
use crate::probe::survey::Survey;
use crate::reshape::moves::line;
use crate::reshape::{Journal, MoveError, MoveEvent, MoveOptions};
use crate::state::Lock;
use crate::wire::client::REPLY_TIMEOUT;
use crate::wire::slots::SlotRanges;
use crate::wire::view::{Epoch, NodeId};

/// How long gossip may take before a node is told.
pub(super) const GOSSIP: Duration = Duration::from_millis(2500);
/// How long anything may take after a node was told.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);
/// How long two nodes may take to meet: one that was told to forget the other does so for a minute
/// (`CLUSTER_BLACKLIST_TTL`), and so do, since Redis 7.2, those that it told.
const MEETING: Duration = Duration::from_secs(75);
/// How long all nodes may take to say how things are.
pub(super) const LOOK: Duration = Duration::from_secs(10);
const ROUND: Duration = Duration::from_millis(50);
/// How many slots a node is told of in one write, for which it has five seconds: since Valkey 8 each
/// SETSLOT waits for the replicas, and these for their processor.
const BATCH: usize = 8;

impl Cluster {
    /// Makes a replica the master, whether the others agree or not: nobody else has its data.
    pub(super) async fn promote(&self, node: &str, slots: &SlotRanges) -> Result<(), Error> {
        let survey = self.survey(Deadline::after(LOOK)).await;
        // It may have been elected meanwhile.
        if line(&survey, node)?.is_master() {
            return Ok(());
        }
        self.order(node, &[&["CLUSTER", "FAILOVER", "TAKEOVER"]])
            .await?;
        self.until(PATIENCE, |survey| owns_alone(survey, node, slots))
            .await;
        Ok(())
    }

    pub(super) async fn forget(&self, node: &str, id: &NodeId) -> Result<(), Error> {
        let mut orders = self.orders(node).await?;
        orders.forget(id).await
    }

    pub(super) async fn meet(&self, node: &str, with: &str) -> Result<(), Error> {
        let command = self.node(with)?.meet_command();
        let id = self.id(with).await?;
        let deadline = Deadline::after(MEETING);
        while !deadline.passed() {
            self.give(node, std::slice::from_ref(&command)).await?;
            if self.until(GOSSIP, |survey| knows(survey, node, &id)).await {
                break;
            }
        }
        Ok(())
    }

    /// Nodes that hear of each other give up a shared epoch by themselves
    /// (`clusterHandleConfigEpochCollision`); if they do not, one is told to, which works only while
    /// somebody has a higher one.
    pub(super) async fn separate(&self, nodes: &[String]) -> Result<(), Error> {
        let apart = |survey: &Survey| {
            let of_nodes = survey
                .masters()
                .filter(|(name, _)| nodes.iter().any(|node| node == name));
            let mut epochs: Vec<Epoch> = of_nodes.map(|(_, line)| line.epoch).collect();
            let all = epochs.len();
            epochs.sort_unstable();
            epochs.dedup();
            epochs.len() == all
        };
        if self.until(GOSSIP, apart).await {
            return Ok(());
        }
        let survey = self.survey(Deadline::after(LOOK)).await;
        let stranger = survey
            .masters()
            .map(|(name, _)| name)
            .find(|name| !nodes.iter().any(|node| node == name));
        let (_, rest) = nodes.split_at(nodes.len().min(1));
        for node in stranger.into_iter().chain(rest.iter().map(String::as_str)) {
            self.order(node, &[&["CLUSTER", "BUMPEPOCH"]]).await?;
        }
        self.until(PATIENCE, apart).await;
        Ok(())
    }

    /// The new owner's word comes last and counts most; the others hear it by gossip.
    pub(super) async fn take(
        &self,
        owner: &str,
        slots: &SlotRanges,
        released: &[String],
    ) -> Result<(), Error> {
        // What was planned may have come about by itself, or in another way: a command that was killed
        // has orders under way.
        let survey = self.survey(Deadline::after(LOOK)).await;
        let may = |holder: &str| holder == owner || released.iter().any(|node| node == holder);
        if !slots.slots().all(|slot| survey.owners(slot).all(may)) {
            return Ok(());
        }
        for node in released {
            match self.give(node, &[about_slots("DELSLOTS", slots)]).await {
                // It has heard of another owner by now; the next round sees how it is.
                Err(Error::Reply { .. }) => return Ok(()),
                given => given?,
            }
        }
        let survey = self.survey(Deadline::after(LOOK)).await;
        let id = line(&survey, owner)?.id.clone();
        let mut commands = vec![["CLUSTER", "BUMPEPOCH"].map(ToOwned::to_owned).to_vec()];
        let (of_others, missing) = split(&survey, owner, &id, slots);
        // A node takes only what is nobody's, as far as it knows.
        if !of_others.is_empty() {
            commands.push(about_slots("DELSLOTS", &of_others));
        }
        if !missing.is_empty() {
            commands.push(about_slots("ADDSLOTS", &missing));
        }
        match self.give(owner, &commands).await {
            // It has heard something else in the meantime: one by one it must not mind.
            Err(Error::Reply { .. }) => self.set_slots(owner, slots, &["NODE", &id]).await?,
            given => given?,
        }
        self.until(GOSSIP, |survey| {
            who_reports_otherwise(survey, &id, slots).is_empty()
        })
        .await;
        Ok(())
    }

    /// Goes on with what is in the journal. If its slots have gone elsewhere meanwhile there is
    /// nothing to go on with.
    pub(super) async fn resume_journal(
        &self,
        lock: &Lock,
        observe: &mut impl FnMut(&MoveEvent<'_>),
    ) -> Result<(), Error> {
        if let Some(journal) = Journal::read(lock.folder())? {
            match self
                .move_slots(&journal.moves, MoveOptions::default(), observe)
                .await
            {
                Err(Error::Move(error)) if matches!(*error, MoveError::Elsewhere { .. }) => {}
                moved => drop(moved?),
            }
            Journal::remove(lock)?;
        }
        Ok(())
    }

    pub(super) async fn make_agree(
        &self,
        owner: &str,
        slots: &SlotRanges,
        nodes: &[String],
    ) -> Result<(), Error> {
        let survey = self.survey(Deadline::after(LOOK)).await;
        // Whoever is told otherwise would have the new owner delete its keys.
        if !owns_alone(&survey, owner, slots) {
            return Ok(());
        }
        let id = line(&survey, owner)?.id.clone();
        let agreed = |survey: &Survey| {
            let against = who_reports_otherwise(survey, &id, slots);
            !against
                .iter()
                .any(|name| nodes.iter().any(|node| node == name))
        };
        let settled = |survey: &Survey| agreed(survey) || !owns_alone(survey, owner, slots);
        if self.until(GOSSIP, settled).await {
            return Ok(());
        }
        // With the highest epoch, nobody's older word stands against the owner's.
        self.order(owner, &[&["CLUSTER", "BUMPEPOCH"]]).await?;
        if self.until(GOSSIP, settled).await {
            return Ok(());
        }
        let survey = self.survey(Deadline::after(LOOK)).await;
        if !owns_alone(&survey, owner, slots) {
            return Ok(());
        }
        // Replicas refuse to be told, and hear it from their masters.
        let masters = survey.masters().map(|(name, _)| name);
        for node in masters.filter(|name| nodes.iter().any(|node| node == name)) {
            self.set_slots(node, slots, &["NODE", &id]).await?;
        }
        self.until(PATIENCE, agreed).await;
        Ok(())
    }

    /// Waits until what all nodes say meets a condition; `false` if it does not in time.
    async fn until(&self, patience: Duration, met: impl Fn(&Survey) -> bool) -> bool {
        let deadline = Deadline::after(patience);
        let waited = wait::until(deadline, ROUND, || async {
            if met(&self.survey(Deadline::after(LOOK)).await) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        waited.await.is_ok()
    }

    pub(super) async fn id(&self, node: &str) -> Result<NodeId, Error> {
        let survey = self.survey(Deadline::after(LOOK)).await;
        Ok(line(&survey, node)?.id.clone())
    }

    pub(super) async fn set_slots(
        &self,
        node: &str,
        slots: &SlotRanges,
        order: &[&str],
    ) -> Result<(), Error> {
        let commands = slots.slots().map(|slot| setslot(&slot.to_string(), order));
        self.give(node, &commands.collect::<Vec<_>>()).await
    }

    pub(super) async fn order(&self, node: &str, commands: &[&[&str]]) -> Result<(), Error> {
        let owned = |command: &&[&str]| command.iter().map(|word| (*word).to_owned()).collect();
        self.give(node, &commands.iter().map(owned).collect::<Vec<_>>())
            .await
    }

    async fn give(&self, node: &str, commands: &[Vec<String>]) -> Result<(), Error> {
        let mut orders = self.orders(node).await?;
        for batch in commands.chunks(BATCH) {
            orders.give_all(batch).await?;
        }
        Ok(())
    }

    async fn orders(&self, node: &str) -> Result<Session, Error> {
        Session::open(self.node(node)?, Deadline::after(REPLY_TIMEOUT)).await
    }
}

fn setslot(slot: &str, order: &[&str]) -> Vec<String> {
    let before = ["CLUSTER", "SETSLOT", slot];
    before
        .iter()
        .chain(order)
        .map(|word| (*word).to_owned())
        .collect()
}

fn about_slots(order: &str, slots: &SlotRanges) -> Vec<String> {
    let mut command = vec!["CLUSTER".to_owned(), order.to_owned()];
    command.extend(slots.slots().map(|slot| slot.to_string()));
    command
}
