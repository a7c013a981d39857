//! Roles where there is one master: who has them now, and that they outlive a stop.
//!
//! A server without cluster mode remembers its role only in its config. Sentinel has servers
//! rewrite theirs when it moves a role; REPLICAOF at run time is forgotten. So a stop that is asked
//! for writes down what is so, and what is started beside a master that runs is told to follow it
//! unless there are sentinels to tell it.

use super::Cluster;
use crate::client::REPLY_TIMEOUT;
use crate::config::{following, master_of};
use crate::error::{Error, IoContext as _};
use crate::ladder::{self, Answers, Observation};
use crate::node::Node;
use crate::plan::{Boot, Role, Topology};
use crate::state::write_atomically;
use crate::view::Peer;
use crate::wait::Deadline;

/// Whom each node with data follows, of those of whom it is known: by name.
pub(super) type Links = Vec<(String, Option<Peer>)>;

impl Cluster {
    /// The node that is the master now, where there is one ([`Topology::has_one_master`]): the one
    /// that says so, and if several do, the one whom most nodes follow and most sentinels name.
    pub async fn present_master(&self) -> Option<&Node> {
        if !self.record.options.topology.has_one_master() {
            return None;
        }
        let round = self.observe().await;
        self.nodes.get(ladder::present_master(&round)?)
    }

    /// The master, or if no node with data runs, who is to be it by what the configs say; none without
    /// [`Topology::has_one_master`].
    pub(crate) async fn last_master(&self) -> Result<Option<&Node>, Error> {
        match self.present_master().await {
            Some(master) => Ok(Some(master)),
            None if self.record.options.topology.has_one_master() => self.master_by_config(),
            None => Ok(None),
        }
    }

    /// Who is to be the master by what the configs say, for when nobody runs; none without
    /// [`Topology::has_one_master`], of bare nodes, and if a config cannot be read.
    #[must_use]
    pub fn remembered_master(&self) -> Option<&Node> {
        let options = &self.record.options;
        if !options.topology.has_one_master() || options.boot == Boot::None {
            return None;
        }
        self.master_by_config().ok().flatten()
    }

    async fn observe(&self) -> Vec<Observation> {
        self.prober().round(Deadline::after(REPLY_TIMEOUT)).await
    }

    /// Who follows whom at this moment. Who is silent follows the master.
    pub(super) async fn links(&self) -> Links {
        if !self.record.options.topology.has_one_master() {
            return Vec::new();
        }
        let formed = self.record.options.boot != Boot::None;
        let round = self.observe().await;
        let master = ladder::present_master(&round).and_then(|index| self.nodes.get(index));
        let link = |(node, observation): (&Node, &Observation)| {
            let follows = match (&observation.answers, master) {
                (Ok(Answers::Server(says)), _) => says.master.clone(),
                (Err(_), Some(master)) if formed => Some(self.peer(master)),
                _ => return None,
            };
            Some((node.name().to_owned(), follows))
        };
        let with_data = self.nodes.iter().zip(&round);
        with_data
            .filter(|(node, _)| node.plan().role != Role::Sentinel)
            .filter_map(link)
            .collect()
    }

    /// Writes into the configs of nodes that do not run whom they follow. As long as others run, a
    /// node that died by itself keeps the role that it believes in.
    pub(super) fn keep_links(&self, links: &Links, stopped: &[String]) -> Result<(), Error> {
        let none_runs = self.nodes_with_data().all(|node| node.process().is_none());
        for (name, master) in links {
            let node = self.node(name)?;
            let is_stopped = stopped.contains(name);
            if node.process().is_none() && (is_stopped || none_runs) {
                follow(node, master.as_ref())?;
            }
        }
        Ok(())
    }

    /// Has whoever does not run follow the master that there is, before nodes are started, and writes
    /// down who follows whom of those that run; unless sentinels will see to it.
    pub(super) async fn follow_the_master(&self) -> Result<(), Error> {
        let options = &self.record.options;
        if options.topology != Topology::Replication || options.boot == Boot::None {
            return Ok(());
        }
        if let Some(master) = self.present_master().await {
            self.call_away_from_the_dead(master).await;
            self.write_roles_down(master).await?;
        } else if let Some(master) = self.master_by_config()? {
            follow(master, None)?;
            let peer = self.peer(master);
            for node in self.nodes_with_data() {
                if node.name() != master.name() {
                    follow(node, Some(&peer))?;
                }
            }
        }
        Ok(())
    }

    /// Writes down who follows whom, with this one as the master; unless sentinels see to it.
    ///
    /// # Errors
    /// A config cannot be written.
    pub(crate) async fn write_roles_down(&self, master: &Node) -> Result<(), Error> {
        if self.record.options.topology != Topology::Replication {
            return Ok(());
        }
        // Its own config first: whoever reads them next must find one that claims to be it.
        follow(master, None)?;
        for (name, master) in self.links().await {
            follow(self.node(&name)?, master.as_ref())?;
        }
        Ok(())
    }

    /// Has replicas follow the master that still follow one that does not run: so they are left by
    /// somebody who was killed while making another one the master.
    async fn call_away_from_the_dead(&self, master: &Node) {
        let peer = self.peer(master);
        let port = peer.port.to_string();
        for (name, followed) in self.links().await {
            let dead = self
                .nodes_with_data()
                .filter(|node| node.process().is_none())
                .any(|node| followed.as_ref() == Some(&self.peer(node)));
            if let Ok(node) = self.node(&name)
                && dead
                && node.process().is_some()
            {
                // If it does not obey, the ladder tells whom it follows.
                let _ = node.call(&["REPLICAOF", &peer.host, &port]).await;
            }
        }
    }

    /// The one that is to be the master by what the configs say, of a set of which nobody runs as
    /// one. A replica by birth that claims it was promoted, later than the master by birth; then it
    /// counts whom most follow.
    fn master_by_config(&self) -> Result<Option<&Node>, Error> {
        let mut claims = Vec::new();
        let mut followed = Vec::new();
        for node in self.nodes_with_data() {
            match master_of(&read_config(node)?) {
                None => claims.push(node.name()),
                Some(master) => followed.push(master.port),
            }
        }
        let rank = |node: &&Node| {
            let claims = claims.contains(&node.name());
            let promoted = claims && node.plan().role == Role::Replica;
            let port = node.plan().port;
            let followers = followed.iter().filter(|to| **to == port).count();
            (promoted, claims, followers)
        };
        Ok(self.nodes_with_data().max_by_key(rank))
    }
}

fn read_config(node: &Node) -> Result<String, Error> {
    let path = node.config_path();
    std::fs::read_to_string(&path).doing("read", &path)
}

/// Writes into a node's config whom it follows.
///
/// # Errors
/// The config cannot be read or written.
pub(crate) fn follow(node: &Node, master: Option<&Peer>) -> Result<(), Error> {
    let conf = read_config(node)?;
    if master_of(&conf).as_ref() == master {
        return Ok(());
    }
    write_atomically(&node.config_path(), following(&conf, master).as_bytes())
}
