//! Nodes that the nodes of a cluster know and the record does not: others have added them.

use serde::Serialize;
use shardlab::Cluster;
use shardlab::ladder::{Answers, Observation};
use shardlab::wire::view::{NodeId, NodeLine};

/// One of them, as the first node that knows it tells.
#[derive(Debug, Serialize)]
pub(super) struct Stranger {
    id: NodeId,
    /// Where it listens for clients.
    pub(super) address: String,
    /// Whether that node talks to it.
    pub(super) connected: bool,
}

/// All of them. What stands at the ports of one of ours is what that node was before.
pub(super) fn strangers(cluster: &Cluster, round: &[Observation]) -> Vec<Stranger> {
    let answers = || {
        let answers = round.iter().filter_map(|one| one.answers.as_ref().ok());
        answers.filter_map(|answers| match answers {
            Answers::Cluster(answers) => Some(answers),
            _ => None,
        })
    };
    let is_ours = |line: &NodeLine| {
        let speaks = answers().any(|one| one.myself().is_some_and(|own| own.id == line.id));
        let nodes = cluster.nodes().iter();
        let mut ports = nodes.map(|node| node.plan().port);
        speaks || ports.any(|port| line.address.port() == Some(port))
    };
    let mut found: Vec<Stranger> = Vec::new();
    for line in answers().flat_map(|answers| &answers.nodes) {
        if line.is_met() && !is_ours(line) && found.iter().all(|other| other.id != line.id) {
            let address = line.address.client();
            found.push(Stranger {
                id: line.id.clone(),
                address: address.to_owned(),
                connected: line.connected,
            });
        }
    }
    found
}
