//! The ladder of sentinels: what they say of the set that they watch.

use super::replication::SetTruth;
use super::{Rung, SentinelAnswers};
use crate::wire::view::{Link, WatchFlag, Watched};

/// What keeps a sentinel from rising above a rung.
pub(super) fn obstacle(
    truth: &SetTruth<'_>,
    rung: Rung,
    node: &str,
    answers: Option<&SentinelAnswers>,
) -> Option<String> {
    let Some(answers) = answers else {
        return Some("waiting for a master to watch".to_owned());
    };
    match rung {
        Rung::Listening => unformed(truth, node, answers),
        Rung::Formed => not_ok(truth, answers),
        Rung::Ok => unlinked(truth, answers),
        Rung::Replicas => not_shown(truth, answers),
        Rung::Ready => None,
    }
}

fn unformed(truth: &SetTruth<'_>, node: &str, answers: &SentinelAnswers) -> Option<String> {
    let (name, port) = match &truth.master {
        Ok(master) => *master,
        Err(why) => return Some(why.clone()),
    };
    let named = &answers.master.address;
    if named.port != port {
        let named = truth.name(named);
        return Some(format!(
            "waiting to hear that {name} is the master, not {named}"
        ));
    }
    let others: Vec<_> = truth
        .sentinels
        .iter()
        .copied()
        .filter(|(name, _)| *name != node)
        .collect();
    differing(truth, "replica", &truth.replicas, &answers.replicas)
        .or_else(|| differing(truth, "sentinel", &others, &answers.sentinels))
}

/// Who is not known, or known and not there.
fn differing(
    truth: &SetTruth<'_>,
    what: &str,
    there: &[(&str, u16)],
    known: &[Watched],
) -> Option<String> {
    let unknown = there
        .iter()
        .find(|(_, port)| !known.iter().any(|watched| watched.address.port == *port));
    if let Some((name, _)) = unknown {
        return Some(format!("waiting to hear of the {what} {name}"));
    }
    let stranger = known
        .iter()
        .find(|watched| !there.iter().any(|(_, port)| watched.address.port == *port))?;
    let name = truth.name(&stranger.address);
    Some(format!("waiting to forget {name}, which is not a {what}"))
}

fn not_ok(truth: &SetTruth<'_>, answers: &SentinelAnswers) -> Option<String> {
    let master = &answers.master;
    if master.has(WatchFlag::FailingOver) {
        return Some("waiting for a failover to end".to_owned());
    }
    not_reached(truth, master).or_else(|| {
        let why = answers.no_quorum.as_ref()?;
        Some(format!("waiting for a quorum: {why}"))
    })
}

fn unlinked(truth: &SetTruth<'_>, answers: &SentinelAnswers) -> Option<String> {
    let replica = answers
        .replicas
        .iter()
        .find(|replica| replica.link == Some(Link::Down))?;
    let name = truth.name(&replica.address);
    Some(format!(
        "waiting to hear that the link of {name} to its master is up"
    ))
}

fn not_shown(truth: &SetTruth<'_>, answers: &SentinelAnswers) -> Option<String> {
    let mut others = answers.replicas.iter().chain(&answers.sentinels);
    others.find_map(|other| not_reached(truth, other))
}

fn not_reached(truth: &SetTruth<'_>, watched: &Watched) -> Option<String> {
    let flag = watched.unreachable()?;
    let name = truth.name(&watched.address);
    Some(format!("waiting for the flag `{flag}` of {name} to go"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::replication::tests::{at, whole as data};
    use super::super::{Answers, Observation, Standing, common, judge};
    use super::*;
    use crate::plan::Topology;

    fn watched(port: u16, link: Option<Link>) -> Watched {
        Watched {
            address: at(port),
            flags: BTreeSet::new(),
            link,
            epoch: None,
            priority: None,
        }
    }

    /// The set of three, watched by `s1` and `s2` on the ports 4 and 5.
    fn whole() -> Vec<Observation> {
        let mut round = data();
        round.extend([("s1", 4, 5), ("s2", 5, 4)].map(|(node, port, other)| {
            let answers = SentinelAnswers {
                master: watched(1, None),
                replicas: vec![watched(2, Some(Link::Up)), watched(3, Some(Link::Up))],
                sentinels: vec![watched(other, None)],
                no_quorum: None,
            };
            Observation {
                node: node.to_owned(),
                port,
                answers: Ok(Answers::Sentinel(Some(answers))),
            }
        }));
        round
    }

    fn broken(breakage: impl FnOnce(&mut SentinelAnswers)) -> Vec<Standing> {
        let mut round = whole();
        if let Ok(Answers::Sentinel(Some(answers))) = &mut round[3].answers {
            breakage(answers);
        }
        judge(Topology::Sentinel, &round, None)
    }

    #[test]
    fn a_whole_set_is_ready() {
        let standings = judge(Topology::Sentinel, &whole(), None);
        assert_eq!(common(&standings), Some(Rung::Ready), "{standings:?}");
    }

    #[test]
    fn every_shortcoming_holds_the_sentinel_on_its_rung_and_is_named() {
        type Case = (fn(&mut SentinelAnswers), Rung, &'static str);
        let cases: [Case; 9] = [
            (
                |says| says.master.address.port = 2,
                Rung::Listening,
                "s1: waiting to hear that n1 is the master, not r1",
            ),
            (
                |says| drop(says.replicas.pop()),
                Rung::Listening,
                "s1: waiting to hear of the replica r1b",
            ),
            (
                |says| says.sentinels.clear(),
                Rung::Listening,
                "s1: waiting to hear of the sentinel s2",
            ),
            (
                |says| says.sentinels.push(watched(9, None)),
                Rung::Listening,
                "s1: waiting to forget 127.0.0.1:9, which is not a sentinel",
            ),
            (
                |says| says.no_quorum = Some("NOQUORUM 1 usable Sentinels".to_owned()),
                Rung::Formed,
                "s1: waiting for a quorum: NOQUORUM 1 usable Sentinels",
            ),
            (
                |says| says.master.flags.extend([WatchFlag::SubjectivelyDown]),
                Rung::Formed,
                "s1: waiting for the flag `s_down` of n1 to go",
            ),
            (
                |says| says.master.flags.extend([WatchFlag::FailingOver]),
                Rung::Formed,
                "s1: waiting for a failover to end",
            ),
            (
                |says| says.replicas[0].link = Some(Link::Down),
                Rung::Ok,
                "s1: waiting to hear that the link of r1 to its master is up",
            ),
            (
                |says| says.sentinels[0].flags.extend([WatchFlag::Disconnected]),
                Rung::Replicas,
                "s1: waiting for the flag `disconnected` of s2 to go",
            ),
        ];
        for (breakage, rung, words) in cases {
            let standings = broken(breakage);
            assert_eq!(common(&standings), Some(rung), "{words}");
            assert_eq!(standings[3].to_string(), words);
        }
        let standings = broken(|says| {
            says.replicas[1].flags.insert(WatchFlag::SubjectivelyDown);
        });
        assert_eq!(
            standings[3].to_string(),
            "s1: waiting for the flag `s_down` of r1b to go"
        );
    }

    #[test]
    fn a_sentinel_that_watches_nobody_is_only_listening() {
        let mut round = whole();
        round[4].answers = Ok(Answers::Sentinel(None));
        let standings = judge(Topology::Sentinel, &round, None);
        assert_eq!(
            standings[4].to_string(),
            "s2: waiting for a master to watch"
        );
    }
}
