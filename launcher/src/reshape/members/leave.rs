//! Nodes that go: emptied of what may not be lost, forgotten by all, ended.

use std::time::Duration;

use super::error::MemberError;
use super::sight::{Leaver, remembering};
use crate::boot::Orders;
use crate::cluster::{Cluster, remove_node_folder};
use crate::error::Error;
use crate::node::Node;
use crate::reshape::survey::Direction;
use crate::reshape::{Keep, MoveOptions};
use crate::state::Lock;
use crate::wait::{Deadline, next_round};

/// How often the nodes are looked at.
const ROUND: Duration = Duration::from_millis(20);

impl Cluster {
    /// Has all others forget these nodes, then ends them and removes what is left of them.
    pub(super) async fn see_off(
        &mut self,
        lock: &Lock,
        names: &[String],
        timeout: Duration,
    ) -> Result<(), Error> {
        if names.is_empty() {
            return Ok(());
        }
        let (_, members) = self.look().await?;
        let mut leavers = Vec::with_capacity(names.len());
        for name in names {
            let node = self.node(name)?;
            let member = members.iter().find(|member| member.name == *name);
            leavers.push(Leaver {
                name: name.clone(),
                id: member.and_then(|member| member.id.clone()),
                port: node.plan().port,
                bus_port: node.bus_port(),
            });
        }
        self.forget_everywhere(&leavers, timeout).await?;
        for name in names {
            let node = self.node(name)?;
            if node.is_ours() {
                // Its data is thrown away, so that there is nothing to write down.
                node.kill().await?;
                remove_node_folder(node)?;
            } else {
                make_bare(node).await?;
            }
            self.dismiss(name);
        }
        self.remember(lock, self.record().phase)
    }

    /// Brings back the keys of slots that were on their way to nodes that go: nobody else has them.
    pub(super) async fn bring_back(&self, names: &[String]) -> Result<(), Error> {
        let (survey, _) = self.look().await?;
        for open in survey.open_slots() {
            if open.direction != Direction::Importing || !names.contains(&open.node) {
                continue;
            }
            let owner = survey.owners(open.slot).find(|owner| *owner != open.node);
            if let Some(owner) = owner {
                self.settle_slot(
                    open.slot,
                    &open.node,
                    owner,
                    Keep::Target,
                    MoveOptions::default(),
                )
                .await?;
            }
        }
        Ok(())
    }

    /// Repeats FORGET until nobody remembers. A server that was told refuses to hear of the node again for
    /// a minute (`CLUSTER_BLACKLIST_TTL`, `cluster_legacy.c`); since Redis 7.2 it passes that on.
    async fn forget_everywhere(&self, leavers: &[Leaver], timeout: Duration) -> Result<(), Error> {
        let deadline = Deadline::after(timeout);
        loop {
            let survey = self
                .survey(deadline.at_most(crate::client::REPLY_TIMEOUT))
                .await;
            let remembering = remembering(&survey, leavers);
            let Some((node, _)) = remembering.first() else {
                return Ok(());
            };
            if deadline.passed() {
                return Err(MemberError::Late {
                    what: "forgetting the deleted nodes".to_owned(),
                    waited: timeout,
                    last: format!("`{node}` remembers one of them"),
                }
                .into());
            }
            for (node, id) in remembering {
                forget(self.node(node)?, &id, deadline).await?;
            }
            next_round(ROUND, deadline).await;
        }
    }
}

/// Sends FORGET; a node that has heard of it by gossip meanwhile knows no such node any more.
async fn forget(node: &Node, id: &str, deadline: Deadline) -> Result<(), Error> {
    let mut orders = Orders::open(node, deadline).await?;
    match orders.give(&["CLUSTER", "FORGET", id]).await {
        Err(Error::Reply { reply, .. }) if reply.contains("Unknown node") => Ok(()),
        told => told.map(drop),
    }
}

/// Leaves a node that is not ours as it came: alone, without data. One that is down stays as it is.
async fn make_bare(node: &Node) -> Result<(), Error> {
    match node.call(&["CLUSTER", "RESET", "HARD"]).await {
        Err(Error::Client { .. }) => Ok(()),
        Ok(reply) => match reply.as_error() {
            None => Ok(()),
            Some(error) => Err(Error::Reply {
                node: node.name().to_owned(),
                command: "CLUSTER RESET HARD".to_owned(),
                reply: crate::resp::escape(error),
            }),
        },
        Err(error) => Err(error),
    }
}
