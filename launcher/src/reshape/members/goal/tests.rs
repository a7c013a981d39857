//! Claims about goals.

use super::*;

fn member(name: &str, of: Option<&str>) -> Member {
    let number: usize = name[1..]
        .trim_end_matches(char::is_alphabetic)
        .parse()
        .unwrap();
    Member {
        name: name.to_owned(),
        shard: number - 1,
        part: match of {
            None => Part::Master,
            Some(_) => Part::Replica(of.map(ToOwned::to_owned)),
        },
        slots: usize::from(of.is_none()) * 100,
        id: Some(name.into()),
        silent: None,
        stage: Stage::Member,
    }
}

/// `n1`, or `r1>n1` for a replica of `n1`.
fn members(text: &str) -> Vec<Member> {
    text.split_ascii_whitespace()
        .map(|word| match word.split_once('>') {
            None => member(word, None),
            Some((name, of)) => member(name, Some(of)),
        })
        .collect()
}

fn names(members: &[Member], retired: &[&str]) -> Names {
    let there = members.iter().map(|member| member.name.clone());
    let retired = retired.iter().map(|name| (*name).to_owned());
    there.chain(retired).collect()
}

/// Comings, attachments and leavings in short.
fn told(goal: &Goal) -> String {
    let new = goal.new.iter().map(|new| match &new.replica_of {
        None => format!("+{}", new.name),
        Some(of) => format!("+{}>{of}", new.name),
    });
    let attach = goal
        .attach
        .iter()
        .map(|pair| format!("{}>{}", pair.replica, pair.master));
    let leave = goal.leave.iter().map(|name| format!("-{name}"));
    new.chain(attach).chain(leave).collect::<Vec<_>>().join(" ")
}

fn scale(masters: usize, replicas: usize) -> Scale {
    Scale {
        masters: (masters > 0).then_some(masters),
        replicas: (replicas < 9).then_some(replicas),
    }
}

#[test]
fn scaling_adds_what_is_missing_and_deletes_the_last_born() {
    let cases = [
        ("n1 n2 r1>n1 r2>n2", scale(3, 1), "+n3 +r3>n3"),
        ("n1 n2 r1>n1 r2>n2", scale(3, 9), "+n3 +r3>n3"),
        ("n1 n2 r1>n1 r2>n2", scale(0, 2), "+r1b>n1 +r2b>n2"),
        ("n1 n2 r1>n1 r2>n2", scale(2, 0), "-r1 -r2"),
        ("n1 n2 r1>n1 r2>n2", scale(1, 9), "-r2 -n2"),
        ("n1 n2 r1>n1 r2>n2", scale(2, 1), ""),
        // A replica that is not needed where it is serves where one is missing.
        ("n1 n2 r1>n1 r2>n2", scale(1, 2), "r2>n1 -n2"),
        ("n1 n2 r1>n1 r1b>n1", scale(2, 1), "r1b>n2"),
        // After a failover `r2` is the master of the second shard.
        (
            "n1 r2 r1>n1 n2>r2",
            scale(3, 2),
            "+n3 +r1b>n1 +r2b>r2 +r3>n3 +r3b>n3",
        ),
        ("n1 r2 n2>r2", scale(1, 9), "-n2 -r2"),
    ];
    for (there, wish, wanted) in cases {
        let members = members(there);
        let goal = scaled(&members, wish, &mut names(&members, &[])).unwrap();
        assert_eq!(told(&goal), wanted, "{there} {wish:?}");
        assert_eq!(goal.slots == Slots::Even, wish.masters.is_some());
    }
}

#[test]
fn what_an_interrupted_scale_has_begun_counts() {
    let mut there = members("n1 n2 n3 r1>n1 r2>n2 r3>n3");
    there[2].stage = Stage::Joining { replica_of: None };
    there[5].stage = Stage::Joining {
        replica_of: Some("n3".to_owned()),
    };
    let again = scaled(&there, scale(3, 1), &mut names(&there, &[])).unwrap();
    assert_eq!(told(&again), "");

    for index in [2, 5] {
        there[index].stage = Stage::Leaving;
    }
    let again = scaled(&there, scale(2, 9), &mut names(&there, &[])).unwrap();
    assert_eq!(told(&again), "-r3 -n3");
    // Changed one's mind: who has begun to leave leaves.
    let other = scaled(&there, scale(3, 9), &mut names(&there, &[])).unwrap();
    assert_eq!(told(&other), "+n4 +r4>n4 -r3 -n3");
}

#[test]
fn the_names_of_deleted_nodes_are_not_given_again() {
    let there = members("n1 r1>n1");
    let mut names = names(&there, &["n2", "r1b"]);
    let goal = scaled(&there, scale(2, 2), &mut names).unwrap();
    assert_eq!(told(&goal), "+n3 +r1c>n1 +r3>n3 +r3b>n3");
}

#[test]
fn replicas_of_a_deleted_master_go_where_fewest_are() {
    let there = members("n1 n2 n3 r1>n1 r1b>n1 r2>n2 r2b>n2 r3>n3");
    let goal = without(&there, &there[0], false).unwrap();
    assert_eq!(told(&goal), "r1>n3 r1b>n2 -n1");
    assert_eq!(goal.slots, Slots::Handed);
    let replica = without(&there, &there[3], false).unwrap();
    assert_eq!(
        (told(&replica).as_str(), replica.slots),
        ("-r1", Slots::Kept)
    );
}

#[test]
fn keys_are_not_lost_without_force_and_a_master_stays() {
    let mut there = members("n1 n2 r1>n1");
    there[0].silent = Some("it is down".to_owned());
    let refused = without(&there, &there[0], false).unwrap_err();
    assert_eq!(
        refused,
        MemberError::Lost {
            node: "n1".to_owned(),
            slots: 100
        }
    );
    let forced = without(&there, &there[0], true).unwrap();
    assert_eq!(
        (told(&forced).as_str(), forced.slots),
        ("r1>n2 -n1", Slots::Kept)
    );
    // After a failover it is nobody's master, and its slots are elsewhere.
    there[0].slots = 0;
    assert!(without(&there, &there[0], false).is_ok());
    there[1].stage = Stage::Leaving;
    let last = without(&there, &there[0], true).unwrap_err();
    assert_eq!(last, MemberError::LastMaster("n1".to_owned()));
}

#[test]
fn a_replica_is_added_to_the_shard_of_the_node_that_is_named() {
    let there = members("n1 r2 r1>n1 n2>r2");
    for (of, wanted) in [(0, "r1b>n1"), (2, "r1b>n1"), (1, "r2b>r2"), (3, "r2b>r2")] {
        let new = with(&there, Some(&there[of]), &mut names(&there, &[])).unwrap();
        assert_eq!(format!("{}>{}", new.name, new.replica_of.unwrap()), wanted);
    }
    let master = with(&there, None, &mut names(&there, &[])).unwrap();
    assert_eq!((master.name.as_str(), master.replica_of), ("n3", None));
}

#[test]
fn numbers_that_make_no_cluster_are_refused() {
    let there = members("n1");
    let none = Scale {
        masters: Some(0),
        replicas: None,
    };
    let many = Scale {
        masters: None,
        replicas: Some(27),
    };
    let beyond = Scale {
        masters: Some(1001),
        replicas: None,
    };
    for wish in [Scale::default(), none, many, beyond] {
        let refused = scaled(&there, wish, &mut names(&there, &[])).unwrap_err();
        assert!(matches!(refused, MemberError::Shape(_)), "{refused}");
    }
}
