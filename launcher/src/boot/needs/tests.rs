//! Tests of what nodes are found to lack.

use super::*;
use crate::plan::{Options, Plan};
use crate::wire::view::{SlotLine, node_lines};

/// Two masters and two replicas, or as many as are spoken for.
fn due(nodes: &[&str]) -> Vec<(usize, Need)> {
    due_when(nodes, |_| {}, false)
}

fn due_when(
    nodes: &[&str],
    change: impl Fn(&mut Vec<Observation>),
    insist: bool,
) -> Vec<(usize, Need)> {
    let options = Options {
        masters: 2,
        replicas: vec![1],
        ..Options::default()
    };
    let plan = Plan::new(&options, &[1, 2, 3, 4]).unwrap();
    let plans = &plan.nodes[..nodes.len()];
    let answers = |text: &str| {
        let nodes = node_lines(text).ok_or("silent")?;
        let slots = nodes.iter().flat_map(|line| {
            line.slots.ranges().iter().map(|range| SlotLine {
                start: range.start().number(),
                end: range.end().number(),
                master: line.id.clone(),
                replicas: nodes
                    .iter()
                    .filter(|replica| replica.replicates(&line.id))
                    .map(|replica| replica.id.clone())
                    .collect(),
            })
        });
        Ok(Answers::Cluster(ClusterAnswers {
            slots: slots.collect(),
            state: ClusterState::Ok,
            link: Some(Link::Up),
            nodes,
        }))
    };
    let mut round: Vec<_> = plans
        .iter()
        .zip(nodes)
        .map(|(plan, text)| Observation {
            node: plan.name.clone(),
            port: plan.port,
            answers: answers(text).map_err(|why: &str| why.to_owned()),
        })
        .collect();
    change(&mut round);
    needs(plans, &round, insist)
}

/// What the node of index `own` says of the nodes with these lines, each with its id.
fn said(own: usize, lines: &[&str]) -> String {
    let line = |(index, line): (usize, &&str)| {
        let (id, rest) = line.split_once(' ').unwrap();
        let myself = if index == own { "myself," } else { "" };
        format!("{id} 127.0.0.1:1@2 {myself}{rest}\n")
    };
    lines.iter().enumerate().map(line).collect()
}

/// The same lines, told by each of them.
fn all(lines: &[&str]) -> Vec<String> {
    (0..lines.len()).map(|own| said(own, lines)).collect()
}

const WHOLE: [&str; 4] = [
    "n1 master - 0 1 1 connected 0-8191",
    "n2 master - 0 1 2 connected 8192-16383",
    "r1 slave n1 0 1 1 connected",
    "r2 slave n2 0 1 2 connected",
];

fn due_of(lines: &[String]) -> Vec<(usize, Need)> {
    due(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_whole_cluster_lacks_nothing() {
    assert_eq!(due_of(&all(&WHOLE)), []);
}

#[test]
fn bare_nodes_get_epochs_and_slots_before_they_meet() {
    let bare = |id| said(0, &[&format!("{id} master - 0 0 0 connected")]);
    let needs = due_of(&["n1", "n2", "r1"].map(bare));
    let slots = |text: &str| Need::Slots(text.parse().unwrap());
    assert_eq!(
        needs,
        [
            (0, Need::Epoch(2)),
            (0, slots("0-8191")),
            (1, Need::Epoch(3)),
            (1, slots("8192-16383")),
            (2, Need::Epoch(1)),
        ]
    );
    // One that has its epoch meets one that has it, too.
    let needs = due_of(&[said(0, &WHOLE[..1]), said(0, &WHOLE[1..2]), bare("r1")]);
    assert_eq!(
        needs,
        [(0, Need::Meet(1)), (1, Need::Meet(0)), (2, Need::Epoch(1)),]
    );
}

#[test]
fn who_lacks_the_other_one_meets_it() {
    let mut nodes = all(&WHOLE);
    nodes[1] = said(0, &WHOLE[1..]);
    assert_eq!(due_of(&nodes), [(1, Need::Meet(0))]);
}

#[test]
fn a_silent_node_is_neither_met_nor_forgotten() {
    let mut nodes = all(&WHOLE);
    nodes[0] = "nothing".to_owned();
    assert_eq!(due_of(&nodes), []);
}

#[test]
fn masters_take_over_one_after_the_other_once_they_are_at_rest() {
    let reversed = [
        "n1 slave r1 0 1 1 connected",
        "n2 slave r2 0 1 2 connected",
        "r1 master - 0 1 1 connected 0-8191",
        "r2 master - 0 1 2 connected 8192-16383",
    ];
    assert_eq!(due_of(&all(&reversed)), [(0, Need::TakeOver)]);
    let busy = but(
        all(&reversed),
        2,
        "n1 127.0.0.1:1@2 slave r1 0 1",
        "n1 127.0.0.1:1@2 slave r1 7 1",
    );
    assert_eq!(due_of(&busy), [(1, Need::TakeOver)]);
    let busy: Vec<_> = busy.iter().map(String::as_str).collect();
    assert_eq!(due_when(&busy, |_| {}, true), [(0, Need::TakeOver)]);
}

/// The same, with other text in what one of them says.
fn but(mut nodes: Vec<String>, index: usize, from: &str, to: &str) -> Vec<String> {
    assert!(nodes[index].contains(from), "{}", nodes[index]);
    nodes[index] = nodes[index].replace(from, to);
    nodes
}

#[test]
fn phantoms_are_forgotten_once_they_own_nothing() {
    let phantom = |slots: &str| format!("p9 master - 0 0 1 connected{slots}");
    let lines = |slots: &str| {
        let mut nodes = all(&WHOLE);
        nodes[3] = said(3, &[&WHOLE[..], &[&phantom(slots)]].concat());
        nodes
    };
    assert_eq!(due_of(&lines("")), [(3, Need::Forget("p9".into()))]);
    assert_eq!(due_of(&lines(" 16383")), []);
    // It may be the one that is silent.
    let mut nodes = lines("");
    nodes[0] = "nothing".to_owned();
    assert_eq!(due_of(&nodes), []);
}

#[test]
fn replicas_follow_the_master_of_their_shard() {
    for other in ["r1 slave n2 0 1 2 connected", "r1 master - 0 1 0 connected"] {
        let lines = [WHOLE[0], WHOLE[1], other, WHOLE[3]];
        assert_eq!(
            due_of(&all(&lines)),
            [(2, Need::Follow("n1".into()))],
            "{other}"
        );
    }
    // It would refuse while it has slots.
    let slots = "r1 master - 0 1 3 connected 0";
    assert_eq!(due_of(&all(&[WHOLE[0], WHOLE[1], slots, WHOLE[3]])), []);
}

#[test]
fn a_replica_that_is_known_with_a_higher_epoch_than_its_masters_is_not_believed() {
    let before = "r1 127.0.0.1:1@2 slave n1 0 1 1";
    for (epoch, due) in [(4, true), (1, false)] {
        let after = format!("r1 127.0.0.1:1@2 master - 0 1 {epoch}");
        let needs = due_of(&but(all(&WHOLE), 3, before, &after));
        assert_eq!(needs.contains(&(0, Need::Raise)), due, "{needs:?}");
    }
}

#[test]
fn a_master_that_has_lost_its_seeds_follows_who_has_its_slots() {
    let lines = [
        "n1 master - 0 1 0 connected",
        WHOLE[1],
        "r1 master - 0 1 1 connected 0-8191",
        WHOLE[3],
    ];
    assert_eq!(due_of(&all(&lines)), [(0, Need::Follow("r1".into()))]);
}

#[test]
fn a_master_asks_the_replicas_that_somebody_does_not_see() {
    let nodes = all(&WHOLE);
    let nodes: Vec<_> = nodes.iter().map(String::as_str).collect();
    let hide = |round: &mut Vec<Observation>| {
        if let Ok(Answers::Cluster(answers)) = &mut round[1].answers {
            answers.slots[0].replicas.clear();
        }
    };
    assert_eq!(due_when(&nodes, hide, false), [(0, Need::Acknowledge(2))]);
}
