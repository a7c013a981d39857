//! Who plays which part in a failover: who loses the role, who gets it, whose word counts, and who is
//! told to do it.

use std::sync::Arc;
use std::time::Duration;

use super::candidate::{Candidate, best};
use super::order::{any_key, key_in};
use super::set::{Born, Set};
use super::shard::{KnownNode, Shard};
use super::watch::Scene;
use super::{FailoverError, Mode};
use crate::cluster::Cluster;
use crate::error::Error;
use crate::ladder::Observation;
use crate::machine::message::text;
use crate::machine::parameter::Parameter;
use crate::machine::wait::{Deadline, Rounds};
use crate::node::{Node, PREFERRED, Temporary};
use crate::plan::{Role, Topology};
use crate::probe::questions::Questions;
use crate::probe::survey::Survey;
use crate::wire::client::REPLY_TIMEOUT;
use crate::wire::view::{self, Epoch, Link};

/// How long nodes are waited for when one is known to be silent.
const SHORT_LOOK: Duration = Duration::from_secs(1);
/// Sentinel asks a replica for its priority every ten seconds (`SENTINEL_INFO_PERIOD`, sentinel.c).
const PRIORITY_HEARD: Duration = Duration::from_secs(15);
const PRIORITY_LOOK: Duration = Duration::from_millis(50);

/// Who does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Means {
    /// The nodes of a cluster, by an election or an order to the candidate.
    Cluster,
    /// The sentinels, by themselves or by an order to the one at this place.
    Sentinel(usize),
    /// The master, which changes places with the candidate (FAILOVER).
    Master,
    /// This program, in the part of a person: REPLICAOF to everybody.
    Hand,
}

/// Who plays which part. Nodes are known by their place in the cluster.
#[derive(Debug)]
pub(super) struct Roles {
    /// Who loses the role.
    pub(super) master: usize,
    /// Who is told to take over, or would be the best.
    pub(super) candidate: usize,
    /// Who could take over.
    pub(super) replicas: Vec<usize>,
    /// Whose agreement is needed.
    pub(super) heard: Vec<bool>,
    /// The epoch before; there is none in a set without sentinels.
    pub(super) epoch: Option<Epoch>,
    /// Whether every slot has a master, without which no node accepts writes and the cluster is not whole.
    pub(super) covered: bool,
    /// A key that the new master takes.
    pub(super) key: String,
    pub(super) scene: Scene,
    pub(super) means: Means,
    /// The priority of the candidate, for as long as Sentinel is to prefer it.
    pub(super) preferred: Option<Temporary>,
}

impl Cluster {
    /// Finds out who is who in the shard of a node, and refuses what cannot come about.
    pub(super) async fn failover_roles(&self, node: &str, mode: Mode) -> Result<Roles, Error> {
        let node = self.node(node)?;
        let place = self
            .nodes()
            .iter()
            .position(|other| other.name() == node.name());
        let place = place.unwrap_or_default();
        let silent = self.nodes().iter().any(|node| !is_up(node));
        let look = Deadline::after(if silent { SHORT_LOOK } else { REPLY_TIMEOUT });
        match self.record().options.topology {
            Topology::Cluster => self.shard_roles(place, mode, look).await,
            Topology::Replication | Topology::Sentinel => self.set_roles(place, mode, look).await,
            Topology::Standalone => Err(FailoverError::Unsupported(text![format!(
                "the servers of `{}` are independent of each other, so none can take over from another",
                self.name()
            )])
            .into()),
        }
    }

    async fn shard_roles(&self, place: usize, mode: Mode, look: Deadline) -> Result<Roles, Error> {
        let survey = self.survey(look).await;
        let members = members(self.nodes(), &survey);
        let shard = Shard::of(&survey, &members, place)?;
        shard.check(&survey, &members, mode)?;
        let candidates = self.candidates(&shard.replicas).await;
        let careful = !self.record().server.takeover_at_start();
        let candidate = shard.choose(&candidates, &members, mode, careful)?;
        let heard = self.nodes().iter().enumerate().map(|(place, node)| {
            let killed = mode == Mode::Crash && place == shard.master;
            !killed && survey.node(node.name()).is_some()
        });
        Ok(Roles {
            master: shard.master,
            candidate,
            replicas: shard.replicas.clone(),
            heard: heard.collect(),
            epoch: Some(shard.epoch),
            covered: survey.unowned().is_empty(),
            key: key_in(shard.slot),
            scene: Scene::Shard(
                Arc::new(shard),
                members.into_iter().map(|member| member.id).collect(),
            ),
            means: Means::Cluster,
            preferred: None,
        })
    }

    async fn set_roles(&self, place: usize, mode: Mode, look: Deadline) -> Result<Roles, Error> {
        if mode == Mode::Takeover {
            let force = Parameter::Mode.as_part(Mode::Force.to_string());
            return Err(FailoverError::Unsupported(text![
                "a take-over without votes is a cluster's; ",
                force,
                " does without the master here"
            ])
            .into());
        }
        let round = self.prober().round(look).await;
        let born: Vec<Born> = self.nodes().iter().map(born).collect();
        let set = Set::of(&round, &born, place)?;
        set.check(&round, &born, mode)?;
        self.set_failover_right(look).await?;
        let candidates = self.candidates(&set.replicas).await;
        let wanted = set.wanted.filter(|_| mode != Mode::Crash);
        let candidate = best(&candidates, wanted, mode != Mode::Force);
        let candidate = candidate.ok_or_else(|| FailoverError::LinkDown {
            replicas: names(self.nodes(), wanted.as_slice(), &set.replicas),
            mode,
        })?;
        let heard = round.iter().enumerate().map(|(place, one)| {
            let killed = mode == Mode::Crash && place == set.master;
            !killed && one.answers.is_ok()
        });
        let means = match (set.sentinel, mode) {
            (Some(sentinel), _) => Means::Sentinel(sentinel),
            (None, Mode::Graceful) if self.record().server.failover_command() => Means::Master,
            (None, _) => Means::Hand,
        };
        let preferred = match (means, wanted) {
            (Means::Sentinel(_), Some(wanted)) => self.prefer(&set, &round, wanted).await?,
            _ => None,
        };
        let options = &self.record().options;
        let asked = born.iter().map(|born| Questions::to(options, born.role));
        let asked = asked.collect();
        Ok(Roles {
            master: set.master,
            candidate,
            replicas: set.replicas.clone(),
            heard: heard.collect(),
            epoch: set.epoch,
            covered: true,
            key: any_key(),
            scene: Scene::Set(Arc::new(set), asked),
            means,
            preferred,
        })
    }

    /// How far the replicas at these places are, for a choice among them: who does not answer has no
    /// link and nothing.
    pub(super) async fn candidates(&self, replicas: &[usize]) -> Vec<Candidate> {
        let mut candidates = Vec::with_capacity(replicas.len());
        for place in replicas {
            let Some(node) = self.nodes().get(*place) else {
                continue;
            };
            let info = node.call(&["INFO", "replication"]).await.ok();
            let field = |name| view::info_field(info.as_ref()?, name);
            candidates.push(Candidate {
                node: *place,
                linked: info.as_ref().and_then(Link::in_info) == Some(Link::Up),
                offset: field("slave_repl_offset")
                    .and_then(|offset| offset.parse().ok())
                    .unwrap_or(0),
            });
        }
        candidates
    }

    /// Has Sentinel prefer a replica, and waits until the one that is to act knows.
    async fn prefer(
        &self,
        set: &Set,
        round: &[Observation],
        wanted: usize,
    ) -> Result<Option<Temporary>, Error> {
        let priority = set.priority_for(round, wanted)?;
        let (Some(node), Some(priority)) = (self.nodes().get(wanted), priority) else {
            return Ok(None);
        };
        let settings = &self.record().options.settings;
        let preferred = Temporary::take(node.endpoint(), &PREFERRED, settings, true).await?;
        let mut prober = self.prober();
        let mut rounds = Rounds::until(Deadline::after(PRIORITY_HEARD), PRIORITY_LOOK);
        loop {
            let round = prober.round(rounds.look(REPLY_TIMEOUT)).await;
            if set.priority_seen(&round, wanted) == Some(priority) {
                return Ok(Some(preferred));
            }
            if !rounds.next().await {
                return Err(FailoverError::Unsupported(text![format!(
                    "no sentinel has heard within {} that `{}` is to be preferred",
                    humantime::format_duration(PRIORITY_HEARD),
                    node.name()
                )])
                .into());
            }
        }
    }
}

/// Whether a node is worth waiting for.
pub(super) fn is_up(node: &Node) -> bool {
    node.may_answer() && !node.is_paused()
}

fn members(nodes: &[Node], survey: &Survey) -> Vec<KnownNode> {
    let member = |node: &Node| KnownNode {
        name: node.name().to_owned(),
        id: survey
            .node(node.name())
            .map(|line| line.id.clone())
            .or_else(|| node.id()),
        birth: node.plan().shard,
        paused: node.is_paused(),
    };
    nodes.iter().map(member).collect()
}

fn born(node: &Node) -> Born {
    Born {
        name: node.name().to_owned(),
        role: node.plan().role,
        paused: node.is_paused(),
    }
}

/// The names of the nodes at `wanted`, or at `all` if there are none.
fn names(nodes: &[Node], wanted: &[usize], all: &[usize]) -> Vec<String> {
    let places = if wanted.is_empty() { all } else { wanted };
    let nodes = places.iter().filter_map(|place| nodes.get(*place));
    nodes.map(|node| node.name().to_owned()).collect()
}

/// Whether the node holds data.
pub(super) fn has_data(node: &Node) -> bool {
    node.plan().role != Role::Sentinel
}
