//! Tests of which repairs are decided.

use super::*;
use crate::reshape::check::Detail;
use crate::reshape::check::tests::World;

const ALL: [&str; 6] = ["n1", "n2", "n3", "r1", "r2", "r3"];

fn told(world: &World) -> Vec<String> {
    let repairs = repairs(&world.inspection());
    repairs.iter().map(ToString::to_string).collect()
}

#[test]
fn a_sound_cluster_needs_nothing() {
    assert_eq!(told(&World::sound().keys("n2", 6000, 1)), [""; 0]);
}

#[test]
fn an_interrupted_move_goes_on() {
    let world = World::sound()
        .open("n1", "[7->-a2] [9->-a2]")
        .open("n2", "[7-<-a1] [9-<-a1]")
        .keys("n1", 7, 3)
        .keys("n2", 7, 1);
    assert_eq!(
        told(&world),
        ["n1 finishes migrating slots 7,9 to n2, with 3 keys left"]
    );
}

#[test]
fn half_open_slots_are_closed_and_keys_go_home() {
    let world = World::sound()
        .open("n1", "[7->-a2]")
        .open("n3", "[8-<-a1]")
        .keys("n2", 7, 1)
        .keys("n3", 8, 2);
    assert_eq!(
        told(&world),
        [
            "n1 stops migrating or importing slot 7",
            "n3 stops migrating or importing slot 8",
            "n2 moves 1 key of slot 7 to n1",
            "n3 moves 2 keys of slot 8 to n1",
        ]
    );
}

#[test]
fn a_slot_on_its_way_to_nobody_is_closed() {
    let world = World::sound().open("n1", "[7->-ff]");
    assert_eq!(told(&world), ["n1 stops migrating or importing slot 7"]);
}

#[test]
fn nothing_is_decided_about_the_slots_of_a_silent_node() {
    let world = World::sound()
        .silent("n2")
        .open("n1", "[7->-a2]")
        .open("n3", "[5461-<-a2]")
        .keys("n3", 5461, 4);
    assert_eq!(told(&world), [""; 0]);
}

#[test]
fn uncovered_slots_go_to_their_keys_and_the_rest_is_dealt_out() {
    let world = World::sound()
        .says(&ALL, "5461-10922", "5470-10922")
        .keys("n3", 5461, 2)
        .keys("n1", 5461, 1);
    assert_eq!(
        told(&world),
        [
            "n2 takes slots 5462-5469",
            "n3 takes slot 5461",
            "n1 moves 1 key of slot 5461 to n3",
        ]
    );
}

#[test]
fn of_contested_slots_the_loser_lets_go_and_brings_its_keys() {
    let world = World::sound()
        .says(&["n1"], "0-5460", "0-5470")
        .keys("n1", 5465, 4);
    assert_eq!(
        told(&world),
        [
            "n2 keeps slots 5461-5470; n1 no longer claims them",
            "n1 moves 4 keys of slot 5465 to n2",
        ]
    );
}

#[test]
fn membership_epochs_and_agreement_are_mended() {
    let stranger = "ee 127.0.0.1:7099@17099 master,fail - 0 0 9 disconnected\nb1 127";
    let world = World::sound()
        .says(&["r2"], "b1 127", stranger)
        .says(
            &["r1"],
            "b3 127.0.0.1:7006@17006 slave a3 0 0 3 connected\n",
            "",
        )
        .says(&["n3"], "0 0 3", "0 0 2")
        .says(&["n1"], "5461-10922", "5461-10921");
    assert_eq!(
        told(&world),
        [
            "r2 forgets ee 127.0.0.1:7099@17099",
            "r1 meets r3",
            "n2, n3, which share epoch 2, get different epochs",
            "n1 learns that n2 owns slot 10922",
        ]
    );
}

#[test]
fn a_replica_of_a_replica_follows_the_master_at_the_end_of_the_chain() {
    let world = World::sound().says(&ALL, "slave a3", "slave b2");
    assert_eq!(told(&world), ["r3 becomes a replica of n2"]);
    let world = World::sound().says(&ALL, "slave a3", "slave ff");
    assert_eq!(told(&world), ["r3 becomes a replica of n3"]);
}

#[test]
fn a_migration_of_the_servers_is_cancelled() {
    use crate::reshape::check::{Detail, Migration};
    let job = |export| Migration {
        slots: "0-9".parse().unwrap(),
        export,
    };
    let detail = |export| Detail {
        migrations: vec![job(export)],
        ..Detail::default()
    };
    let mut world = World::sound();
    world.details = vec![("n1", detail(true)), ("n2", detail(false))];
    assert_eq!(told(&world), ["cancel the migration of slots 0-9 from n1"]);
}

#[test]
fn an_interrupted_command_goes_on_and_its_migrations_with_it() {
    use crate::plan::Intent;
    use crate::reshape::check::{Journaled, Migration, Unfinished};
    let mut world = World::sound().open("n1", "[7->-a2]").open("n2", "[7-<-a1]");
    let migrations = vec![Migration {
        slots: "0-6".parse().unwrap(),
        export: true,
    }];
    world.details = vec![(
        "n1",
        Detail {
            migrations,
            ..Detail::default()
        },
    )];
    world.unfinished = Journaled::Command(Unfinished {
        intent: Intent::DelNode {
            node: "n1".to_owned(),
        },
        slots: "0-9".parse().unwrap(),
    });
    assert_eq!(
        told(&world),
        [
            "n1 finishes migrating slot 7 to n2, with 0 keys left",
            "finish the deletion of `n1`, which moves slots 0-9",
        ]
    );
}

/// The repairs that are about who is a master and who copies whom.
fn of_roles(world: &World) -> Vec<String> {
    let repairs = repairs(&world.inspection());
    let of_roles = repairs.iter().filter(|repair| {
        let kind = repair.kind();
        !matches!(kind, "forget" | "meet" | "agree")
    });
    of_roles.map(ToString::to_string).collect()
}

#[test]
fn a_replica_whose_master_has_forgotten_all_takes_its_slots_and_is_copied() {
    let mut world = World::sound().wiped("n1", "ff");
    let promoted = "r1 becomes the master of slots 0-5460";
    assert_eq!(of_roles(&world), [promoted]);
    let repairs = repairs(&world.inspection());
    let place = |kind: &str| repairs.iter().position(|repair| repair.kind() == kind);
    assert!(place("promote") < place("forget") && place("forget") < place("meet"));

    // Of two replicas the one with more of the data; the other follows it.
    let two = |r1, r2| {
        let mut world = World::sound()
            .says(&["r2"], "slave a2", "slave a1")
            .wiped("n1", "ff");
        for (node, offset) in [("r1", r1), ("r2", r2)] {
            let offset = Some(offset);
            world.details.push((
                node,
                Detail {
                    offset,
                    ..Detail::default()
                },
            ));
        }
        of_roles(&world)
    };
    assert_eq!(two(7, 5), [promoted]);
    assert_eq!(two(5, 7), ["r2 becomes the master of slots 0-5460"]);

    // Once r1 has them, and n1 knows r1, it copies it.
    world = World::sound()
        .says(&["n1", "n2", "n3", "r2", "r3"], "slave a1", "master -")
        .says(
            &["n1", "n2", "n3", "r1", "r2", "r3"],
            "connected 0-5460",
            "connected",
        )
        .says(
            &["r1"],
            "myself,slave a1 0 0 1 connected",
            "myself,master - 0 0 9 connected 0-5460",
        );
    world.details.push(("n1", Detail::default()));
    assert!(of_roles(&world).contains(&"n1 becomes a replica of r1".to_owned()));
}

#[test]
fn a_replica_that_has_forgotten_all_copies_its_master_again_once_it_knows_it() {
    let world = World::sound().wiped("r1", "ff");
    assert_eq!(of_roles(&world), [""; 0]);
    let met = World::sound().says(&["r1"], "myself,slave a1 0 0 1", "myself,master - 0 0 7");
    let mut met = met.says(&["n1", "n2", "n3", "r2", "r3"], "slave a1", "master -");
    met.details.push(("r1", Detail::default()));
    assert_eq!(of_roles(&met), ["r1 becomes a replica of n1"]);
}
