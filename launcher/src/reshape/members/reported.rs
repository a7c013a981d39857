//! What can be seen of a change from the nodes' answers. Pure.

use super::goal::Attach;
use super::roster::has_ports;
use crate::ladder::{ClusterAnswers, Observation};
use crate::probe::survey::Survey;
use crate::wire::view::{Link, NodeId, NodeLine};

/// Whether `node` knows the node with this id, and talks to it.
pub(super) fn is_linked(survey: &Survey, node: &str, id: &NodeId) -> bool {
    survey
        .told_of(node, id)
        .is_some_and(|line| line.connected && line.is_met())
}

/// Whether `node` is in the midst of getting to know somebody, if only once more.
pub(super) fn shakes_hands(survey: &Survey, node: &str) -> bool {
    let mut lines = survey.told_by(node).iter();
    lines.any(NodeLine::shakes_hands)
}

/// The first pair that is not yet what it is to be, with what is missing. Nodes that are silent are
/// not asked, but for the replica itself.
pub(super) fn unattached<'a>(
    round: &[Observation],
    pairs: &'a [Attach],
) -> Option<(&'a Attach, String)> {
    pairs
        .iter()
        .find_map(|pair| Some((pair, missing(round, pair)?)))
}

fn missing(round: &[Observation], pair: &Attach) -> Option<String> {
    let (Some(replica), Some(master)) =
        (answers(round, &pair.replica), answers(round, &pair.master))
    else {
        return Some("one of them does not answer".to_owned());
    };
    let (Some(replica_line), Some(master_line)) = (replica.myself(), master.myself()) else {
        return Some("one of them does not tell who it is".to_owned());
    };
    if !replica_line.replicates(&master_line.id) {
        return Some(format!("`{}` does not say so yet", pair.replica));
    }
    if replica.link != Some(Link::Up) {
        return Some(format!("master_link_status:{}", Link::Down));
    }
    round.iter().find_map(|observation| {
        let answers = observation.answers.as_ref().ok()?.of_cluster()?;
        let line = answers.nodes.iter().find(|line| line.id == replica_line.id);
        if line.is_none_or(|line| !line.replicates(&master_line.id)) {
            return Some(format!("`{}` does not know it yet", observation.node));
        }
        let hidden = answers
            .slots
            .iter()
            .any(|line| line.master == master_line.id && !line.replicas.contains(&replica_line.id));
        hidden.then(|| {
            format!(
                "CLUSTER SLOTS of `{}` does not show it yet",
                observation.node
            )
        })
    })
}

fn answers<'a>(round: &'a [Observation], node: &str) -> Option<&'a ClusterAnswers> {
    let mut round = round.iter();
    let of_node = round.find(|observation| observation.node == node)?;
    of_node.answers.as_ref().ok()?.of_cluster()
}

/// The first of these nodes that is a master with slots by its own word, with how many.
pub(super) fn owning<'a>(survey: &Survey, nodes: &'a [String]) -> Option<(&'a str, usize)> {
    nodes.iter().find_map(|node| {
        let slots = usize::from(survey.master(node)?.slots.count());
        (slots > 0).then_some((node.as_str(), slots))
    })
}

/// Whether `node` knows one of the other nodes. If it does not, somebody else's server may listen at
/// its address by now.
pub(super) fn belongs(survey: &Survey, node: &str) -> bool {
    let mut others = survey.selves().filter(|(name, _)| *name != node);
    others.any(|(_, line)| survey.told_of(node, &line.id).is_some())
}

/// The first node, of those that stay, that still knows one of those that leave: by its id, or as a
/// handshake with its address.
pub(super) fn remembering<'a>(survey: &'a Survey, leavers: &[Leaver]) -> Vec<(&'a str, NodeId)> {
    let stays = |node: &str| leavers.iter().all(|leaver| leaver.name != node);
    survey
        .told()
        .filter(|(node, _)| stays(node))
        .flat_map(|(node, lines)| {
            lines
                .iter()
                .filter(|line| leavers.iter().any(|leaver| leaver.is(line)))
                .map(move |line| (node, line.id.clone()))
        })
        .collect()
}

/// The first node, of those that stay, that does not answer.
pub(super) fn silent<'a>(survey: &'a Survey, leavers: &[Leaver]) -> Option<&'a str> {
    let stays = |node: &str| leavers.iter().all(|leaver| leaver.name != node);
    let mut accounts = survey.accounts().iter();
    let silent = accounts.find(|account| account.says.is_err() && stays(&account.node));
    silent.map(|account| account.node.as_str())
}

/// A node that is to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaver {
    /// Its name.
    pub(super) name: String,
    /// Its id, if it or somebody else knows it.
    pub(super) id: Option<NodeId>,
    pub(super) port: u16,
    pub(super) bus_port: Option<u16>,
}

impl Leaver {
    fn is(&self, line: &NodeLine) -> bool {
        self.id.as_ref() == Some(&line.id) || has_ports(line, self.port, self.bus_port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::survey::Account;

    fn survey() -> Survey {
        let line = |id: char, port: u16, more: &str| format!("{id} h:{port}@1{port} {more}\n");
        let first = line('a', 1, "master - 0 0 1 connected 0-9");
        Survey::new(vec![
            Account::written("n1", &first.replace("master", "myself,master")),
            Account::written(
                "r1",
                &(first + &line('b', 2, "myself,slave a 0 0 1 connected")),
            ),
            Account::written("n2", &line('c', 3, "myself,master - 0 0 0 connected")),
        ])
    }

    #[test]
    fn only_a_master_with_slots_owns_some() {
        let owning = |nodes: &[&str]| {
            let nodes: Vec<_> = nodes.iter().map(|node| (*node).to_owned()).collect();
            owning(&survey(), &nodes).map(|(node, slots)| (node.to_owned(), slots))
        };
        assert_eq!(owning(&["r1", "n2", "n9"]), None);
        assert_eq!(owning(&["r1", "n1"]), Some(("n1".to_owned(), 10)));
    }

    #[test]
    fn a_server_that_knows_none_of_the_others_does_not_belong_to_them() {
        let survey = survey();
        assert!(belongs(&survey, "r1"));
        assert!(!belongs(&survey, "n2"), "it knows only itself");
        assert!(!belongs(&survey, "n9"), "it is silent");
    }
}
