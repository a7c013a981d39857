//! Tests of who is who around a master without cluster mode, and of failovers that are refused.

use super::*;
use crate::wire::view::{HostPort, Link, Replication, Watched};

/// n1 with r1 and r1b on the ports 1 to 3, watched by s1 and s2 on 4 and 5.
const NAMES: [&str; 5] = ["n1", "r1", "r1b", "s1", "s2"];

fn at(port: u16) -> HostPort {
    HostPort {
        host: "127.0.0.1".to_owned(),
        port,
    }
}

fn server(master: Option<u16>) -> Answers {
    Answers::Server(Replication {
        master: master.map(at),
        link: master.map(|_| Link::Up),
        replicas: Vec::new(),
        offset: 0,
        failing_over: false,
    })
}

fn watched(port: u16, flags: &[WatchFlag]) -> Watched {
    Watched {
        address: at(port),
        flags: flags.iter().copied().collect(),
        link: None,
        epoch: Some(Epoch(7)),
        priority: Some(100),
    }
}

fn sentinel(master: u16, flags: &[WatchFlag]) -> Answers {
    Answers::Sentinel(Some(SentinelAnswers {
        master: watched(master, flags),
        replicas: vec![watched(2, &[]), watched(3, &[])],
        sentinels: Vec::new(),
        no_quorum: None,
    }))
}

/// What all say, but for those who are silent.
fn round(silent: &[&str]) -> Vec<Observation> {
    let says = [
        server(None),
        server(Some(1)),
        server(Some(1)),
        sentinel(1, &[]),
        sentinel(1, &[]),
    ];
    let all = NAMES.into_iter().zip(1..).zip(says);
    all.map(|((name, port), says)| Observation {
        node: name.to_owned(),
        port,
        answers: if silent.contains(&name) {
            Err("it is silent".to_owned())
        } else {
            Ok(says)
        },
    })
    .collect()
}

fn born() -> Vec<Born> {
    let roles = [
        Role::Master,
        Role::Replica,
        Role::Replica,
        Role::Sentinel,
        Role::Sentinel,
    ];
    let all = NAMES.into_iter().zip(roles);
    all.map(|(name, role)| Born {
        name: name.to_owned(),
        role,
        paused: false,
    })
    .collect()
}

fn place(name: &str) -> usize {
    NAMES.iter().position(|other| *other == name).unwrap()
}

fn refusal(round: &[Observation], node: &str, mode: Mode) -> Option<String> {
    let born = born();
    let set = Set::of(round, &born, place(node));
    let checked = set.and_then(|set| set.check(round, &born, mode));
    checked.err().map(|error| error.to_string())
}

#[test]
fn any_node_with_data_names_the_set_and_a_dead_master_is_known_by_its_replicas() {
    for (node, silent, wanted) in [
        ("n1", vec![], None),
        ("r1b", vec![], Some(2)),
        ("n1", vec!["n1"], None),
        ("r1", vec!["n1", "s1", "s2"], Some(1)),
    ] {
        let set = Set::of(&round(&silent), &born(), place(node)).unwrap();
        assert_eq!(set.master, 0, "{node} {silent:?}");
        assert_eq!(set.master_speaks, !silent.contains(&"n1"));
        assert_eq!(set.replicas, [1, 2]);
        assert_eq!(set.wanted, wanted);
    }
    let watched = Set::of(&round(&["s1"]), &born(), 0).unwrap();
    assert_eq!((watched.sentinel, watched.epoch), (Some(4), Some(Epoch(7))));
    let alone = Set::of(&round(&["s1", "s2"]), &born(), 0).unwrap();
    assert_eq!((alone.sentinel, alone.epoch), (None, None));
}

#[test]
fn what_cannot_come_about_is_refused() {
    for (node, silent, mode, said) in [
        ("n1", vec![], Mode::Graceful, None),
        ("r1", vec![], Mode::Crash, None),
        ("r1", vec!["n1"], Mode::Force, None),
        (
            "r1",
            vec!["n1"],
            Mode::Graceful,
            Some("the master `n1` does not answer, and a graceful failover needs it"),
        ),
        (
            "n1",
            vec!["n1"],
            Mode::Crash,
            Some("the master `n1` does not answer, and a crash failover needs it"),
        ),
        (
            "r1",
            vec!["r1"],
            Mode::Graceful,
            Some("`r1` does not answer and cannot take over"),
        ),
        (
            "r1",
            vec!["r1"],
            Mode::Crash,
            Some("the shard of `r1` has already failed over to `n1`"),
        ),
        (
            "n1",
            vec!["r1", "r1b"],
            Mode::Force,
            Some("no replica of `n1` answers: `r1`, `r1b` might be one"),
        ),
        (
            "n1",
            vec!["s1", "s2"],
            Mode::Graceful,
            Some("no sentinel answers that watches `n1`, the master"),
        ),
        (
            "s1",
            vec![],
            Mode::Graceful,
            Some("`s1` is a sentinel, so it has nothing to fail over"),
        ),
    ] {
        let refused = refusal(&round(&silent), node, mode);
        assert_eq!(refused.as_deref(), said, "{node} {silent:?} {mode}");
    }
}

#[test]
fn two_masters_and_a_lost_quorum_are_told() {
    let mut split = round(&[]);
    split[1].answers = Ok(server(None));
    assert_eq!(
        refusal(&split, "n1", Mode::Graceful).as_deref(),
        Some("`n1` and `r1` are both masters")
    );
    let mut few = round(&[]);
    if let Ok(Answers::Sentinel(Some(says))) = &mut few[4].answers {
        says.no_quorum = Some("NOQUORUM 1 usable".to_owned());
    }
    assert_eq!(
        refusal(&few, "n1", Mode::Crash).as_deref(),
        Some("the sentinels would not replace a dead master: `s2` says NOQUORUM 1 usable")
    );
    assert_eq!(refusal(&few, "n1", Mode::Force), None);
}

/// CKQUORUM counts a dead sentinel until its down-after is over; who asks at once must not wait for
/// a failover that nobody leads.
#[test]
fn sentinels_that_are_no_majority_are_told_before_the_master_dies() {
    let few = round(&["s1"]);
    assert_eq!(
        refusal(&few, "n1", Mode::Crash).as_deref(),
        Some(
            "the sentinels would not replace a dead master: `s1` does not answer, and 1 of 2 cannot elect a leader"
        )
    );
    assert_eq!(refusal(&few, "n1", Mode::Force), None);
}

#[test]
fn a_replica_is_preferred_by_a_priority_below_all_others() {
    let priorities = |own: u32, other: u32| {
        let mut round = round(&[]);
        if let Ok(Answers::Sentinel(Some(says))) = &mut round[3].answers {
            says.replicas[0].priority = Some(own);
            says.replicas[1].priority = Some(other);
        }
        let set = Set::of(&round, &born(), place("r1")).unwrap();
        set.priority_for(&round, place("r1")).ok()
    };
    assert_eq!(priorities(100, 100), Some(Some(1)));
    assert_eq!(priorities(10, 100), Some(None));
    assert_eq!(
        priorities(100, 0),
        Some(None),
        "the other one is never taken"
    );
    assert_eq!(priorities(0, 100), Some(Some(1)));
    assert_eq!(priorities(1, 1), None);
}

#[test]
fn a_report_is_what_a_node_says_of_the_old_master_and_of_the_new() {
    let set = Set::of(&round(&[]), &born(), 0).unwrap();
    let see = |node: &str, answers: Answers| {
        let view = set.view(place(node), &answers);
        (view.old_master, view.master, view.epoch)
    };
    assert_eq!(
        see("s1", sentinel(1, &[WatchFlag::SubjectivelyDown])),
        (Health::Suspected, Some(0), Epoch(7))
    );
    assert_eq!(
        see(
            "s1",
            sentinel(
                1,
                &[WatchFlag::SubjectivelyDown, WatchFlag::ObjectivelyDown]
            )
        )
        .0,
        Health::Failed
    );
    assert_eq!(
        see("s1", sentinel(2, &[WatchFlag::SubjectivelyDown])),
        (Health::Fine, Some(1), Epoch(7)),
        "that is said of the new one"
    );
    assert_eq!(
        see(
            "s1",
            sentinel(1, &[WatchFlag::SubjectivelyDown, WatchFlag::ForcedFailover])
        )
        .0,
        Health::Fine,
        "by order"
    );
    assert_eq!(
        see("r1", server(None)),
        (Health::Fine, Some(1), Epoch::NONE)
    );
    assert_eq!(see("r1b", server(Some(2))).1, Some(1));
    assert_eq!(see("n1", server(Some(9))).1, None, "a stranger");
}
