//! Restarting node by node while clients go on.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{Failover, Request, patience};
use crate::cluster::{Cluster, LOCK_PATIENCE, default_timeout};
use crate::error::Error;
use crate::ladder::{Answers, Observation, Rung, Standing};
use crate::machine::message::text;
use crate::machine::parameter::Parameter;
use crate::machine::wait::Deadline;
use crate::plan::{Boot, Role, Topology};
use crate::state::Lock;
use crate::wire::client::REPLY_TIMEOUT;
use crate::wire::view::NodeLine;

/// What a rolling restart is about to do, or has done.
#[derive(Debug)]
#[non_exhaustive]
pub enum Step<'a> {
    /// A master gives its role away before it goes.
    FailingOver {
        /// The master.
        node: &'a str,
    },
    /// It has.
    FailedOver(&'a Failover),
    /// A master that nobody can stand in for: its slots are not served until it is back.
    InPlace {
        /// The master.
        node: &'a str,
        /// Whether its data is in memory only, and therefore lost.
        loses_data: bool,
    },
    /// A node is stopped and started.
    Restarting {
        /// The node.
        node: &'a str,
    },
    /// It runs again, and the cluster is whole.
    Restarted {
        /// The node.
        node: &'a str,
        /// How long that took.
        took: Duration,
    },
}

impl Cluster {
    /// Restarts nodes one after the other, all of ours if `nodes` is empty, while clients go on: the
    /// replicas first, then sentinels, and each master after an orderly failover of its shard. After each
    /// step the cluster must stand on [`Rung::Ready`] before the next one begins, so that no
    /// acknowledged write is lost. Roles are not given back: that would be one more failover for each
    /// shard. A master without replicas is restarted in its place. Returns the names in the order in
    /// which they were restarted.
    ///
    /// # Errors
    /// The cluster is not whole before, or not in time after a step: the nodes after it are not touched.
    /// Another command keeps the lock for [`LOCK_PATIENCE`].
    pub async fn restart_rolling(&mut self, nodes: &[&str]) -> Result<Vec<String>, Error> {
        let lock = self.lock(LOCK_PATIENCE).await?;
        let nodes: Vec<_> = nodes.iter().map(|&node| node.to_owned()).collect();
        self.restart_rolling_locked(&lock, &nodes, None, |_| {})
            .await
    }

    /// As [`Cluster::restart_rolling`], under a lock that the caller has; `timeout` is for each step.
    ///
    /// # Errors
    /// The cluster is not whole before, or not in time after a step: the nodes after it are not touched.
    pub async fn restart_rolling_locked(
        &mut self,
        lock: &Lock,
        nodes: &[String],
        timeout: Option<Duration>,
        mut observe: impl FnMut(&Step<'_>),
    ) -> Result<Vec<String>, Error> {
        self.refuse_unfinished()?;
        if self.record().options.topology == Topology::Standalone {
            return Err(Error::Unsupported(text![
                "standalone servers cannot stand in for each other; leave out ",
                Parameter::Rolling
            ]));
        }
        let timeout = timeout.unwrap_or_else(|| {
            default_timeout(self.nodes().len()).saturating_add(patience(&self.record().options))
        });
        let names = self.chosen_of_ours(nodes)?;
        // One that does not run would be missed, with words about its end.
        for node in self.nodes().iter().filter(|node| node.is_ours()) {
            node.must_run()?;
            node.must_not_be_paused()?;
        }
        let rung = self.rung_between_steps().await?;
        self.climb_watched(rung, None, Instant::now(), timeout, |_| {})
            .await?;
        let order = masters_last(&self.masters().await, names);
        for name in &order {
            self.make_way(name, timeout, &mut observe).await?;
            let since = Instant::now();
            observe(&Step::Restarting { node: name });
            self.restart_locked(
                lock,
                std::slice::from_ref(name),
                rung,
                Some(timeout),
                |_| {},
            )
            .await?;
            // Also if somebody has killed another node meanwhile, for which a start does not wait.
            self.climb_watched(rung, None, Instant::now(), timeout, |_| {})
                .await?;
            observe(&Step::Restarted {
                node: name,
                took: since.elapsed(),
            });
        }
        Ok(order)
    }

    /// How far up the ladder the cluster can stand between two steps: less than the top if it was started with
    /// a hole in its slots.
    async fn rung_between_steps(&self) -> Result<Rung, Error> {
        if self.record().options.boot == Boot::None {
            let alone = |standing: &Standing| standing.rung == Some(Rung::Listening);
            if self.standings().await.iter().all(alone) {
                return Err(Error::Unsupported(text![
                    "nodes that are not joined cannot stand in for each other; leave out ",
                    Parameter::Rolling
                ]));
            }
        }
        Ok(Rung::highest(self.record().options.shape))
    }

    /// Has the shard of a master fail over, if it is one and somebody can stand in for it.
    async fn make_way(
        &self,
        name: &str,
        timeout: Duration,
        observe: &mut impl FnMut(&Step<'_>),
    ) -> Result<(), Error> {
        // Asked anew: an earlier failover, or somebody else, may have changed the roles.
        match self.masters().await.get(name) {
            None => return Ok(()),
            Some(0) => {
                observe(&Step::InPlace {
                    node: name,
                    loses_data: !self.record().options.persist,
                });
                return Ok(());
            }
            Some(_) => {}
        }
        observe(&Step::FailingOver { node: name });
        let request = Request {
            timeout: Some(timeout),
            ..Request::default()
        };
        let failover = self.failover(name, request, |_| {}).await?;
        observe(&Step::FailedOver(&failover));
        Ok(())
    }

    /// The masters that somebody would miss, by name, each with the number of its replicas.
    async fn masters(&self) -> BTreeMap<String, usize> {
        let deadline = Deadline::after(REPLY_TIMEOUT);
        if self.record().options.topology.is_cluster() {
            let survey = self.survey(deadline).await;
            let masters = survey.masters().filter(|(_, line)| line.serves());
            let with_replicas = |(name, line): (&str, &NodeLine)| {
                (name.to_owned(), survey.replicas_of(&line.id).count())
            };
            return masters.map(with_replicas).collect();
        }
        let round = self.prober().round(deadline).await;
        let is = |one: &&Observation, role| {
            let says = one.answers.as_ref().ok();
            says.and_then(Answers::role) == Some(role)
        };
        let replicas = round.iter().filter(|one| is(one, Role::Replica)).count();
        let masters = round.iter().filter(|one| is(one, Role::Master));
        masters.map(|one| (one.node.clone(), replicas)).collect()
    }
}

/// The names in the order in which their nodes are restarted.
fn masters_last(masters: &BTreeMap<String, usize>, names: Vec<String>) -> Vec<String> {
    let (masters, others): (Vec<_>, Vec<_>) = names
        .into_iter()
        .partition(|name| masters.contains_key(name));
    others.into_iter().chain(masters).collect()
}
