//! Who is who at this moment: the record and what the nodes say, in one list. Pure.

use crate::plan::Role;
use crate::probe::survey::Survey;
use crate::state::{NodeRecord, Stage};
use crate::wire::view::{NodeId, NodeLine};

/// One node as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    /// Its name.
    pub(crate) name: String,
    /// The shard that it was born into.
    pub(crate) shard: usize,
    /// What it is now, or is to be as soon as it has joined.
    pub(crate) part: Part,
    /// How many slots it owns.
    pub(crate) slots: usize,
    /// Its id, as far as anybody knows it.
    pub(crate) id: Option<NodeId>,
    /// Whether it answers, and if not, why.
    pub(crate) silent: Option<String>,
    /// Whether it is coming or going.
    pub(crate) stage: Stage,
}

/// Master or replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// A master, with slots or without.
    Master,
    /// A replica of the node of this name; of a node that is not ours if there is none.
    Replica(Option<String>),
}

impl Member {
    /// Whether it is a master and stays one.
    pub(crate) fn is_lasting_master(&self) -> bool {
        self.part == Part::Master && self.stage != Stage::Leaving
    }

    /// Whether it copies the node of this name.
    pub(crate) fn copies(&self, master: &str) -> bool {
        matches!(&self.part, Part::Replica(Some(of)) if of == master)
    }
}

/// All nodes of a record, each with what it says of itself or, if it is silent, what others say.
pub(crate) fn roster(nodes: &[NodeRecord], survey: &Survey) -> Vec<Member> {
    nodes
        .iter()
        .map(|node| {
            let plan = &node.plan;
            let silent = match survey.account(&plan.name) {
                Some(_) => survey.why_silent(&plan.name),
                None => Some("it was not asked"),
            };
            let line = survey
                .node(&plan.name)
                .or_else(|| hearsay(survey, plan.port, plan.bus_port));
            Member {
                name: plan.name.clone(),
                shard: plan.shard,
                part: part(node, line, nodes, survey),
                slots: line.map_or(0, |line| usize::from(line.slots.count())),
                id: line.map(|line| line.id.clone()),
                silent: silent.map(ToOwned::to_owned),
                stage: node.stage.clone(),
            }
        })
        .collect()
}

fn part(node: &NodeRecord, line: Option<&NodeLine>, nodes: &[NodeRecord], survey: &Survey) -> Part {
    // A replica of whom a master was lost is told by its id alone; then its address tells.
    let name_of = |id: &NodeId| {
        survey.name_of(id).map(ToOwned::to_owned).or_else(|| {
            nodes
                .iter()
                .find(|node| {
                    hearsay(survey, node.plan.port, node.plan.bus_port)
                        .is_some_and(|line| line.id == *id)
                })
                .map(|node| node.plan.name.clone())
        })
    };
    match (&node.stage, line.map(|line| line.master.as_ref())) {
        // What it is to be, until it is.
        (
            Stage::Joining {
                replica_of: Some(master),
            },
            _,
        ) => Part::Replica(Some(master.clone())),
        (_, Some(Some(id))) => Part::Replica(name_of(id)),
        (_, Some(None)) => Part::Master,
        (_, None) if node.plan.role == Role::Master => Part::Master,
        (_, None) => Part::Replica(None),
    }
}

/// What others say of the node with these ports.
fn hearsay(survey: &Survey, port: u16, bus_port: Option<u16>) -> Option<&NodeLine> {
    survey
        .lines()
        .find(|line| !line.shakes_hands() && has_ports(line, port, bus_port))
}

/// Whether a line is about a node with these ports.
pub(crate) fn has_ports(line: &NodeLine, port: u16, bus_port: Option<u16>) -> bool {
    let address = &line.address;
    address.port() == Some(port) && bus_port.is_some() && address.bus_port() == bus_port
}

/// How many replicas each lasting master has, in the order of the nodes.
pub(crate) fn shape(roster: &[Member]) -> Vec<usize> {
    roster
        .iter()
        .filter(|member| member.is_lasting_master())
        .map(|master| {
            let copies = |member: &&Member| member.copies(&master.name);
            roster
                .iter()
                .filter(|member| member.stage != Stage::Leaving)
                .filter(copies)
                .count()
        })
        .collect()
}
