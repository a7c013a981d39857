//! One picture of the cluster: of each node what it says, what others say of it if it is silent, and what it
//! will be once it is started.

use std::time::Duration;

use super::Cluster;
use crate::ladder::{Observation, Rung, Standing, present_master};
use crate::machine::wait::Deadline;
use crate::node::Node;
use crate::plan::Role;
use crate::probe::survey::Survey;
use crate::state::Stage;
use crate::wire::client::REPLY_TIMEOUT;
use crate::wire::view::{Address, NodeId, NodeLine, Vitals};

/// How long nodes are waited for where one is known not to answer.
const WITHOUT_ALL: Duration = Duration::from_secs(1);

/// Who is who at one moment.
#[derive(Debug)]
pub struct Picture {
    /// In the order of [`Cluster::nodes`].
    pub nodes: Vec<Seen>,
    /// The nodes that others have added to the cluster.
    pub strangers: Vec<Stranger>,
    /// The URL that a client starts with: the master's where there is one.
    pub url: String,
}

/// One node as it is seen.
#[derive(Debug)]
pub struct Seen {
    /// What it is, or will be.
    pub role: Role,
    /// The name of the master that it copies, or will copy.
    pub master: Option<String>,
    /// Its line of CLUSTER NODES, as it says, as others say, or as it will say.
    pub line: Option<NodeLine>,
    /// Its links on the cluster bus; `None` if it does not tell.
    pub bus: Option<BusLinks>,
    /// Where it stands.
    pub standing: Standing,
    /// How it fares, if it tells.
    pub vitals: Option<Vitals>,
}

/// A node's links to the other nodes that it knows.
#[derive(Debug, Clone, Copy)]
pub struct BusLinks {
    /// How many are up.
    pub connected: usize,
    /// How many other nodes it knows.
    pub known: usize,
}

/// A node that is known to the cluster's nodes and not to its record, as the first node that knows it tells.
#[derive(Debug, Clone)]
pub struct Stranger {
    /// Its id.
    pub id: NodeId,
    /// Where it is.
    pub address: Address,
    /// Whether that node talks to it.
    pub connected: bool,
}

impl Cluster {
    /// Asks every node once, all at the same time, each on one connection. `patience` is how long a node may
    /// take to answer.
    pub async fn picture(&self, patience: Duration) -> Picture {
        let usual = if self.nodes.iter().any(Node::is_paused) {
            WITHOUT_ALL
        } else {
            REPLY_TIMEOUT
        };
        let mut prober = self.prober();
        let deadline = Deadline::after(usual.min(patience));
        let signs = async {
            let profile = self.record.profile.as_deref()?;
            Some(self.signs(profile, Rung::Ready, deadline).await)
        };
        let ((round, vitals), signs) =
            tokio::join!(prober.round_with_vitals(deadline), Box::pin(signs));
        let survey = Survey::of_round(&round);
        let present = present_master(&round).and_then(|place| self.nodes.get(place));
        let lines: Vec<_> = (self.nodes.iter())
            .map(|node| line_of(node, &survey))
            .collect();
        let who = Who {
            cluster: self,
            lines: &lines,
            // Without cluster mode a silent node is what `start` would make of it.
            to_be: (self.remembered_master())
                .map(|remembered| present.unwrap_or(remembered).name()),
        };
        let standings = signs.unwrap_or_else(|| prober.judge(&round));
        let told = round.iter().zip(standings).zip(vitals);
        let nodes = self.nodes.iter().zip(&lines).zip(told);
        let seen = nodes.map(|((node, line), ((observation, standing), vitals))| {
            let (role, master) = who.plays(node, line.as_ref(), observation);
            Seen {
                role,
                master,
                line: line.clone(),
                bus: bus(observation),
                standing,
                vitals,
            }
        });
        Picture {
            nodes: seen.collect(),
            strangers: self.strangers(&survey),
            url: match present.filter(|_| self.record.options.topology.has_one_master()) {
                Some(master) => self.url_of(master),
                None => self.url(),
            },
        }
    }

    /// What stands at the ports of one of ours is what that node was before.
    fn strangers(&self, survey: &Survey) -> Vec<Stranger> {
        let is_ours = |line: &NodeLine| {
            let mut nodes = self.nodes.iter();
            let port = line.address.port();
            survey.name_of(&line.id).is_some() || nodes.any(|node| Some(node.plan().port) == port)
        };
        let mut found: Vec<Stranger> = Vec::new();
        for line in survey.lines().filter(|line| line.is_met()) {
            if !is_ours(line) && found.iter().all(|other| other.id != line.id) {
                found.push(Stranger {
                    id: line.id.clone(),
                    address: line.address.clone(),
                    connected: line.connected,
                });
            }
        }
        found
    }
}

/// By what it is known who plays which part.
struct Who<'a> {
    cluster: &'a Cluster,
    /// One for each node.
    lines: &'a [Option<NodeLine>],
    /// The master of a set without cluster mode.
    to_be: Option<&'a str>,
}

impl Who<'_> {
    /// What a node is, and the name of its master.
    fn plays(
        &self,
        node: &Node,
        line: Option<&NodeLine>,
        observation: &Observation,
    ) -> (Role, Option<String>) {
        let answers = observation.answers.as_ref().ok();
        if let Some(line) = line {
            let master = line.master.as_ref().and_then(|id| self.name_of(id));
            let role = if line.master.is_some() {
                Role::Replica
            } else {
                Role::Master
            };
            return (role, master.or_else(|| joins(node.stage())));
        }
        let plan = node.plan();
        if let Some(answers) = answers {
            let master = answers.replicates().and_then(|at| self.name_at(at.port));
            let role = answers.role().unwrap_or(plan.role);
            return (role, master.or_else(|| joins(node.stage())));
        }
        match self.to_be.filter(|_| plan.role != Role::Sentinel) {
            Some(master) if master == node.name() => (Role::Master, joins(node.stage())),
            Some(master) => (Role::Replica, Some(master.to_owned())),
            None => (plan.role, joins(node.stage())),
        }
    }

    fn name_of(&self, id: &NodeId) -> Option<String> {
        let mut nodes = self.cluster.nodes.iter().zip(self.lines);
        let (node, _) = nodes.find(|(_, line)| line.as_ref().is_some_and(|line| line.id == *id))?;
        Some(node.name().to_owned())
    }

    fn name_at(&self, port: u16) -> Option<String> {
        let mut nodes = self.cluster.nodes.iter();
        let node = nodes.find(|node| node.plan().port == port)?;
        Some(node.name().to_owned())
    }
}

/// What a node says of itself; if it is silent, what the others say of it; if there are none, what it will say
/// when it is started.
fn line_of(node: &Node, survey: &Survey) -> Option<NodeLine> {
    if let Some(own) = survey.node(node.name()) {
        return Some(own.clone());
    }
    // Who speaks and has no line is not in cluster mode.
    survey.why_silent(node.name())?;
    let remembered = node.remembered();
    let is_it = |line: &&NodeLine| match &remembered {
        Some(own) => own.id == line.id,
        None => line.address.port() == Some(node.plan().port),
    };
    let newest = survey.lines().filter(is_it).max_by_key(|line| line.epoch);
    newest.cloned().or(remembered)
}

fn bus(observation: &Observation) -> Option<BusLinks> {
    let lines = &observation.answers.as_ref().ok()?.of_cluster()?.nodes;
    let others = || lines.iter().filter(|line| !line.is_myself());
    Some(BusLinks {
        connected: others().filter(|line| line.connected).count(),
        known: others().count(),
    })
}

/// The master that a node is to copy as soon as it has joined.
fn joins(stage: &Stage) -> Option<String> {
    match stage {
        Stage::Joining { replica_of } => replica_of.clone(),
        Stage::Member | Stage::Leaving => None,
    }
}
