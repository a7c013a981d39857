//! Tests of which findings a survey gives.

use super::*;
use crate::plan::{Intent, Reshard, Sources};
use crate::probe::survey::{Account, Survey};
use crate::wire::slots::Slot;
use crate::wire::view::{Address, ClusterState, Link, node_lines};

/// Three masters, `n1` to `n3`, ids `a1` to `a3`, with a replica each, `r1` to `r3`, ids `b1` to `b3`; all
/// is well until somebody changes what a node says.
pub(crate) struct World {
    texts: Vec<(&'static str, Result<String, String>)>,
    keys: Vec<(&'static str, u16, u64)>,
    pub(crate) details: Vec<(&'static str, Detail)>,
    pub(crate) unfinished: Journaled,
    passing: Vec<Passing>,
    at_work: bool,
}

const NAMES: [&str; 6] = ["n1", "n2", "n3", "r1", "r2", "r3"];
const LINES: [&str; 6] = [
    "a1 127.0.0.1:7001@17001 master - 0 0 1 connected 0-5460",
    "a2 127.0.0.1:7002@17002 master - 0 0 2 connected 5461-10922",
    "a3 127.0.0.1:7003@17003 master - 0 0 3 connected 10923-16383",
    "b1 127.0.0.1:7004@17004 slave a1 0 0 1 connected",
    "b2 127.0.0.1:7005@17005 slave a2 0 0 2 connected",
    "b3 127.0.0.1:7006@17006 slave a3 0 0 3 connected",
];

impl World {
    pub(crate) fn sound() -> Self {
        let texts = NAMES.iter().enumerate().map(|(own, name)| {
            let lines = LINES.iter().enumerate().map(|(index, line)| {
                if index == own {
                    line.replace("master", "myself,master")
                        .replace("slave", "myself,slave")
                } else {
                    (*line).to_owned()
                }
            });
            (*name, Ok(lines.map(|line| line + "\n").collect()))
        });
        Self {
            texts: texts.collect(),
            keys: Vec::new(),
            details: Vec::new(),
            unfinished: Journaled::Nothing,
            at_work: false,
            passing: Vec::new(),
        }
    }

    /// Replaces text in what some nodes say, which must hold it.
    pub(crate) fn says(mut self, nodes: &[&str], from: &str, to: &str) -> Self {
        for (name, text) in &mut self.texts {
            if nodes.contains(name) {
                let said = text.as_mut().unwrap();
                assert!(said.contains(from), "{name} does not say `{from}`");
                *said = said.replace(from, to);
            }
        }
        self
    }

    /// Adds a mark to what a node says of itself.
    pub(crate) fn open(self, node: &'static str, mark: &str) -> Self {
        let index = NAMES.iter().position(|name| *name == node).unwrap();
        let id = LINES[index].split(' ').next().unwrap();
        let mut world = self;
        for (name, text) in &mut world.texts {
            if *name == node {
                let lines = text.as_ref().unwrap().lines().map(|line| {
                    if line.starts_with(id) {
                        format!("{line} {mark}\n")
                    } else {
                        format!("{line}\n")
                    }
                });
                *text = Ok(lines.collect());
            }
        }
        world
    }

    /// A node has come back without its nodes.conf, under an id of its own; the others still know who it was.
    pub(crate) fn wiped(mut self, node: &'static str, id: &str) -> Self {
        let index = NAMES.iter().position(|name| *name == node).unwrap();
        let address = LINES[index].split(' ').nth(1).unwrap();
        for (name, text) in &mut self.texts {
            let own = format!("{id} {address} myself,master - 0 0 0 connected\n");
            let said = text.as_ref().unwrap().lines().map(|line| {
                let lost = line
                    .replace(address, ":0@0")
                    .replace(" connected", " disconnected");
                let told = if line.contains(address) { &lost } else { line };
                format!("{told}\n")
            });
            let said = said.collect();
            *text = Ok(said);
            if *name == node {
                *text = Ok(own);
            }
        }
        self.details.push((node, Detail::default()));
        self
    }

    pub(crate) fn silent(mut self, node: &str) -> Self {
        for (name, text) in &mut self.texts {
            if *name == node {
                *text = Err("nobody listens".to_owned());
            }
        }
        self
    }

    pub(crate) fn keys(mut self, node: &'static str, slot: u16, count: u64) -> Self {
        self.keys.push((node, slot, count));
        self
    }

    pub(crate) fn inspection(&self) -> Inspection {
        let account = |(name, text): &(&str, Result<String, String>)| Account {
            node: (*name).to_owned(),
            says: text.clone().map(|text| node_lines(&text).unwrap()),
        };
        let passes = |name: &str| self.passing.iter().any(|passing| passing.node == name);
        let stays = |(name, _): &&(&str, Result<String, String>)| !passes(name);
        let seats = NAMES.iter().enumerate().map(|(index, name)| Seat {
            node: (*name).to_owned(),
            port: 7001 + u16::try_from(index).unwrap(),
            shard: index % 3,
            process: ServerProcess::Ended,
        });
        let mut inspection = Inspection {
            survey: Survey::new(self.texts.iter().filter(stays).map(account).collect()),
            seats: seats.collect(),
            details: self
                .details
                .iter()
                .map(|(name, detail)| ((*name).to_owned(), detail.clone()))
                .collect(),
            unfinished: self.unfinished.clone(),
            passing: self.passing.clone(),
            at_work: self.at_work,
        };
        for (node, slot, count) in &self.keys {
            let detail = inspection.details.entry((*node).to_owned()).or_default();
            detail.keys.insert(Slot::new(*slot).unwrap(), *count);
        }
        inspection
    }

    fn findings(&self) -> Vec<String> {
        let findings = check(&self.inspection());
        findings.iter().map(ToString::to_string).collect()
    }
}

const ALL: [&str; 6] = NAMES;
const OTHERS_OF_N2: [&str; 5] = ["n1", "n3", "r1", "r2", "r3"];

#[test]
fn a_sound_cluster_has_no_findings() {
    assert_eq!(World::sound().keys("n1", 7, 3).findings(), [""; 0]);
}

#[test]
fn slots_of_nobody_are_told_with_who_holds_keys_of_them() {
    let world = World::sound()
        .says(&ALL, "5461-10922", "5470-10922")
        .keys("n3", 5461, 2);
    assert_eq!(
        world.findings(),
        ["no node owns slots 5461-5469; n3 holds 2 keys"]
    );
    let findings = check(&world.inspection());
    assert_eq!(findings[0].remedy(), Remedy::Fix);
    assert_eq!(findings[0].slots().unwrap().to_string(), "5461-5469");
}

#[test]
fn slots_that_two_say_are_theirs_are_contested() {
    let world = World::sound().says(&["n1"], "0-5460", "0-5470");
    assert_eq!(
        world.findings(),
        ["n1, n2 all say that they own slots 5461-5470"]
    );
}

#[test]
fn both_ends_of_an_open_slot_are_told() {
    let world = World::sound()
        .open("n1", "[7->-a2] [8->-a2]")
        .open("n2", "[7-<-a1]");
    assert_eq!(
        world.findings(),
        [
            "n1 is migrating slots 7-8 to n2",
            "n2 is importing slot 7 from n1"
        ]
    );
}

#[test]
fn a_replica_that_shows_what_its_master_shows_adds_nothing() {
    let world = World::sound().open("n1", "[7->-a2]").open("r1", "[7->-a2]");
    assert_eq!(world.findings(), ["n1 is migrating slot 7 to n2"]);
    let world = World::sound().open("r1", "[7->-a2]");
    assert_eq!(world.findings(), ["n1 is migrating slot 7 to n2"]);
}

#[test]
fn the_end_of_a_way_that_nobody_has_is_told_by_its_id() {
    let world = World::sound().open("n1", "[7->-ff]");
    assert_eq!(world.findings(), ["n1 is migrating slot 7 to ff"]);
}

#[test]
fn keys_that_nobody_can_reach_are_astray() {
    let world = World::sound().keys("n1", 6000, 2).keys("n1", 6001, 1);
    assert_eq!(
        world.findings(),
        ["n1 holds 3 keys in slots 6000-6001, which it does not own"]
    );
}

#[test]
fn keys_on_their_way_are_not_astray() {
    let world = World::sound()
        .open("n1", "[7->-a2]")
        .open("n2", "[7-<-a1]")
        .keys("n2", 7, 1);
    assert_eq!(world.findings().len(), 2);
}

#[test]
fn who_gives_a_slot_to_another_than_its_owner_disagrees() {
    let world = World::sound()
        .says(&["r3"], "0-5460", "0-5459")
        .says(&["r3"], "5461-10922", "5460-10922")
        .says(&["n3"], "0-5460", "0-5458 5460");
    assert_eq!(
        world.findings(),
        [
            "n3 says that no node owns slot 5459, but n1 owns them",
            "r3 says that n2 owns slot 5460, but n1 owns them",
        ]
    );
}

#[test]
fn the_slots_of_a_silent_node_are_not_uncovered() {
    let world = World::sound().silent("n2");
    assert_eq!(
        world.findings(),
        ["n2, which owns slots 5461-10922, does not answer: nobody listens"]
    );
    assert_eq!(
        check(&world.inspection())[0].remedy(),
        Remedy::Start("n2".to_owned())
    );
}

#[test]
fn what_mends_silence_depends_on_the_process() {
    for (process, words) in [
        (ServerProcess::Ended, "`shardlab start n2`"),
        (ServerProcess::Paused, "`shardlab resume n2`"),
        (ServerProcess::Running, "`shardlab restart n2`"),
        (ServerProcess::Unknown, "shardlab did not start n2"),
    ] {
        let mut inspection = World::sound().silent("n2").inspection();
        for seat in &mut inspection.seats {
            seat.process = process;
        }
        let text = check(&inspection)[0].remedy().hint().to_string();
        assert!(text.contains(words), "{process:?}: {text}");
    }
}

#[test]
fn what_others_say_of_a_silent_node_follows_from_its_silence() {
    let world = World::sound().silent("r2").says(
        &["n1", "n2", "n3", "r1", "r3"],
        "slave a2 0 0 2 connected",
        "slave,fail a2 0 0 2 disconnected",
    );
    assert_eq!(world.findings(), ["r2 does not answer: nobody listens"]);
}

#[test]
fn masters_that_share_an_epoch_are_told() {
    let world = World::sound().says(&["n3"], "0 0 3", "0 0 2");
    assert_eq!(world.findings(), ["the masters n2, n3 share epoch 2"]);
}

#[test]
fn a_node_that_only_one_knows_is_a_stranger() {
    let line = "ee 127.0.0.1:7099@17099 master,fail - 0 0 9 disconnected\nb1 127";
    let world = World::sound().says(&["r2"], "b1 127", line);
    let findings = check(&world.inspection());
    assert_eq!(findings[0].kind(), "stranger");
    assert_eq!(findings[0].remedy(), Remedy::Fix);
    assert_eq!(
        findings[0].to_string(),
        "r2 knows a node that is not of this cluster, ee 127.0.0.1:7099@17099"
    );
}

#[test]
fn a_node_that_several_know_is_told_once() {
    let line = "ee 127.0.0.1:7099@17099 master,fail - 0 0 9 disconnected\nb1 127";
    let world = World::sound().says(&["r1", "r2"], "b1 127", line);
    let findings = check(&world.inspection());
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].nodes(), ["r1", "r2"]);
    assert_eq!(
        findings[0].to_string(),
        "r1, r2 know a node that is not of this cluster, ee 127.0.0.1:7099@17099"
    );
}

#[test]
fn a_stranger_that_lives_is_the_users_to_decide() {
    for slots in ["7", ""] {
        let stranger = Finding::Stranger {
            nodes: vec!["n1".to_owned()],
            id: "ee".into(),
            address: Address::new("127.0.0.1:1@2"),
            slots: slots.parse().unwrap_or_default(),
            alive: true,
        };
        let address = "127.0.0.1:1".to_owned();
        assert_eq!(stranger.remedy(), Remedy::Decide(address));
    }
}

#[test]
fn who_does_not_know_another_is_told() {
    let world = World::sound().says(
        &["r1"],
        "b3 127.0.0.1:7006@17006 slave a3 0 0 3 connected\n",
        "",
    );
    assert_eq!(world.findings(), ["r1 does not know r3"]);
}

#[test]
fn wrong_roles_links_and_suspicions_are_told() {
    let world = World::sound()
        .says(
            &["n1"],
            "b3 127.0.0.1:7006@17006 slave a3",
            "b3 127.0.0.1:7006@17006 master -",
        )
        .says(
            &["n3"],
            "master - 0 0 2 connected",
            "master - 0 0 2 disconnected",
        )
        .says(&["r1"], "master - 0 0 2", "master,fail? - 0 0 2");
    assert_eq!(
        world.findings(),
        [
            "n1 lists r3 as a master, but it is a replica of n3",
            "n3 has no bus link to n2",
            "r1 marks n2 as failed",
        ]
    );
}

#[test]
fn a_master_whose_replicas_copy_others_is_unprotected() {
    let world = World::sound().says(&ALL, "slave a1", "slave a2");
    assert_eq!(world.findings(), ["n1 has no replica, but should have 1"]);
    let world = World::sound().silent("r1");
    assert_eq!(world.findings().len(), 1);
}

#[test]
fn a_replica_of_a_replica_has_no_master() {
    let world = World::sound().says(&ALL, "slave a3", "slave b2");
    assert_eq!(
        world.findings(),
        [
            "r3 replicates r2, which is not a master of this cluster",
            "n3 has no replica, but should have 1"
        ]
    );
}

#[test]
fn links_states_and_migrations_are_told_of_the_nodes_that_were_asked() {
    let mut world = World::sound();
    world.details = vec![
        (
            "r1",
            Detail {
                link: Some(Link::Down),
                state: Some(ClusterState::Fail),
                ..Detail::default()
            },
        ),
        (
            "n1",
            Detail {
                state: Some(ClusterState::Ok),
                migrations: vec![Migration {
                    slots: "0-9".parse().unwrap(),
                    export: true,
                }],
                ..Detail::default()
            },
        ),
    ];
    assert_eq!(
        world.findings(),
        [
            "n1 is migrating slots 0-9 by atomic migration",
            "r1 is not in sync with its master: master_link_status:down",
            "cluster_state:fail on r1",
        ]
    );
}

#[test]
fn only_what_gossip_may_mend_passes() {
    let world = World::sound().says(&OTHERS_OF_N2, "5461-10922", "5461-10921");
    assert!(check(&world.inspection()).iter().all(Finding::may_pass));
    let world = World::sound().open("n1", "[7->-a2]");
    assert!(!check(&world.inspection()).iter().any(Finding::may_pass));
}

fn reshard(slots: u16, to: &str) -> Intent {
    Intent::Reshard(Reshard {
        slots,
        to: to.to_owned(),
        from: Sources::All,
    })
}

#[test]
fn a_command_that_was_interrupted_is_told_with_its_slots() {
    let mut world = World::sound();
    world.unfinished = Journaled::Command(Unfinished {
        intent: reshard(10, "n1"),
        slots: "5461-5470".parse().unwrap(),
    });
    assert_eq!(
        world.findings(),
        ["the reshard of 10 slots to `n1` was interrupted; it moves slots 5461-5470"]
    );
}

#[test]
fn a_command_that_is_at_work_is_not_told_as_interrupted() {
    let mut world = World::sound()
        .open("n1", "[7->-a2] [9->-a2]")
        .open("n2", "[7-<-a1]");
    world.at_work = true;
    world.unfinished = Journaled::Command(Unfinished {
        intent: reshard(1, "n2"),
        slots: "7".parse().unwrap(),
    });
    assert_eq!(
        world.findings(),
        [
            "the reshard of 1 slot to `n2` is running; it moves slot 7",
            "n1 is migrating slots 7,9 to n2"
        ]
    );
    assert_eq!(check(&world.inspection())[0].remedy(), Remedy::Wait);
}

#[test]
fn a_plan_of_slots_that_cannot_be_read_is_not_one_that_is_not_there() {
    let mut world = World::sound();
    world.unfinished = Journaled::Unreadable("reshape.json: expected value".to_owned());
    let findings = check(&world.inspection());
    assert_eq!((findings.len(), findings[0].kind()), (1, "unreadable"));
    assert_eq!(findings[0].remedy(), Remedy::Fix);
}

#[test]
fn a_node_that_comes_or_goes_is_told_once_and_nobody_needs_to_know_it() {
    let mut world = World::sound().says(
        &["n1", "r1"],
        "b3 127.0.0.1:7006@17006 slave a3 0 0 3 connected\n",
        "",
    );
    world.passing = vec![Passing {
        node: "r3".to_owned(),
        leaves: true,
    }];
    assert_eq!(
        world.findings(),
        ["r3 was about to be deleted when the command was interrupted"]
    );
}
