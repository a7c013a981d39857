//! Tests of who is who in a shard, and of failovers that are refused.

use super::*;
use crate::probe::survey::Account;
use crate::wire::resp::{Frame, Value};
use crate::wire::view;

/// n1 n2 n3 with r1 r2 r3, and r1b: what each of them says, if it speaks.
const NAMES: [&str; 7] = ["n1", "n2", "n3", "r1", "r2", "r3", "r1b"];
const TRUTH: [&str; 7] = [
    "aa 127.0.0.1:1@2 master - 0 0 1 connected 0-99 [0->-bb]",
    "bb 127.0.0.1:3@4 master - 0 0 2 connected 100-199",
    "cc 127.0.0.1:5@6 master - 0 0 3 connected 200-16383",
    "dd 127.0.0.1:7@8 slave aa 0 0 1 connected",
    "ee 127.0.0.1:9@10 slave bb 0 0 2 connected",
    "ff 127.0.0.1:11@12 slave cc 0 0 3 connected",
    "ab 127.0.0.1:13@14 slave aa 0 0 1 connected",
];

/// `lines` as all nodes tell them; those named are silent.
fn cluster(lines: [&str; 7], silent: &[&str]) -> (Survey, Vec<KnownNode>) {
    let account = |(index, name): (usize, &&str)| {
        let own = lines[index];
        let mine = own.replacen(" master", " myself,master", 1);
        let mine = mine.replacen(" slave", " myself,slave", 1);
        let text = lines.join("\n").replace(own, &mine);
        let reply = Frame::from_value(Value::BulkString(text.into_bytes().into()));
        Account {
            node: (*name).to_owned(),
            says: if silent.contains(name) {
                Err("it is silent".to_owned())
            } else {
                Ok(view::nodes(&reply).unwrap())
            },
        }
    };
    let survey = Survey::new(NAMES.iter().enumerate().map(account).collect());
    let member = |(index, name): (usize, &&str)| KnownNode {
        name: (*name).to_owned(),
        id: Some(lines[index][..2].into()),
        birth: index % 3,
        paused: false,
    };
    (survey, NAMES.iter().enumerate().map(member).collect())
}

fn place(name: &str) -> usize {
    NAMES.iter().position(|other| *other == name).unwrap()
}

fn shard_of(name: &str, silent: &[&str]) -> Result<Shard, FailoverError> {
    let (survey, members) = cluster(TRUTH, silent);
    Shard::of(&survey, &members, place(name))
}

fn refusal(name: &str, silent: &[&str], mode: Mode) -> Option<String> {
    let (survey, members) = cluster(TRUTH, silent);
    let shard = Shard::of(&survey, &members, place(name)).unwrap();
    let checked = shard.check(&survey, &members, mode);
    checked.err().map(|error| error.to_string())
}

/// The new master is written to: what only its replica has open would be answered by ASK for ever.
#[test]
fn the_slot_is_open_nowhere() {
    let mut lines = TRUTH;
    lines[4] = "ee 127.0.0.1:9@10 slave bb 0 0 2 connected [100->-aa] [101-<-aa]";
    let (survey, members) = cluster(lines, &[]);
    let shard = Shard::of(&survey, &members, place("n2")).unwrap();
    assert_eq!(shard.slot.number(), 102);
}

#[test]
fn any_node_names_its_shard_also_a_dead_one() {
    for (name, silent, wanted) in [
        ("n1", vec![], None),
        ("r1", vec![], Some("r1")),
        ("n1", vec!["n1"], None),
        ("r1b", vec!["r1b", "n1"], Some("r1b")),
    ] {
        let shard = shard_of(name, &silent).unwrap();
        assert_eq!(shard.master, place("n1"));
        assert_eq!(shard.wanted, wanted.map(place));
        assert_eq!(shard.epoch, Epoch(1));
        assert_eq!(shard.slot.number(), 1, "0 is on its way");
    }
    let living = shard_of("n1", &["r1b"]).unwrap().replicas;
    assert_eq!(living, [place("r1")]);
}

#[test]
fn a_dead_master_whose_slots_have_gone_has_failed_over_already() {
    let mut lines = TRUTH;
    lines[0] = "aa 127.0.0.1:1@2 master,fail - 0 0 1 connected";
    lines[3] = "dd 127.0.0.1:7@8 master - 0 0 7 connected 0-99";
    lines[6] = "ab 127.0.0.1:13@14 slave dd 0 0 7 connected";
    let (survey, members) = cluster(lines, &["n1"]);
    let error = Shard::of(&survey, &members, place("n1")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the shard of `n1` has already failed over to `r1`"
    );
    let shard = Shard::of(&survey, &members, place("r1")).unwrap();
    assert_eq!(shard.replicas, [place("r1b")]);
}

#[test]
fn a_master_without_slots_is_not_replaced() {
    let mut lines = TRUTH;
    lines[0] = "aa 127.0.0.1:1@2 master - 0 0 0 connected";
    let (survey, members) = cluster(lines, &[]);
    for (name, why) in [
        ("n1", "is a master without slots"),
        ("r1", "replicates a master without slots"),
    ] {
        let error = Shard::of(&survey, &members, place(name)).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[test]
fn what_cannot_come_about_is_refused() {
    for (name, silent, mode, said) in [
        ("n1", vec![], Mode::Graceful, None),
        ("n1", vec![], Mode::Crash, None),
        ("n1", vec!["n1"], Mode::Force, None),
        ("n1", vec!["n1", "n2"], Mode::Takeover, None),
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
            Mode::Force,
            Some("`r1` does not answer and cannot take over"),
        ),
        ("r1", vec!["r1"], Mode::Crash, None),
        (
            "n2",
            vec!["r2"],
            Mode::Graceful,
            Some("no replica of `n2` answers: `r2` might be one"),
        ),
        (
            "n1",
            vec!["n2"],
            Mode::Crash,
            Some("only 1 of 3 masters can vote, and a replica needs 2 votes"),
        ),
        ("n1", vec!["n2"], Mode::Graceful, None),
    ] {
        assert_eq!(
            refusal(name, &silent, mode).as_deref(),
            said,
            "{name} {silent:?} {mode}"
        );
    }
}

#[test]
fn the_replica_that_has_most_takes_over_unless_one_was_named() {
    let (_, members) = cluster(TRUTH, &[]);
    let candidate = |name, linked, offset| Candidate {
        node: place(name),
        linked,
        offset,
    };
    let choose = |named: &str, candidates: &[Candidate], mode, careful| {
        let shard = shard_of(named, &[]).unwrap();
        let chosen = shard.choose(candidates, &members, mode, careful);
        chosen
            .map(|node| NAMES[node])
            .map_err(|error| error.to_string())
    };
    let both = [candidate("r1", true, 5), candidate("r1b", true, 9)];
    assert_eq!(choose("n1", &both, Mode::Graceful, false), Ok("r1b"));
    assert_eq!(choose("r1", &both, Mode::Graceful, false), Ok("r1"));
    assert_eq!(choose("r1", &both, Mode::Crash, false), Ok("r1b"));

    let cut = [candidate("r1", true, 5), candidate("r1b", false, 9)];
    assert_eq!(choose("n1", &cut, Mode::Force, false), Ok("r1"));
    assert_eq!(choose("r1b", &cut, Mode::Force, false), Ok("r1b"));
    assert_eq!(choose("r1b", &cut, Mode::Takeover, false), Ok("r1b"));
    for (mode, careful) in [(Mode::Graceful, false), (Mode::Takeover, true)] {
        let error = choose("r1b", &cut, mode, careful).unwrap_err();
        assert!(
            error.starts_with("the link of `r1b` to its master is down: "),
            "{error}"
        );
    }
}

#[test]
fn a_report_is_what_a_node_says_of_the_old_master_and_of_the_owner() {
    let (survey, members) = cluster(TRUTH, &[]);
    let shard = Shard::of(&survey, &members, place("n1")).unwrap();
    let ids: Vec<_> = members.into_iter().map(|member| member.id).collect();
    let see = |text: &str| {
        let reply = Frame::from_value(Value::BulkString(text.as_bytes().to_vec().into()));
        let view = shard.view(1, &view::nodes(&reply).unwrap(), &ids);
        (view.old_master, view.master, view.epoch)
    };
    assert_eq!(
        see("aa :0@0 master,fail?,nofailover - 0 0 1 disconnected 0-99"),
        (Health::Suspected, Some(place("n1")), Epoch(1))
    );
    assert_eq!(
        see("aa :0@0 master,nofailover - 0 0 1 connected 0-99").0,
        Health::Fine
    );
    assert_eq!(
        see("aa :0@0 master,fail - 0 0 1 connected\ndd :0@0 master - 0 0 7 connected 0-99"),
        (Health::Failed, Some(place("r1")), Epoch(7))
    );
    assert_eq!(
        see("zz :0@0 master - 0 0 9 connected 0-99"),
        (Health::Fine, None, Epoch(9))
    );
}
