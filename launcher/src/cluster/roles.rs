//! Roles where there is one master: who has them now, and that they outlive a stop.
//!
//! A server without cluster mode remembers its role only in its config. Sentinel has servers
//! rewrite theirs when it moves a role; REPLICAOF at run time is forgotten. So a stop that is asked
//! for writes down what is so, and what runs or is started beside a master that runs is told to follow
//! it unless there are sentinels to tell it.

use std::ops::ControlFlow;
use std::time::Duration;

use super::Cluster;
use super::interrupted::keeps_from_writing;
use crate::config::{following, master_of};
use crate::error::{Error, IoContext as _};
use crate::ladder::{self, Answers, Observation};
use crate::machine::wait::{self, Deadline};
use crate::node::Node;
use crate::plan::{Boot, Role, Topology};
use crate::state::{read_regular, write_atomically};
use crate::wire::client::REPLY_TIMEOUT;
use crate::wire::view::HostPort;

/// How long a server tries to change places with its replica at most: what `failover` tells it, and more.
const REST: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(20);

/// Whom each node with data follows, of those of whom it is known: by name.
pub(super) type Links = Vec<(String, Option<HostPort>)>;

impl Cluster {
    /// The node that is the master now, where there is one ([`Topology::has_one_master`]): the one
    /// that says so, and if several do, the one whom most nodes follow and most sentinels name.
    pub async fn present_master(&self) -> Option<&Node> {
        self.present_master_by(Deadline::after(REPLY_TIMEOUT)).await
    }

    /// The same, by what the nodes say until then.
    pub(crate) async fn present_master_by(&self, deadline: Deadline) -> Option<&Node> {
        if !self.record.options.topology.has_one_master() {
            return None;
        }
        let round = self.prober().round(deadline).await;
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
                (Err(_), Some(master)) if formed => Some(self.announced(master)),
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

    /// Has all follow one master before nodes are started, those that run and, by their configs, those that do
    /// not, and writes it down; unless sentinels will see to it. An interrupted failover leaves replicas of
    /// replicas, two masters or none: see [`ladder::best_master`] for who is the master then.
    pub(super) async fn follow_the_master(&self, deadline: Deadline) -> Result<(), Error> {
        let options = &self.record.options;
        if options.topology != Topology::Replication || options.boot == Boot::None {
            return Ok(());
        }
        let round = self.observe_at_rest(deadline).await;
        let master = ladder::best_master(&round, &self.refuses_writes(&round).await);
        let runs = ladder::present_master(&round).is_some();
        if let Some(master) = master.and_then(|place| self.nodes.get(place))
            && (runs || !self.master_will_return()?)
        {
            self.have_all_follow(master, &round, deadline).await?;
            self.write_roles_down(master).await?;
        } else if let Some(master) = self.master_by_config()? {
            follow(master, None)?;
            let address = self.announced(master);
            for node in self.nodes_with_data() {
                if node.name() != master.name() {
                    follow(node, Some(&address))?;
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

    /// A round in which no server is about to change places with its replica, if there is one before the
    /// deadline: FAILOVER goes on by itself after the command that has begun it was killed, and ends by
    /// itself as well.
    async fn observe_at_rest(&self, deadline: Deadline) -> Vec<Observation> {
        let at_rest = wait::until(deadline.at_most(REST), LOOK, || async {
            let round = self.observe().await;
            let says = round.iter().filter_map(|one| one.answers.as_ref().ok());
            let mut servers = says.filter_map(|answers| match answers {
                Answers::Server(says) => Some(says),
                _ => None,
            });
            if servers.any(|says| says.failing_over) {
                ControlFlow::Continue(round)
            } else {
                ControlFlow::Break(round)
            }
        });
        at_rest.await.unwrap_or_else(|round| round)
    }

    /// Which nodes a graceful failover keeps from accepting writes: asked if several are masters.
    async fn refuses_writes(&self, round: &[Observation]) -> Vec<bool> {
        let is_master = |one: &Observation| {
            let says = one.answers.as_ref().ok();
            says.and_then(Answers::role) == Some(Role::Master)
        };
        let several = round.iter().filter(|one| is_master(one)).count() > 1;
        let mut refuses = Vec::new();
        for (node, one) in self.nodes.iter().zip(round) {
            refuses.push(several && is_master(one) && keeps_from_writing(node).await);
        }
        refuses
    }

    /// Whether a master that does not run comes back with its data.
    fn master_will_return(&self) -> Result<bool, Error> {
        if !self.record.options.persist {
            return Ok(false);
        }
        for node in self.nodes_with_data().filter(|node| !node.may_answer()) {
            if master_of(&read_config(node)?).is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Makes a node that runs the master, and has all others that run follow it.
    async fn have_all_follow(
        &self,
        master: &Node,
        round: &[Observation],
        deadline: Deadline,
    ) -> Result<(), Error> {
        let address = self.announced(master);
        let port = address.port.to_string();
        for (node, one) in self.nodes.iter().zip(round) {
            let Ok(Answers::Server(says)) = &one.answers else {
                continue;
            };
            let follows = says.master.as_ref().map(|followed| followed.port);
            let (wanted, words) = if node.name() == master.name() {
                (None, ["REPLICAOF", "NO", "ONE"])
            } else {
                (
                    Some(address.port),
                    ["REPLICAOF", address.host.as_str(), port.as_str()],
                )
            };
            if follows == wanted {
                continue;
            }
            let obey = || async { node.accepted("REPLICAOF", node.call(&words).await?) };
            wait::retry(deadline.at_most(REPLY_TIMEOUT), obey).await?;
        }
        Ok(())
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

fn read_config(node: &Node) -> Result<Vec<u8>, Error> {
    let path = node.config_path();
    read_regular(&path).doing("read", &path)
}

/// Writes into a node's config whom it follows.
///
/// # Errors
/// The config cannot be read or written.
pub(crate) fn follow(node: &Node, master: Option<&HostPort>) -> Result<(), Error> {
    let conf = read_config(node)?;
    if master_of(&conf).as_ref() == master {
        return Ok(());
    }
    write_atomically(&node.config_path(), &following(&conf, master))
}
