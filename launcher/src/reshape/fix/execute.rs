//! Carrying repairs out, round after round.

use std::time::Duration;

use super::plan::repairs;
use super::repair::Repair;
use super::steps::{GOSSIP, LOOK, PATIENCE};
use crate::cluster::{Cluster, LOCK_PATIENCE};
use crate::error::Error;
use crate::machine::wait::{self, Deadline};
use crate::plan::Shape;
use crate::reshape::check::{Finding, Inspection, Remedy};
use crate::reshape::members::Attach;
use crate::reshape::{Journal, Keep, Move, MoveEvent, MoveOptions, Way};
use crate::state::Lock;

/// How often what is there is looked at anew. One round does all that was seen; what it brings to
/// light, such as a journal behind an open slot, is for the next.
const ROUNDS: u32 = 6;
/// How far apart two looks are that must come to the same plan.
const HOLD_STILL: Duration = Duration::from_millis(300);

/// What happens while a cluster is mended.
#[derive(Debug)]
#[non_exhaustive]
pub enum FixEvent<'a> {
    /// What is going to be done, as far as it is known now.
    Planned(&'a [Repair]),
    /// A repair begins.
    Begins(&'a Repair),
    /// Slots move.
    Moves(&'a MoveEvent<'a>),
}

/// What came of mending a cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Fixed {
    /// What was done, in order, each step once.
    pub done: Vec<Repair>,
    /// What is still wrong.
    pub left: Vec<Finding>,
}

impl Cluster {
    /// What [`Cluster::fix`] would do first; nothing is touched. A repair may bring to light what calls
    /// for another one.
    pub async fn repairs(&self) -> Vec<Repair> {
        let (inspection, _) = self.settled(GOSSIP, Deadline::after(LOOK)).await;
        repairs(&inspection)
    }

    /// Mends the cluster's shape as far as it can be mended with the nodes that answer, and says
    /// what is left. No key is lost: one that two nodes have is kept as the slot's owner has it. May
    /// be interrupted at any moment and called again.
    ///
    /// # Errors
    /// As [`Cluster::fix_locked`]; another command keeps the cluster's lock for a minute.
    pub async fn fix(&mut self) -> Result<Fixed, Error> {
        let lock = self.lock(LOCK_PATIENCE).await?;
        self.fix_locked(&lock, |_| {}).await
    }

    /// As [`Cluster::fix`], under a lock that the caller has; tells of each step.
    ///
    /// # Errors
    /// There are no slots, the cluster's start was interrupted, a node refuses a repair or stops answering; what was done stays done.
    pub async fn fix_locked(
        &mut self,
        lock: &Lock,
        mut observe: impl FnMut(&FixEvent<'_>),
    ) -> Result<Fixed, Error> {
        self.must_have_slots()?;
        self.refuse_unfinished()?;
        let mut done: Vec<Repair> = Vec::new();
        let (mut last, mut refused) = (Vec::new(), None);
        let mut left = None;
        for _ in 0..ROUNDS {
            let round = self.plan_repairs().await;
            // What was refused before no longer stands in the way.
            let again = refused.is_some();
            if round.is_empty() || (round == last && !again) {
                let (inspection, findings) = self.after_repairs().await;
                // What nothing could be done about may have become something else meanwhile: a node
                // that was not known to have failed, one to forget.
                let further = repairs(&inspection);
                if findings.is_empty() || further.is_empty() || further == last {
                    left = Some(findings);
                    break;
                }
                continue;
            }
            refused = None;
            if round != last {
                observe(&FixEvent::Planned(&round));
            }
            for repair in &round {
                observe(&FixEvent::Begins(repair));
                match self.repair(lock, repair, &mut observe).await {
                    Ok(()) if done.iter().any(|before| repair.repeats(before)) => {}
                    Ok(()) => done.push(repair.clone()),
                    // The state that it refuses for may pass, or another repair may lift it.
                    Err(error) if is_answer(&error) => {
                        refused.get_or_insert(error);
                        if repair.comes_first() {
                            break;
                        }
                    }
                    Err(error) => return Err(error),
                }
            }
            last = round;
        }
        let left = match left {
            Some(left) => left,
            None => self.after_repairs().await.1,
        };
        if let Some(error) = refused.filter(|_| !left.is_empty()) {
            return Err(error);
        }
        let shape = self.record().options.shape;
        if left.is_empty() && shape.is_some_and(Shape::is_a_fault) {
            self.forget_shape(lock)?;
        }
        Ok(Fixed { done, left })
    }

    /// What there is when what passes has had the time to do so.
    async fn after_repairs(&self) -> (Inspection, Vec<Finding>) {
        let deadline = Deadline::after(PATIENCE + LOOK);
        self.settled(PATIENCE, deadline).await
    }

    /// What is to be repaired, once two looks in a row come to the same: nodes may still be carrying out
    /// what a command that was killed a moment ago has sent them.
    async fn plan_repairs(&self) -> Vec<Repair> {
        let deadline = Deadline::after(LOOK);
        let mut last = None;
        loop {
            let (inspection, findings) = self.settled(GOSSIP, deadline).await;
            let plan = repairs(&inspection);
            let holds_still = if plan.is_empty() {
                // What one that is busy, as while it loads its data, is an end of is left alone until it
                // speaks.
                let is_busy = |finding: &Finding| matches!(finding.remedy(), Remedy::Restart(_));
                !findings.iter().any(is_busy)
            } else {
                last.as_ref() == Some(&plan)
            };
            if holds_still || deadline.passed() {
                return plan;
            }
            last = Some(plan);
            wait::next_round(HOLD_STILL, deadline).await;
        }
    }

    async fn repair(
        &self,
        lock: &Lock,
        repair: &Repair,
        observe: &mut impl FnMut(&FixEvent<'_>),
    ) -> Result<(), Error> {
        let mut moving = |event: &MoveEvent<'_>| observe(&FixEvent::Moves(event));
        match repair {
            Repair::Cancel { node, .. } => {
                self.order(node, &[&["CLUSTER", "CANCELSLOTMIGRATIONS"]])
                    .await
            }
            Repair::Forget { node, id, .. } => self.forget(node, id).await,
            Repair::Meet { node, with } => self.meet(node, with).await,
            Repair::Promote { node, slots } => self.promote(node, slots).await,
            Repair::Follow { node, master } => {
                let pair = Attach {
                    replica: node.clone(),
                    master: master.clone(),
                };
                self.attach(&[pair], PATIENCE).await
            }
            Repair::Separate { nodes, .. } => self.separate(nodes).await,
            Repair::Close { node, slots } => self.set_slots(node, slots, &["STABLE"]).await,
            Repair::Take {
                owner,
                slots,
                released,
            } => self.take(owner, slots, released).await,
            Repair::Bring {
                from, to, slots, ..
            } => {
                let settled =
                    self.settle_slots(slots, from, to, Keep::Target, MoveOptions::default());
                settled.await.map(drop)
            }
            Repair::HandOver {
                from, to, slots, ..
            } => {
                let part = Move {
                    slots: slots.clone(),
                    from: from.clone(),
                    to: to.clone(),
                };
                // Atomic migration takes no slot that is open already.
                let options = MoveOptions {
                    way: Way::Keys,
                    ..MoveOptions::default()
                };
                self.move_slots(&[part], options, &mut moving)
                    .await
                    .map(drop)
            }
            Repair::Resume { .. } => self.resume_journal(lock, &mut moving).await,
            Repair::Agree {
                owner,
                slots,
                nodes,
            } => self.make_agree(owner, slots, nodes).await,
            Repair::Load {
                node,
                library,
                from,
            } => self.copy_library(node, library, from).await,
            Repair::Discard { .. } => Journal::remove(lock),
        }
    }
}

/// Whether an error is of what nodes have said, or have not said in time.
fn is_answer(error: &Error) -> bool {
    matches!(
        error,
        Error::Reply { .. } | Error::Client { .. } | Error::Move(_) | Error::Member(_)
    )
}
