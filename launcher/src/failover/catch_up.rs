//! Waiting until whoever may take over has all that a master has that takes no more writes.

use std::time::Duration;

use super::roles::{Means, Roles, has_data, is_up};
use super::{FailoverError, Mode};
use crate::cluster::Cluster;
use crate::error::Error;
use crate::machine::wait::{Deadline, Rounds};
use crate::node::Node;
use crate::wire::view::{self, Link, Replication};

/// How often replicas are asked how much they have.
const EVERY: Duration = Duration::from_millis(2);

impl Cluster {
    /// Waits until every replica that may take over follows the master, which takes no more writes, and
    /// has all that it has: one that is silent or has no link may lack something.
    ///
    /// # Errors
    /// The master is gone, or all replicas are; one has not caught up by the deadline, which was `timeout`
    /// ahead, or cannot be asked.
    pub(super) async fn catch_up(
        &self,
        roles: &Roles,
        deadline: Deadline,
        timeout: Duration,
    ) -> Result<(), Error> {
        let Some(master) = self.nodes().get(roles.master) else {
            return Ok(());
        };
        let offset = replication(master).await?.offset;
        let mut rounds = Rounds::until(deadline, EVERY);
        loop {
            if !is_up(master) {
                return Err(Error::from(FailoverError::SilentMaster {
                    master: master.name().to_owned(),
                    paused: master.is_paused(),
                    mode: Mode::Graceful,
                }));
            }
            let Some(why) = self.lags(roles, offset, timeout).await? else {
                return Ok(());
            };
            if !rounds.next().await {
                return Err(why);
            }
        }
    }

    /// Why one of those that may take over has not all that the master has, which is at this offset.
    async fn lags(
        &self,
        roles: &Roles,
        offset: u64,
        timeout: Duration,
    ) -> Result<Option<Error>, Error> {
        for replica in self.who_may_win(roles)? {
            match replication(replica).await {
                Ok(says) if says.link == Some(Link::Up) && says.offset >= offset => {}
                Ok(_) => {
                    return Ok(Some(Error::from(FailoverError::Behind {
                        replica: replica.name().to_owned(),
                        waited: timeout,
                    })));
                }
                Err(error) => return Ok(Some(error)),
            }
        }
        Ok(None)
    }

    /// The replicas of which one takes over: Sentinel chooses among all that run.
    fn who_may_win(&self, roles: &Roles) -> Result<Vec<&Node>, FailoverError> {
        let may_win = |place: usize, node: &Node| match roles.means {
            Means::Hand => place == roles.candidate,
            _ => place != roles.master && has_data(node),
        };
        let nodes = self.nodes().iter().enumerate();
        let may_win = nodes.filter(|(place, node)| may_win(*place, node));
        let (run, gone): (Vec<_>, Vec<_>) =
            may_win.map(|(_, node)| node).partition(|node| is_up(node));
        if run.is_empty() {
            let name = |node: &Node| node.name().to_owned();
            return Err(FailoverError::NoReplica {
                master: self.nodes().get(roles.master).map(name).unwrap_or_default(),
                silent: gone.into_iter().map(name).collect(),
            });
        }
        Ok(run)
    }
}

/// What a node says of itself in INFO replication.
async fn replication(node: &Node) -> Result<Replication, Error> {
    let info = node.call(&["INFO", "replication"]).await?;
    view::replication(&info).ok_or_else(|| node.answered("INFO replication", &info.raw))
}
