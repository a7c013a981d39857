//! Finding a node by what users call it.

use super::Cluster;
use crate::error::Error;
use crate::node::{Node, NodeError, is_id_prefix};
use crate::wire::view::NodeId;

impl Cluster {
    /// The node of this name (`n1`) or client port (`7001`), or whose id begins so, with four digits
    /// at the least. A name or a port counts before an id.
    ///
    /// # Errors
    /// [`Error::NoNode`], which lists the names; [`NodeError::Ambiguous`], if several ids begin so.
    pub fn node(&self, wanted: &str) -> Result<&Node, Error> {
        let port = wanted.parse::<u16>().ok();
        let named = self
            .nodes
            .iter()
            .find(|node| node.name() == wanted || port == Some(node.plan().port));
        match named {
            Some(node) => Ok(node),
            None => self.node_by_id(wanted),
        }
    }

    /// The nodes of these names, ports or ids, each once; all nodes if there is no name.
    ///
    /// # Errors
    /// As [`Cluster::node`].
    pub(crate) fn chosen<N: AsRef<str>>(&self, names: &[N]) -> Result<Vec<&Node>, Error> {
        if names.is_empty() {
            return Ok(self.nodes.iter().collect());
        }
        let mut chosen: Vec<&Node> = Vec::with_capacity(names.len());
        for name in names {
            let node = self.node(name.as_ref())?;
            if chosen.iter().all(|other| other.name() != node.name()) {
                chosen.push(node);
            }
        }
        Ok(chosen)
    }

    /// The names of the nodes of ours among these, all of ours if there is no name.
    ///
    /// # Errors
    /// As [`Cluster::node`]; a node that is named was not started by us; the server of one cannot be
    /// seen from here.
    pub(crate) fn chosen_of_ours(&self, names: &[String]) -> Result<Vec<String>, Error> {
        let mut chosen = self.chosen(names)?;
        if names.is_empty() {
            chosen.retain(|node| node.is_ours());
        }
        for node in &chosen {
            node.refuse_foreign()?;
            node.refuse_unseen()?;
        }
        Ok(chosen
            .into_iter()
            .map(|node| node.name().to_owned())
            .collect())
    }

    fn node_by_id(&self, wanted: &str) -> Result<&Node, Error> {
        // Ids are on disk: they are read only for a word that can be one.
        let matches: Vec<(&Node, NodeId)> = if is_id_prefix(wanted) {
            let ids = self
                .nodes
                .iter()
                .filter_map(|node| Some((node, node.id()?)));
            ids.filter(|(_, id)| id.starts_with(wanted)).collect()
        } else {
            Vec::new()
        };
        match matches.as_slice() {
            [(node, _)] => Ok(node),
            [] => Err(Error::NoNode {
                cluster: self.record.name.clone(),
                node: wanted.to_owned(),
                nodes: self
                    .nodes
                    .iter()
                    .map(Node::name)
                    .collect::<Vec<_>>()
                    .join(", "),
            }),
            several => {
                let nodes: Vec<_> = several
                    .iter()
                    .map(|(node, id)| format!("`{}` {id}", node.name()))
                    .collect();
                Err(Error::from(NodeError::Ambiguous {
                    cluster: self.record.name.clone(),
                    prefix: wanted.to_owned(),
                    nodes: nodes.join(", "),
                }))
            }
        }
    }
}
