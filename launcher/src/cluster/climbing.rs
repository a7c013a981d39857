//! Looking at a cluster by way of the ladder.

use std::time::{Duration, Instant};

use super::Cluster;
use crate::error::{Error, NotReady};
use crate::ladder::{Rung, Standing, common};
use crate::machine::wait::Deadline;
use crate::node::Node;
use crate::plan::Role;
use crate::probe::prober::{Climb, Prober};
use crate::wire::client::REPLY_TIMEOUT;

/// How many log lines of a node that lags behind are shown.
const LAGGARD_LINES: usize = 5;
/// Of how many laggards.
const LAGGARDS_SHOWN: usize = 3;

/// How long a cluster of so many nodes may take to start: an idle machine needs a fraction of it.
pub(crate) fn default_timeout(nodes: usize) -> Duration {
    Duration::from_secs(30) + Duration::from_millis(250) * u32::try_from(nodes).unwrap_or(u32::MAX)
}

impl Cluster {
    /// Waits until every node stands on `rung`.
    ///
    /// # Errors
    /// [`Error::NotReady`] after `timeout`, with where each node stands and why.
    pub async fn wait_for(&self, rung: Rung, timeout: Duration) -> Result<Climb, Error> {
        self.climb_to(
            self.prober(),
            rung,
            Instant::now(),
            Deadline::after(timeout),
            timeout,
            |_| Ok(()),
        )
        .await
    }

    /// One look at the ladder, now.
    pub async fn standings(&self) -> Vec<Standing> {
        if let Some(profile) = &self.record.profile {
            let deadline = Deadline::after(REPLY_TIMEOUT);
            return self.signs(profile, Rung::Ready, deadline).await;
        }
        let mut prober = self.prober();
        let round = prober.round(Deadline::after(REPLY_TIMEOUT)).await;
        prober.judge(&round)
    }

    /// Whether every node has the role that it was born with and stands on the top rung, observed
    /// in one round.
    pub async fn is_as_born(&self) -> bool {
        if self.record.profile.is_some() {
            return common(&self.standings().await) == Some(Rung::Ready);
        }
        let roles: Vec<_> = self.nodes.iter().map(|node| node.plan().role).collect();
        let mut prober = self.prober().expecting(Some(roles));
        let round = prober.round(Deadline::after(REPLY_TIMEOUT)).await;
        common(&prober.judge(&round)) == Some(Rung::Ready)
    }

    /// A prober of all nodes.
    pub fn prober(&self) -> Prober {
        let nodes = self.nodes.iter();
        Prober::new(
            &self.record.options,
            nodes.map(|node| (node.endpoint(), node.plan().role)),
        )
    }

    /// Climbs, ending early when a server dies. `roles`, one for each node, must be theirs at the end.
    pub(crate) async fn climb_watched(
        &self,
        rung: Rung,
        roles: Option<Vec<Role>>,
        since: Instant,
        timeout: Duration,
        mut observe: impl FnMut(&[Standing]),
    ) -> Result<Climb, Error> {
        let deadline = Deadline::after(timeout.saturating_sub(since.elapsed()));
        self.climb_to(
            self.prober().expecting(roles),
            rung,
            since,
            deadline,
            timeout,
            |standings| {
                observe(standings);
                self.nodes.iter().find_map(Node::died).map_or(Ok(()), Err)
            },
        )
        .await
    }

    async fn climb_to(
        &self,
        mut prober: Prober,
        wanted: Rung,
        since: Instant,
        deadline: Deadline,
        timeout: Duration,
        observe: impl FnMut(&[Standing]) -> Result<(), Error>,
    ) -> Result<Climb, Error> {
        let climbed = match &self.record.profile {
            Some(profile) => {
                // The ladder's climb is the usual one: this is not to make every wait larger.
                Box::pin(self.await_signs(profile, wanted, deadline, observe)).await?
            }
            None => prober.climb(wanted, since, deadline, observe).await?,
        };
        let mut standings = match climbed {
            Ok(climb) => return Ok(climb),
            Err(standings) => standings,
        };
        for standing in standings
            .iter_mut()
            .filter(|standing| standing.rung.is_none())
        {
            if self.node(&standing.node).is_ok_and(Node::is_paused) {
                standing.why = Some("it is paused".to_owned());
            }
        }
        let lowest = common(&standings);
        let laggards = standings
            .iter()
            .filter(|standing| standing.rung == lowest)
            .take(LAGGARDS_SHOWN);
        let logs = laggards
            .filter_map(|standing| {
                Some((
                    standing.node.clone(),
                    self.node(&standing.node).ok()?.log_tail(LAGGARD_LINES),
                ))
            })
            .filter(|(_, lines)| !lines.is_empty())
            .collect();
        Err(Error::NotReady(Box::new(NotReady {
            wanted,
            waited: timeout,
            topology: self.record.options.topology,
            standings,
            logs,
            removed: false,
        })))
    }
}
