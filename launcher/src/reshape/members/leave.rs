//! Nodes that go: emptied of what may not be lost, forgotten by all, ended.

use std::time::Duration;

use super::goal::Attach;
use super::reported::{Leaver, belongs, owning, remembering, silent};
use crate::cluster::Cluster;
use crate::error::Error;
use crate::error::members::MemberError;
use crate::machine::wait::{Deadline, Rounds};
use crate::node::{Node, Session};
use crate::plan::Setting;
use crate::probe::survey::Direction;
use crate::reshape::{Keep, MoveOptions};
use crate::state::{Lock, Stage};
use crate::wire::client::REPLY_TIMEOUT;
use crate::wire::slots::SlotRanges;

/// Whether nodes follow the slots of their shard to another one (Redis 7.0, `clusterUpdateSlotsConfigWith`).
const MIGRATION: &str = "cluster-allow-replica-migration";
/// How often the nodes are looked at.
const ROUND: Duration = Duration::from_millis(20);

impl Cluster {
    /// Has all others forget these nodes, then ends them and removes what is left of them. One that is
    /// not ours is reset, if it is still the one that was taken in. If the cluster was `sound` before, a
    /// node that is silent is waited for: it may remember.
    ///
    /// # Errors
    /// [`MemberError::Promoted`]: one of them has slots. The others do not forget in time, or one does not end.
    pub(super) async fn see_off(
        &mut self,
        sound: bool,
        lock: &Lock,
        names: &[String],
        timeout: Duration,
    ) -> Result<(), Error> {
        if names.is_empty() {
            return Ok(());
        }
        let (survey, members) = self.look().await?;
        // Slots may have taken long to move, and a replica may have been promoted meanwhile.
        if let Some((node, slots)) = owning(&survey, names) {
            return Err(MemberError::Promoted {
                node: node.to_owned(),
                slots,
            }
            .into());
        }
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
        self.forget_everywhere(sound, &leavers, timeout).await?;
        for name in names {
            let node = self.node(name)?;
            if node.is_ours() {
                // Its data is thrown away, so that there is nothing to write down.
                node.kill().await?;
                self.remove_node_folder(node)?;
            } else if belongs(&survey, name) {
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
            // A replica says so, too, of what its master takes in (Valkey 8).
            let is_master = survey.master(&open.node).is_some();
            if !is_master || open.direction != Direction::Importing || !names.contains(&open.node) {
                continue;
            }
            let owner = survey.owners(open.slot).find(|owner| *owner != open.node);
            if let Some(owner) = owner {
                let slots = SlotRanges::from_iter([open.slot]);
                self.settle_slots(
                    &slots,
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

    /// Has masters that are about to be emptied stay masters when their last slot goes, and their
    /// replicas stay with them. Otherwise they turn to whoever gets that slot, and break all
    /// connections in the midst of it (`clusterUpdateSlotsConfigWith`, `cluster_legacy.c`). That lasts until they
    /// are gone, also if the command is killed, so that it is not given back when a value is dropped.
    pub(super) async fn keep_roles(&self, names: &[String]) -> Result<(), Error> {
        if !self.record().server.replica_migration_setting() {
            return Ok(());
        }
        let (survey, _) = self.look().await?;
        let leavers = names.iter().filter_map(|name| survey.master(name));
        let mut told: Vec<&str> = Vec::new();
        for line in leavers {
            told.extend(survey.name_of(&line.id));
            told.extend(survey.replicas_of(&line.id).map(|(name, _)| name));
        }
        self.configure(told.into_iter(), MIGRATION, "no").await
    }

    /// Has replicas that stay follow slots again, as they were configured; all nodes that stay, if the
    /// change was interrupted before.
    pub(super) async fn free_roles(&self, attached: &[Attach], resumed: bool) -> Result<(), Error> {
        if !self.record().server.replica_migration_setting() {
            return Ok(());
        }
        let is_attached = |name: &str| attached.iter().any(|pair| pair.replica == name);
        let told = self.nodes().iter().filter(|node| {
            let stays = *node.stage() != Stage::Leaving && node.may_answer();
            stays && (resumed || is_attached(node.name()))
        });
        let asked = Setting::value_in(&self.record().options.settings, &[MIGRATION]);
        let told = told.map(Node::name);
        self.configure(told, MIGRATION, asked.unwrap_or("yes"))
            .await
    }

    /// Sets a directive on nodes, as far as they can be configured while they run. What somebody else has
    /// started keeps the settings that it has.
    pub(super) async fn configure(
        &self,
        names: impl Iterator<Item = &str>,
        key: &str,
        value: &str,
    ) -> Result<(), Error> {
        for name in names {
            let node = self.node(name)?;
            if node.is_ours() && self.is_configurable() {
                let mut orders = Session::open(node, Deadline::after(REPLY_TIMEOUT)).await?;
                orders.give(&["CONFIG", "SET", key, value]).await?;
            }
        }
        Ok(())
    }

    /// Repeats FORGET until nobody remembers. A server that was told refuses to hear of the node again for
    /// a minute (`CLUSTER_BLACKLIST_TTL`, `cluster_legacy.c`); since Redis 7.2 it passes that on.
    async fn forget_everywhere(
        &self,
        sound: bool,
        leavers: &[Leaver],
        timeout: Duration,
    ) -> Result<(), Error> {
        let deadline = Deadline::after(timeout);
        let mut rounds = Rounds::until(deadline, ROUND);
        loop {
            let survey = self.survey(rounds.look(REPLY_TIMEOUT)).await;
            let remembering = remembering(&survey, leavers);
            let silent = if sound {
                silent(&survey, leavers)
            } else {
                None
            };
            let last = match (remembering.first(), silent) {
                (None, None) => return Ok(()),
                (Some((node, _)), _) => format!("`{node}` remembers one of them"),
                (None, Some(node)) => format!("`{node}` does not answer"),
            };
            if rounds.is_last() {
                return Err(MemberError::Late {
                    what: "forgetting the deleted nodes".to_owned(),
                    waited: timeout,
                    last,
                }
                .into());
            }
            for (node, id) in remembering {
                let mut orders = Session::open(self.node(node)?, deadline).await?;
                orders.forget(&id).await?;
            }
            rounds.next().await;
        }
    }
}

/// Leaves a node that is not ours as it came: alone, without data. One that is down stays as it is.
async fn make_bare(node: &Node) -> Result<(), Error> {
    let deadline = Deadline::after(REPLY_TIMEOUT);
    let reset = async {
        let mut orders = Session::open(node, deadline).await?;
        orders.give(&["CLUSTER", "RESET", "HARD"]).await
    };
    match reset.await {
        Err(Error::Client { .. }) => Ok(()),
        told => told.map(drop),
    }
}
