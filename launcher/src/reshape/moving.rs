//! `reshard` and `rebalance`: which slots move is worked out, written down, and then done, so that whoever was
//! interrupted can ask for the same again and gets just that.

use super::plan::{self, Rebalance, Reshard, WishError};
use super::{Intent, Journal, Move, MoveEvent, MoveOptions, Moved};
use crate::cluster::{Cluster, LOCK_PATIENCE};
use crate::error::Error;
use crate::machine::wait::Deadline;
use crate::probe::survey::Survey;
use crate::state::Lock;
use crate::wire::client::REPLY_TIMEOUT;

/// Moves of slots that have been worked out and not been made.
#[derive(Debug, Clone, PartialEq)]
pub struct MovePlan {
    intent: Intent,
    /// What moves; nothing if all is as it is wanted.
    pub moves: Vec<Move>,
    /// The same was asked for before and interrupted: these are the moves of then, of which some may have been made.
    pub resumed: bool,
}

impl MovePlan {
    /// What was asked for.
    pub fn intent(&self) -> &Intent {
        &self.intent
    }
}

impl Cluster {
    /// Gives one master slots of others; see [`plan::reshard`]. Called again after it was interrupted, it goes on.
    ///
    /// # Errors
    /// As [`Cluster::plan_reshard`] and [`Cluster::make_moves`]. Another command keeps the lock for
    /// [`LOCK_PATIENCE`].
    pub async fn reshard(
        &self,
        wish: &Reshard,
        options: MoveOptions,
        observe: impl FnMut(&MoveEvent<'_>),
    ) -> Result<Moved, Error> {
        let lock = self.lock(LOCK_PATIENCE).await?;
        let plan = self.plan_reshard(wish).await?;
        self.make_moves(&lock, &plan, options, observe).await
    }

    /// Gives every master its share of the slots; see [`plan::rebalance`]. Called again after it was
    /// interrupted, it goes on.
    ///
    /// # Errors
    /// As [`Cluster::plan_rebalance`] and [`Cluster::make_moves`]. Another command keeps the lock for
    /// [`LOCK_PATIENCE`].
    pub async fn rebalance(
        &self,
        wish: &Rebalance,
        options: MoveOptions,
        observe: impl FnMut(&MoveEvent<'_>),
    ) -> Result<Moved, Error> {
        let lock = self.lock(LOCK_PATIENCE).await?;
        let plan = self.plan_rebalance(wish).await?;
        self.make_moves(&lock, &plan, options, observe).await
    }

    /// What a reshard comes to.
    ///
    /// # Errors
    /// A [`WishError`]. [`MoveError::Unfinished`](super::MoveError::Unfinished): other moves were interrupted.
    pub async fn plan_reshard(&self, wish: &Reshard) -> Result<MovePlan, Error> {
        self.plan_moves(Intent::Reshard(wish.clone()), |survey| {
            plan::reshard(survey, wish)
        })
        .await
    }

    /// What a rebalance comes to.
    ///
    /// # Errors
    /// As [`Cluster::plan_reshard`].
    pub async fn plan_rebalance(&self, wish: &Rebalance) -> Result<MovePlan, Error> {
        self.plan_moves(Intent::Rebalance(wish.clone()), |survey| {
            plan::rebalance(survey, wish)
        })
        .await
    }

    async fn plan_moves(
        &self,
        intent: Intent,
        decide: impl FnOnce(&Survey) -> Result<Vec<Move>, WishError>,
    ) -> Result<MovePlan, Error> {
        self.must_have_slots()?;
        let begun = Journal::of_folder(&self.home().folder(self.name()), &intent)?;
        let resumed = begun.is_some();
        let moves = match begun {
            Some(journal) => journal.moves,
            None => decide(&self.survey(Deadline::after(REPLY_TIMEOUT)).await)?,
        };
        Ok(MovePlan {
            intent,
            moves,
            resumed,
        })
    }

    /// Makes moves that were worked out just before. They stand in the cluster's folder until all are made.
    ///
    /// # Errors
    /// As [`Cluster::move_slots`]; the cluster's start was interrupted.
    pub async fn make_moves(
        &self,
        lock: &Lock,
        plan: &MovePlan,
        options: MoveOptions,
        observe: impl FnMut(&MoveEvent<'_>),
    ) -> Result<Moved, Error> {
        self.refuse_unfinished()?;
        // Before anything is written down.
        self.moves_atomically(options.way)?;
        if !plan.resumed && !plan.moves.is_empty() {
            Journal::write(lock, &plan.intent, &plan.moves)?;
        }
        let moved = self.move_slots(&plan.moves, options, observe).await?;
        Journal::remove(lock)?;
        Ok(moved)
    }
}
