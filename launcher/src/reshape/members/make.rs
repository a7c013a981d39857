//! Making a change: each step looks first at what is there.

use std::time::Duration;

use super::change::{Addition, Change, Removal, Step};
use super::roster::shape;
use crate::cluster::{Cluster, LOCK_PATIENCE, default_timeout};
use crate::error::Error;
use crate::error::members::MemberError;
use crate::ladder::{Answers, Rung};
use crate::machine::wait::{Deadline, Rounds};
use crate::node::Node;
use crate::plan::{Plan, Scale};
use crate::reshape::{Journal, Move, MoveEvent, MoveOptions};
use crate::state::limits;
use crate::state::ports;
use crate::state::{Lock, Stage, refuse_existing};
use crate::wire::client::REPLY_TIMEOUT;
use crate::wire::view::{ClusterState, Link};

/// How often the nodes are looked at.
const ROUND: Duration = Duration::from_millis(20);
/// How long other commands may choose ports.
const PORTS_TIMEOUT: Duration = Duration::from_secs(30);

/// What is told while a change is made.
#[derive(Debug)]
#[non_exhaustive]
pub enum ChangeEvent<'a> {
    /// These steps begin, all at once.
    Begun(&'a [Step]),
    /// Slots are moving.
    Moving(&'a MoveEvent<'a>),
}

impl Cluster {
    /// Adds a node, waits until all nodes know it, and gives its name. It is removed with the cluster,
    /// unless it ran before. Called again after it was interrupted, it goes on.
    ///
    /// # Errors
    /// As [`Cluster::plan_add_node`] and [`Cluster::change`].
    pub async fn add_node(&mut self, addition: &Addition) -> Result<String, Error> {
        let lock = self.lock(LOCK_PATIENCE).await?;
        let change = self.plan_add_node(addition).await?;
        self.change(&lock, &change, |_| {}).await?;
        Ok(change.coming().next().unwrap_or_default().to_owned())
    }

    /// Deletes a node with its folder. A master's slots go to the other masters first, evenly, and
    /// its replicas to those with the fewest. One that is not ours is reset and goes on running.
    ///
    /// # Errors
    /// As [`Cluster::plan_del_node`] and [`Cluster::change`].
    pub async fn del_node(&mut self, removal: &Removal) -> Result<(), Error> {
        let lock = self.lock(LOCK_PATIENCE).await?;
        let change = self.plan_del_node(removal).await?;
        self.change(&lock, &change, |_| {}).await
    }

    /// Adds and deletes nodes and moves slots until there are so many masters with so many replicas
    /// each. The last-born go first.
    ///
    /// # Errors
    /// As [`Cluster::plan_scale`] and [`Cluster::change`].
    pub async fn scale(&mut self, scale: Scale) -> Result<(), Error> {
        let lock = self.lock(LOCK_PATIENCE).await?;
        let change = self.plan_scale(scale).await?;
        self.change(&lock, &change, |_| {}).await
    }

    /// Makes a change that was worked out just before. Clients that follow MOVED and ASK see no error
    /// meanwhile; connections to nodes that are deleted break.
    ///
    /// # Errors
    /// A port was taken meanwhile, a server dies, the nodes do not come to terms in time
    /// ([`MemberError::Late`]), slots cannot be moved. What has been done
    /// stays done; the same change, worked out again, is the rest.
    pub async fn change(
        &mut self,
        lock: &Lock,
        change: &Change,
        mut observe: impl FnMut(&ChangeEvent<'_>),
    ) -> Result<(), Error> {
        self.nodes().iter().try_for_each(Node::refuse_unseen)?;
        let timeout = default_timeout(self.nodes().len() + change.newcomers.len());
        let (comings, rest) = change.steps.split_at(change.comings);
        let (moves, ends) = rest.split_at(change.moves.len());
        let sound = self.is_sound().await;
        let resumed = self
            .nodes()
            .iter()
            .any(|node| *node.stage() == Stage::Leaving);
        self.write_down(lock, change).await?;
        if !comings.is_empty() {
            observe(&ChangeEvent::Begun(comings));
            self.bring_in(sound, lock, timeout).await?;
        }
        self.bring_back(&change.leave).await?;
        if !moves.is_empty() {
            observe(&ChangeEvent::Begun(moves));
            self.await_service(&change.moves, timeout).await?;
            self.keep_roles(&change.leave).await?;
            if let Some(intent) = &change.intent {
                Journal::write(lock, intent, &change.moves)?;
            }
            self.move_slots(&change.moves, MoveOptions::default(), |event| {
                observe(&ChangeEvent::Moving(event));
            })
            .await?;
            Journal::remove(lock)?;
        }
        if !ends.is_empty() {
            observe(&ChangeEvent::Begun(ends));
        }
        self.attach(&change.attach, timeout).await?;
        self.free_roles(&change.attach, resumed).await?;
        self.see_off(sound, lock, &change.leave, timeout).await?;
        self.settle(sound, timeout).await?;
        self.note_shape(lock).await
    }

    /// Whether all nodes that neither come nor go serve.
    async fn is_sound(&self) -> bool {
        let deadline = Deadline::after(REPLY_TIMEOUT);
        let round = self.prober().round(deadline).await;
        let settled = round.iter().zip(self.nodes());
        settled
            .filter(|(_, node)| node.stage().is_member())
            .all(|(observation, _)| observation.answers.as_ref().is_ok_and(serves))
    }

    /// Waits until the cluster is whole again, if it was before. Nodes that are about to be deleted may
    /// have been forgotten by some.
    pub(super) async fn settle(&self, sound: bool, timeout: Duration) -> Result<(), Error> {
        let mut nodes = self.nodes().iter();
        if sound && nodes.all(|node| *node.stage() != Stage::Leaving) {
            self.wait_for(Rung::Ready, timeout).await?;
        }
        Ok(())
    }

    /// Waits until the nodes that are to get slots serve. A master that has just started does not for two
    /// seconds (`CLUSTER_WRITABLE_DELAY`, `cluster_legacy.c`).
    async fn await_service(&self, moves: &[Move], timeout: Duration) -> Result<(), Error> {
        let mut prober = self.prober();
        let mut rounds = Rounds::until(Deadline::after(timeout), ROUND);
        loop {
            let round = prober.round(rounds.look(REPLY_TIMEOUT)).await;
            let idle = round.iter().find(|observation| {
                moves.iter().any(|part| part.to == observation.node)
                    && !observation.answers.as_ref().is_ok_and(serves)
            });
            let Some(idle) = idle else { return Ok(()) };
            if !rounds.next().await {
                return Err(MemberError::Late {
                    what: "waiting for the nodes that are to get slots".to_owned(),
                    waited: timeout,
                    last: format!("`{}` does not serve, by its CLUSTER INFO", idle.node),
                }
                .into());
            }
        }
    }

    /// Writes down who is to come and to go, before anything else is done.
    async fn write_down(&mut self, lock: &Lock, change: &Change) -> Result<(), Error> {
        let ports_lock = if change.newcomers.is_empty() {
            None
        } else {
            limits::check(self.nodes().len() + change.newcomers.len())?;
            limits::raise();
            let taken = self
                .home()
                .lock_ports(Deadline::after(PORTS_TIMEOUT))
                .await?;
            let ours: Vec<_> = change
                .newcomers
                .iter()
                .filter(|record| record.foreign.is_none())
                .cloned()
                .collect();
            let plan = Plan {
                nodes: ours.iter().map(|record| record.plan.clone()).collect(),
            };
            ports::check(&plan, &self.record().options.bind, self.home())?;
            refuse_existing(&ours)?;
            self.reserve_ports(&plan);
            Some(taken)
        };
        for record in &change.newcomers {
            self.admit(record.clone());
        }
        for name in &change.leave {
            self.set_stage(name, &Stage::Leaving);
        }
        let written = self.remember(lock, self.record().phase);
        drop(ports_lock);
        written
    }

    /// Writes down how many replicas each master has now.
    async fn note_shape(&mut self, lock: &Lock) -> Result<(), Error> {
        let (_, members) = self.look().await?;
        self.set_reshaped(shape(&members));
        self.remember(lock, self.record().phase)
    }
}

/// Whether a node says that the cluster serves, and that it is up to date if it is a replica.
fn serves(answers: &Answers) -> bool {
    let Some(answers) = answers.of_cluster() else {
        return false;
    };
    answers.state == ClusterState::Ok && answers.link != Some(Link::Down)
}
