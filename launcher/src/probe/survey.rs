//! What each node of a cluster says of itself and of the others, side by side. Pure.
//!
//! Of a node's own slots only its own word counts: what the others say of it is gossip and lags
//! behind. `redis-cli --cluster` looks at clusters in the same way (`clusterManagerLoadInfoFromNode`,
//! redis-cli.c).

use crate::ladder::Observation;
use crate::wire::slots::{Slot, SlotRanges};
use crate::wire::view::{NodeId, NodeLine, unowned};

pub use crate::wire::view::Direction;

/// One node and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The node's name.
    pub node: String,
    /// Its CLUSTER NODES, in which one line is `myself`; or why there is none.
    pub says: Result<Vec<NodeLine>, String>,
}

impl Account {
    /// What the node says of itself.
    pub fn myself(&self) -> Option<&NodeLine> {
        let lines = self.says.as_ref().ok()?;
        lines.iter().find(|line| line.is_myself())
    }

    /// A node's account as it would write it.
    #[cfg(test)]
    pub(crate) fn written(node: &str, nodes: &str) -> Self {
        Self {
            node: node.to_owned(),
            says: Ok(crate::wire::view::node_lines(nodes).unwrap()),
        }
    }
}

/// A slot that a node says is on its way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenSlot {
    /// The slot.
    pub slot: Slot,
    /// The node that says so.
    pub node: String,
    /// Which way.
    pub direction: Direction,
    /// The id of the node at the other end.
    pub other: NodeId,
}

/// All accounts, in the order of the cluster's nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    accounts: Vec<Account>,
}

impl Survey {
    /// A survey of these accounts.
    pub fn new(accounts: Vec<Account>) -> Self {
        Self { accounts }
    }

    /// What the nodes of a round say. Who is not in cluster mode says nothing of others and is not in it.
    pub fn of_round(round: &[Observation]) -> Self {
        let account = |one: &Observation| {
            let says = match &one.answers {
                Ok(answers) => Ok(answers.of_cluster()?.nodes.clone()),
                Err(why) => Err(why.clone()),
            };
            let node = one.node.clone();
            Some(Account { node, says })
        };
        Self::new(round.iter().filter_map(account).collect())
    }

    /// The same, but for a node that has fallen silent since, with the reason.
    pub(crate) fn silence(&mut self, node: &str, why: String) {
        let mut accounts = self.accounts.iter_mut();
        if let Some(account) = accounts.find(|account| account.node == node) {
            account.says = Err(why);
        }
    }

    /// The accounts, silent nodes included.
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// One node's account; `None` if it was not asked.
    pub fn account(&self, node: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.node == node)
    }

    /// Why a node does not speak; `None` if it does, or was not asked.
    pub fn why_silent(&self, node: &str) -> Option<&str> {
        let says = &self.account(node)?.says;
        says.as_ref().err().map(String::as_str)
    }

    /// Each node that speaks, by name, with all that it says.
    pub fn told(&self) -> impl Iterator<Item = (&str, &[NodeLine])> {
        self.accounts
            .iter()
            .filter_map(|account| Some((account.node.as_str(), account.says.as_deref().ok()?)))
    }

    /// All that a node says; nothing, if it is silent or was not asked.
    pub fn told_by(&self, node: &str) -> &[NodeLine] {
        let account = self.account(node);
        account.map_or(&[], |account| account.says.as_deref().unwrap_or_default())
    }

    /// All that all nodes say, of themselves and of each other.
    pub fn lines(&self) -> impl Iterator<Item = &NodeLine> {
        self.told().flat_map(|(_, lines)| lines)
    }

    /// Each node that speaks, by name, with what it says of itself.
    pub fn selves(&self) -> impl Iterator<Item = (&str, &NodeLine)> {
        self.accounts
            .iter()
            .filter_map(|account| Some((account.node.as_str(), account.myself()?)))
    }

    /// Those that say they are masters.
    pub fn masters(&self) -> impl Iterator<Item = (&str, &NodeLine)> {
        self.selves().filter(|(_, line)| line.is_master())
    }

    /// Those that say they replicate the node of this id.
    pub fn replicas_of(&self, id: &NodeId) -> impl Iterator<Item = (&str, &NodeLine)> {
        self.selves().filter(move |(_, line)| line.replicates(id))
    }

    /// What a node says of itself; `None` if it is silent or unknown.
    pub fn node(&self, name: &str) -> Option<&NodeLine> {
        self.account(name)?.myself()
    }

    /// The same of one that says it is a master.
    pub fn master(&self, name: &str) -> Option<&NodeLine> {
        self.node(name).filter(|line| line.is_master())
    }

    /// The name of the master of a node, by its own word, if that one speaks; `None` of a master.
    pub fn master_of(&self, name: &str) -> Option<&str> {
        self.name_of(self.node(name)?.master.as_ref()?)
    }

    /// The name of the node with this id, if it speaks.
    pub fn name_of(&self, id: &NodeId) -> Option<&str> {
        self.selves()
            .find(|(_, line)| line.id == *id)
            .map(|(name, _)| name)
    }

    /// What a node says of the one with this id; `None` if it does not know it.
    pub fn told_of(&self, node: &str, id: &NodeId) -> Option<&NodeLine> {
        self.told_by(node).iter().find(|line| line.id == *id)
    }

    /// What the node with this id says of itself; if it is silent, what those say of it who have heard the
    /// latest.
    pub fn latest_of(&self, id: &NodeId) -> Option<&NodeLine> {
        let own = self.selves().map(|(_, line)| line);
        let mut own = own.filter(|line| line.id == *id);
        let of_others = || self.lines().filter(|line| line.id == *id);
        own.next()
            .or_else(|| of_others().max_by_key(|line| line.epoch))
    }

    /// The slots that a node gives to the one with this id.
    pub fn slots_told_of(&self, node: &str, id: &NodeId) -> SlotRanges {
        let line = self.told_of(node, id);
        line.map_or_else(SlotRanges::default, |line| line.slots.clone())
    }

    /// The names of the nodes that say that a slot is theirs: one, if all is well.
    pub fn owners(&self, slot: Slot) -> impl Iterator<Item = &str> {
        self.masters()
            .filter(move |(_, line)| line.slots.contains(slot))
            .map(|(name, _)| name)
    }

    /// The slots that have no master in the eyes of any node.
    pub fn unowned(&self) -> SlotRanges {
        unowned(self.lines())
    }

    /// The slots that are on their way, in slot order.
    pub fn open_slots(&self) -> Vec<OpenSlot> {
        let of_node = |(node, line): (&str, &NodeLine)| {
            let marks = line.open.iter().map(|mark| OpenSlot {
                slot: mark.slot,
                node: node.to_owned(),
                direction: mark.direction,
                other: mark.other.clone(),
            });
            marks.collect::<Vec<_>>()
        };
        let mut open: Vec<_> = self.selves().flat_map(of_node).collect();
        open.sort();
        open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survey() -> Survey {
        Survey::new(vec![
            Account::written(
                "n1",
                "aa 127.0.0.1:1@2 myself,master - 0 0 1 connected 0-99 [7->-bb]\n\
                 bb 127.0.0.1:3@4 master - 0 0 2 connected 50-60\n",
            ),
            Account::written(
                "n2",
                "bb 127.0.0.1:3@4 myself,master - 0 0 2 connected 100-16383 [7-<-aa]\n",
            ),
            Account::written("r1", "cc 127.0.0.1:5@6 myself,slave aa 0 0 1 connected\n"),
            Account {
                node: "r2".to_owned(),
                says: Err("it is silent".to_owned()),
            },
        ])
    }

    #[test]
    fn of_its_slots_a_node_alone_is_asked() {
        let survey = survey();
        let owners = |slot| survey.owners(Slot::new(slot).unwrap()).collect::<Vec<_>>();
        assert_eq!(owners(55), ["n1"]);
        assert_eq!(owners(100), ["n2"]);
    }

    #[test]
    fn nodes_are_found_by_role_and_by_id() {
        let survey = survey();
        let masters: Vec<_> = survey.masters().map(|(name, _)| name).collect();
        assert_eq!(masters, ["n1", "n2"]);
        let replicas: Vec<_> = survey
            .replicas_of(&"aa".into())
            .map(|(name, _)| name)
            .collect();
        assert_eq!(replicas, ["r1"]);
        assert_eq!(survey.name_of(&"cc".into()), Some("r1"));
        assert!(survey.node("r2").is_none());
    }

    #[test]
    fn open_slots_are_told_with_both_ends() {
        let open = survey().open_slots();
        let told: Vec<_> = open
            .iter()
            .map(|open| {
                format!(
                    "{} {} {} {}",
                    open.slot, open.node, open.direction, open.other
                )
            })
            .collect();
        assert_eq!(told, ["7 n1 migrating bb", "7 n2 importing aa"]);
    }
}
