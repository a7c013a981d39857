//! The ladder of a master and its replicas, without cluster mode.

use std::collections::BTreeMap;

use super::{Answers, Observation, Rung};
use crate::plan::Role;
use crate::wire::view::{HostPort, Link, Replication};

/// The index of the node that is the master: the one that says so, and if several do, the one whom
/// most nodes follow and most sentinels name.
pub fn present_master(round: &[Observation]) -> Option<usize> {
    let followed = |answers: &Answers| match answers {
        Answers::Server(says) => says.master.as_ref().map(|master| master.port),
        Answers::Sentinel(says) => says.as_ref().map(|says| says.master.address.port),
        Answers::Cluster(_) => None,
    };
    let followers = |port: u16| {
        let answers = round.iter().filter_map(|one| one.answers.as_ref().ok());
        answers
            .filter(|answers| followed(answers) == Some(port))
            .count()
    };
    let masters = round.iter().enumerate().filter(|(_, observation)| {
        let says = observation.answers.as_ref().ok();
        says.and_then(Answers::role) == Some(Role::Master)
    });
    // Of equals the first.
    masters
        .rev()
        .max_by_key(|(_, observation)| followers(observation.port))
        .map(|(index, _)| index)
}

/// The index of the node that is to stay, or to become, the master of a set in which an interrupted failover
/// has left several or none: of those that say they are it, the one that accepts writes and has most of the data
/// (a graceful failover promotes nobody before the old master `refuses` writes and the replica has all of it),
/// of equals the one with most replicas. If nobody is it, the replica that has most.
pub fn best_master(round: &[Observation], refuses: &[bool]) -> Option<usize> {
    let says = |one: &Observation| match &one.answers {
        Ok(Answers::Server(says)) => Some(says.clone()),
        _ => None,
    };
    let servers: Vec<_> = round
        .iter()
        .enumerate()
        .filter_map(|(place, one)| Some((place, says(one)?)))
        .collect();
    let rank = |(place, says): &&(usize, Replication)| {
        let accepts = refuses.get(*place) != Some(&true);
        (
            says.master.is_none(),
            accepts,
            says.offset,
            says.replicas.len(),
        )
    };
    // Of equals the first.
    let best = servers.iter().rev().max_by_key(rank);
    best.map(|(place, _)| *place)
}

/// What the nodes say of themselves: the measure for what they say of each other. Nodes name each
/// other by host and port, and may announce whatever host they like: the ports tell them apart.
pub(super) struct SetTruth<'a> {
    names: BTreeMap<u16, &'a str>,
    /// Everybody who says that it replicates somebody: name and port.
    pub(super) replicas: Vec<(&'a str, u16)>,
    /// Names and ports.
    pub(super) sentinels: Vec<(&'a str, u16)>,
    /// The one master, or why there is not one.
    pub(super) master: Result<(&'a str, u16), String>,
}

impl<'a> SetTruth<'a> {
    pub(super) fn of(round: &'a [Observation]) -> Self {
        let of_role = |role| {
            round
                .iter()
                .filter(move |observation| {
                    let says = observation.answers.as_ref().ok();
                    says.and_then(Answers::role) == Some(role)
                })
                .map(|observation| (observation.node.as_str(), observation.port))
                .collect::<Vec<_>>()
        };
        let master = match of_role(Role::Master).as_slice() {
            [one] => Ok(*one),
            [] => Err("waiting for a master; no node is one".to_owned()),
            [(first, _), (second, _), ..] => Err(format!(
                "waiting for one master; {first} and {second} are both one"
            )),
        };
        Self {
            names: round
                .iter()
                .map(|observation| (observation.port, observation.node.as_str()))
                .collect(),
            replicas: of_role(Role::Replica),
            sentinels: of_role(Role::Sentinel),
            master,
        }
    }

    /// A node's name, or the address of a stranger.
    pub(super) fn name(&self, address: &HostPort) -> String {
        match self.names.get(&address.port) {
            Some(name) => (*name).to_owned(),
            None => address.to_string(),
        }
    }

    /// What keeps a node with data from rising above a rung.
    pub(super) fn obstacle(&self, rung: Rung, node: &str, says: &Replication) -> Option<String> {
        match rung {
            Rung::Listening => self.unformed(says),
            Rung::Formed => self.unknown_replica(node, says),
            Rung::Ok => unlinked(says.link, &self.name(says.master.as_ref()?)),
            Rung::Replicas => self.offline_replica(says),
            Rung::Ready => None,
        }
    }

    fn unformed(&self, says: &Replication) -> Option<String> {
        let (name, port) = match &self.master {
            Ok(master) => *master,
            Err(why) => return Some(why.clone()),
        };
        let master = says.master.as_ref().filter(|master| master.port != port)?;
        let other = self.name(master);
        Some(format!(
            "waiting to replicate the master {name}, not {other}"
        ))
    }

    fn unknown_replica(&self, node: &str, says: &Replication) -> Option<String> {
        if self.master.as_ref().ok()?.0 != node {
            return None;
        }
        let known = |port| says.replicas.iter().any(|line| line.address.port == port);
        let (name, _) = self.replicas.iter().find(|(_, port)| !known(*port))?;
        Some(format!("waiting for the replica {name} to connect"))
    }

    fn offline_replica(&self, says: &Replication) -> Option<String> {
        let line = says.replicas.iter().find(|line| !line.is_online())?;
        let name = self.name(&line.address);
        Some(format!(
            "waiting for the sync of the replica {name}; its state is {}",
            line.state
        ))
    }
}

/// Of a replica of this master: whether its link is down, as it is until a full sync is done.
pub(super) fn unlinked(link: Option<Link>, master: &str) -> Option<String> {
    let link = link.filter(|link| *link != Link::Up)?;
    Some(format!(
        "waiting for the sync with the master {master}; master_link_status is {link}"
    ))
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::{Standing, common, judge};
    use super::*;
    use crate::plan::Topology;
    use crate::wire::view::ReplicaLine;

    pub(in crate::ladder) fn at(port: u16) -> HostPort {
        HostPort {
            host: "127.0.0.1".to_owned(),
            port,
        }
    }

    /// The master `n1` and its replicas `r1` and `r1b`, on the ports 1 to 3.
    pub(in crate::ladder) fn whole() -> Vec<Observation> {
        let line = |port| ReplicaLine {
            address: at(port),
            state: "online".to_owned(),
        };
        let master = Replication {
            master: None,
            link: None,
            replicas: vec![line(2), line(3)],
            offset: 100,
            failing_over: false,
        };
        let replica = Replication {
            master: Some(at(1)),
            link: Some(Link::Up),
            replicas: Vec::new(),
            offset: 100,
            failing_over: false,
        };
        [
            ("n1", 1, master),
            ("r1", 2, replica.clone()),
            ("r1b", 3, replica),
        ]
        .map(|(node, port, says)| Observation {
            node: node.to_owned(),
            port,
            answers: Ok(Answers::Server(says)),
        })
        .to_vec()
    }

    fn broken(node: usize, breakage: impl FnOnce(&mut Replication)) -> Vec<Standing> {
        let mut round = whole();
        if let Ok(Answers::Server(says)) = &mut round[node].answers {
            breakage(says);
        }
        judge(Topology::Replication, &round, None)
    }

    #[test]
    fn a_whole_set_is_ready() {
        let standings = judge(Topology::Replication, &whole(), None);
        assert_eq!(common(&standings), Some(Rung::Ready), "{standings:?}");
    }

    #[test]
    fn any_node_may_be_the_master() {
        let mut round = whole();
        round.swap(0, 1);
        for (observation, name) in round.iter_mut().zip(["n1", "r1"]) {
            name.clone_into(&mut observation.node);
        }
        let standings = judge(Topology::Replication, &round, None);
        assert_eq!(common(&standings), Some(Rung::Ready), "{standings:?}");
        let born = [Role::Master, Role::Replica, Role::Replica];
        let standings = judge(Topology::Replication, &round, Some(&born));
        assert_eq!(
            standings[2].to_string(),
            "r1b: waiting for n1 to become a master; it is a replica"
        );
    }

    #[test]
    fn of_two_masters_the_one_that_is_followed_counts() {
        let mut round = whole();
        if let Ok(Answers::Server(says)) = &mut round[1].answers {
            says.master = None;
        }
        assert_eq!(present_master(&round), Some(0));
        if let Ok(Answers::Server(says)) = &mut round[2].answers {
            says.master = Some(at(2));
        }
        assert_eq!(present_master(&round), Some(1));
        for observation in &mut round {
            observation.answers = Err("connection refused".to_owned());
        }
        assert_eq!(present_master(&round), None);
    }

    #[test]
    fn whoever_accepts_writes_and_has_most_stays_the_master() {
        let best = |claims: &[usize], offsets: [u64; 3], refuses: [bool; 3]| {
            let mut round = whole();
            for (place, observation) in round.iter_mut().enumerate() {
                if let Ok(Answers::Server(says)) = &mut observation.answers {
                    says.master = (!claims.contains(&place)).then(|| at(1));
                    says.offset = offsets[place];
                    says.replicas.clear();
                }
            }
            best_master(&round, &refuses)
        };
        let nobody_refuses = [false; 3];
        assert_eq!(best(&[0, 1], [100, 90, 120], nobody_refuses), Some(0));
        assert_eq!(best(&[0, 1], [100, 110, 120], nobody_refuses), Some(1));
        assert_eq!(best(&[0, 1], [100, 90, 120], [true, false, false]), Some(1));
        assert_eq!(best(&[0, 1], [100, 100, 100], nobody_refuses), Some(0));
        assert_eq!(best(&[], [90, 100, 100], nobody_refuses), Some(1));
        let mut silent = whole();
        for observation in &mut silent {
            observation.answers = Err("connection refused".to_owned());
        }
        assert_eq!(best_master(&silent, &nobody_refuses), None);
    }

    #[test]
    fn every_shortcoming_holds_the_node_on_its_rung_and_is_named() {
        type Case = (usize, fn(&mut Replication), Rung, &'static str);
        let cases: [Case; 6] = [
            (
                1,
                |says| says.master = None,
                Rung::Listening,
                "r1: waiting for one master; n1 and r1 are both one",
            ),
            (
                0,
                |says| says.master = Some(at(2)),
                Rung::Listening,
                "n1: waiting for a master; no node is one",
            ),
            (
                2,
                |says| says.master = Some(at(2)),
                Rung::Listening,
                "r1b: waiting to replicate the master n1, not r1",
            ),
            (
                0,
                |says| drop(says.replicas.pop()),
                Rung::Formed,
                "n1: waiting for the replica r1b to connect",
            ),
            (
                1,
                |says| says.link = Some(Link::Down),
                Rung::Ok,
                "r1: waiting for the sync with the master n1; master_link_status is down",
            ),
            (
                0,
                |says| says.replicas[0].state = "wait_bgsave".to_owned(),
                Rung::Replicas,
                "n1: waiting for the sync of the replica r1; its state is wait_bgsave",
            ),
        ];
        for (node, breakage, rung, words) in cases {
            let standings = broken(node, breakage);
            assert_eq!(common(&standings), Some(rung), "{words}");
            assert_eq!(standings[node].to_string(), words);
        }
    }

    #[test]
    fn servers_that_know_nothing_of_each_other_are_ready_when_they_answer() {
        let mut round = whole();
        let standings = judge(Topology::Standalone, &round[..1], None);
        assert_eq!(common(&standings), Some(Rung::Ready));
        round[1].answers = Err("connection refused".to_owned());
        let standings = judge(Topology::Standalone, &round, None);
        assert_eq!(common(&standings), None);
    }
}
