//! What a node says of itself and of the others. Pure.

use std::collections::BTreeMap;

use shardlab::wire::resp::Frame;
use shardlab::wire::view::{self, ClusterState, Link, NodeId, NodeLine};

use crate::transcript::ast::NodeName;

/// Names of settings and their values.
pub(super) type Settings = BTreeMap<String, String>;

/// Settings that follow from the role of a node.
const OF_THE_ROLE: [&str; 2] = ["replicaof", "slaveof"];

/// What one node says.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) lines: Vec<NodeLine>,
    pub(super) state: Option<ClusterState>,
    pub(super) link: Option<Link>,
    /// Replicas to which it has sent everything.
    pub(super) online: usize,
    /// None where the user may not ask for them.
    pub(super) settings: Option<Settings>,
}

impl View {
    /// From CLUSTER NODES, CLUSTER INFO, INFO replication and CONFIG GET.
    pub(super) fn of(replies: &[Frame]) -> Option<Self> {
        let [nodes, info, replication, settings] = replies else {
            return None;
        };
        let replication = view::replication(replication)?;
        let online = replication.replicas.iter();
        Some(Self {
            lines: view::nodes(nodes)?,
            state: ClusterState::in_info(info),
            link: replication.link,
            online: online.filter(|replica| replica.is_online()).count(),
            settings: read_settings(settings),
        })
    }

    pub(super) fn own(&self) -> Option<&NodeLine> {
        self.lines.iter().find(|line| line.is_myself())
    }

    pub(super) fn of_node(&self, id: &NodeId) -> Option<&NodeLine> {
        self.lines.iter().find(|line| line.id == *id)
    }
}

fn read_settings(reply: &Frame) -> Option<Settings> {
    let text = |frame: &Frame| Some(String::from_utf8_lossy(frame.as_text()?).into_owned());
    let pairs = reply.as_array()?.chunks(2);
    let pairs = pairs.filter_map(|pair| Some((text(pair.first()?)?, text(pair.get(1)?)?)));
    Some(
        pairs
            .filter(|(name, _)| !OF_THE_ROLE.contains(&name.as_str()))
            .collect(),
    )
}

/// What each node says, or why it says nothing.
pub(super) type Views = BTreeMap<NodeName, Result<View, String>>;
