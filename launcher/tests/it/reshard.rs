//! Slots move between masters with all that is in them, by both ways.

use std::ops::ControlFlow;
use std::time::Duration;

use nix::sys::signal::Signal;
use shardlab::Cluster;
use shardlab::machine::wait::{self, Deadline};
use shardlab::reshape::plan::{Reshard, Sources};
use shardlab::reshape::{Keep, Move, MoveEvent, MoveOptions, SlowKey, Way};
use shardlab::wire::NodeId;
use shardlab::wire::resp::Frame;
use shardlab::wire::slots::SlotRanges;
use tokio::sync::Notify;

use crate::lab::{Lab, PATIENCE, text, wait_until};
use crate::traffic::{Keys, Traffic};

const WAYS: [Way; 2] = [Way::Auto, Way::Keys];

fn by(way: Way) -> MoveOptions {
    MoveOptions {
        way,
        ..MoveOptions::default()
    }
}

fn part(slots: &str, from: &str, to: &str) -> Move {
    Move {
        slots: slots.parse().unwrap(),
        from: from.to_owned(),
        to: to.to_owned(),
    }
}

/// Sends many commands to one node, none of which may fail.
async fn all(cluster: &Cluster, node: &str, commands: &[Vec<Vec<u8>>]) -> Vec<Frame> {
    let mut connection = cluster.node(node).unwrap().connect().await.unwrap();
    let commands: Vec<&[Vec<u8>]> = commands.iter().map(Vec::as_slice).collect();
    let deadline = Deadline::after(PATIENCE);
    let replies = connection.pipeline(&commands, deadline).await.unwrap();
    for reply in &replies {
        assert_eq!(reply.as_error(), None, "{reply:?}");
    }
    replies
}

fn command<const N: usize>(words: [&[u8]; N]) -> Vec<Vec<u8>> {
    words.map(<[u8]>::to_vec).to_vec()
}

async fn move_all(cluster: &Cluster, moves: &[Move], options: MoveOptions) -> usize {
    let done = cluster.move_slots(moves, options, |_| {}).await.unwrap();
    assert_eq!(
        cluster.survey(Deadline::after(PATIENCE)).await.open_slots(),
        []
    );
    done.keys
}

/// Keys of slot 5061, which is `n1`'s of three masters; `{bar}` is hashed only.
fn bar(name: &[u8]) -> Vec<u8> {
    [b"{bar}".as_slice(), name].concat()
}

#[tokio::test]
async fn keys_of_all_kinds_arrive_as_they_were() {
    for way in WAYS {
        let lab = Lab::new();
        let cluster = lab.cluster().replicas(0).password("secret word").start();
        let cluster = cluster.await.unwrap();
        let (big, binary) = (vec![b'x'; 5 << 20], [0, b'\r', b'\n', 0xff]);
        let mut writes = vec![
            command([b"SET", &bar(b"big"), &big]),
            command([b"SET", &bar(&binary), &binary]),
            command([b"SET", &bar(b"ttl"), b"1", b"PX", b"3600000"]),
            command([b"RPUSH", &bar(b"list"), b"a", b"b"]),
            command([b"ZADD", &bar(b"zset"), b"1.5", b"m"]),
        ];
        // More than one round of the key by key way asks for.
        for number in 0..2500 {
            let name = format!("many:{number}");
            writes.push(command([b"SET", &bar(name.as_bytes()), name.as_bytes()]));
        }
        all(&cluster, "n1", &writes).await;
        // The slots around it are empty.
        let keys = move_all(&cluster, &[part("5000-5100", "n1", "n3")], by(way)).await;
        assert_eq!(keys, writes.len());
        let ask = |words: Vec<Vec<u8>>| {
            let cluster = &cluster;
            async move { all(cluster, "n3", &[words]).await.remove(0) }
        };
        assert_eq!(
            ask(command([b"GET", &bar(b"big")])).await.as_text(),
            Some(&big[..])
        );
        assert_eq!(
            ask(command([b"GET", &bar(&binary)])).await.as_text(),
            Some(&binary[..])
        );
        let left = ask(command([b"PTTL", &bar(b"ttl")]))
            .await
            .as_integer()
            .unwrap();
        assert!((1..=3_600_000).contains(&left), "{left}");
        assert_eq!(
            ask(command([b"LLEN", &bar(b"list")])).await.as_integer(),
            Some(2)
        );
        assert_eq!(
            ask(command([b"ZSCORE", &bar(b"zset"), b"m"]))
                .await
                .as_text(),
            Some(&b"1.5"[..])
        );
        for (node, keys) in [("n1", 0), ("n3", i64::try_from(writes.len()).unwrap())] {
            let size = cluster.call(node, &["DBSIZE"]).await.unwrap();
            assert_eq!(size.as_integer(), Some(keys), "{node} {way:?}");
        }
        let gone = cluster.call("n1", &["GET", "{bar}ttl"]).await.unwrap();
        assert_eq!(gone.error_code(), Some("MOVED"));
    }
}

#[tokio::test]
async fn what_has_been_moved_is_not_moved_again() {
    for way in WAYS {
        let lab = Lab::new();
        let cluster = lab.cluster().replicas(1).start().await.unwrap();
        let moves = [part("0-99", "n1", "n2"), part("10923-10999", "n3", "n2")];
        move_all(&cluster, &moves, by(way)).await;
        let again = cluster.move_slots(&moves, by(way), |event| {
            if let MoveEvent::Progress(progress) = event {
                assert_eq!(progress.slots, 0);
            }
        });
        assert_eq!(again.await.unwrap().slots, 0);
        cluster
            .wait_for(shardlab::Rung::Ready, Duration::from_secs(60))
            .await
            .unwrap();
    }
}

/// Begins a reshard and drops it as soon as it tells how far it is.
async fn give_up(cluster: &Cluster, wish: &Reshard, options: MoveOptions) {
    let begun = Notify::new();
    let reshard = cluster.reshard(wish, options, |_| begun.notify_one());
    tokio::select! {
        biased;
        () = begun.notified() => {}
        done = reshard => panic!("{done:?} at once"),
    }
}

#[tokio::test]
async fn a_client_that_follows_redirects_sees_no_error_and_no_key_is_lost() {
    for way in WAYS {
        let lab = Lab::new();
        let cluster = lab.cluster().replicas(1).start().await.unwrap();
        let keys = Keys::new(20_000);
        keys.write(&cluster).await.unwrap();
        let traffic = Traffic::start(&cluster, keys, 4);
        let wish = Reshard {
            slots: 3000,
            to: "n2".to_owned(),
            from: Sources::All,
        };
        give_up(&cluster, &wish, by(way)).await;
        let other = Reshard {
            slots: 1,
            ..wish.clone()
        };
        let refused = cluster.reshard(&other, by(way), |_| {}).await;
        let refused = refused.unwrap_err().to_string();
        let expected = "the reshard of 3000 slots to `n2` was interrupted";
        assert!(refused.starts_with(expected), "{refused}");
        cluster.reshard(&wish, by(way), |_| {}).await.unwrap();
        let report = traffic.stop().unwrap();
        let survey = cluster.survey(Deadline::after(PATIENCE)).await;
        assert_eq!(survey.node("n2").unwrap().slots.count(), 5462 + 3000);
        assert!(report.commands > 0);
        report.keys.verify(&cluster).await.unwrap();
    }
}

#[tokio::test]
async fn a_node_that_says_the_cluster_is_down_is_waited_for() {
    let lab = Lab::new();
    let cluster = lab.cluster().replicas(0).start().await.unwrap();
    all(&cluster, "n1", &[command([b"SET", &bar(b""), b"1"])]).await;
    // A master that does not cover one of its own slots refuses all commands with keys, MIGRATE too.
    let uncovered = |order: &'static [u8]| [command([b"CLUSTER", order, b"7"])];
    all(&cluster, "n1", &uncovered(b"DELSLOTS")).await;
    let source = cluster.node("n1").unwrap();
    let cover_again = async {
        let deadline = Deadline::after(PATIENCE);
        let refused = wait::until(deadline, Duration::from_millis(10), || async {
            let stats = source.call(&["INFO", "errorstats"]).await.unwrap();
            let stats = String::from_utf8_lossy(stats.as_text().unwrap()).into_owned();
            // Servers before Redis 6.2 do not count errors.
            if stats.is_empty() || stats.contains("errorstat_CLUSTERDOWN") {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        refused.await.unwrap();
        all(&cluster, "n1", &uncovered(b"ADDSLOTS")).await;
    };
    let moves = [part("5061", "n1", "n3")];
    let (keys, ()) = tokio::join!(move_all(&cluster, &moves, by(Way::Keys)), cover_again);
    assert_eq!(keys, 1);
}

/// How many slots are on their way from `n1`, by its own word.
fn open_slots(lab: &Lab) -> usize {
    let nodes = lab.shardlab(["call", "n1", "CLUSTER", "NODES"]);
    text(&nodes.output().unwrap().stdout).matches("->-").count()
}

#[tokio::test]
async fn a_killed_reshard_is_finished_by_the_same_command_and_moves_no_slot_more() {
    let lab = Lab::new();
    lab.up(&["--replicas", "0", "--ephemeral"]);
    let cluster = lab.open();
    let keys = Keys::new(50_000);
    keys.write(&cluster).await.unwrap();
    let mut owned = 5461;
    for (slots, way) in [(0, "keys"), (20, "keys"), (50, "keys"), (0, "auto")] {
        let command = ["reshard", "--slots", "300", "--to", "n3", "--from", "n1"];
        let command = [&command[..], &["--way", way, "-q"]].concat();
        lab.kill_when(&command, |lab| open_slots(lab) > slots);
        let journal = lab.home().join("default/reshape.json");
        let other = ["reshard", "--slots", "1", "--to", "n2"];
        if journal.exists() {
            let refused = lab.shardlab(other).assert().code(3);
            let errors = text(&refused.get_output().stderr);
            assert!(
                errors.contains("`shardlab reshard --slots 300 --to n3 --from n1`"),
                "{errors}"
            );
            let finished = lab.json([&command[..], &["--json"]].concat());
            assert_eq!(finished["resumed"], true);
        }
        owned -= 300;
        assert!(!journal.exists());
        let survey = cluster.survey(Deadline::after(PATIENCE)).await;
        assert_eq!(survey.open_slots(), []);
        let count = |node| survey.node(node).unwrap().slots.count();
        assert_eq!(
            (count("n1"), count("n2"), count("n3")),
            (owned, 5462, 10922 - owned)
        );
        keys.verify(&cluster).await.unwrap();
    }
}

#[tokio::test]
async fn a_slot_that_is_open_or_has_keys_on_both_sides_is_settled() {
    let lab = Lab::new();
    let cluster = lab.cluster().replicas(0).start().await.unwrap();
    let ids: Vec<NodeId> = cluster
        .survey(Deadline::after(PATIENCE))
        .await
        .masters()
        .map(|(_, line)| line.id.clone())
        .collect();
    let (slot, set) = ("5061", command([b"SET", &bar(b"1"), b"old"]));
    all(&cluster, "n1", &[set, command([b"SET", &bar(b"2"), b"2"])]).await;
    let order = |words: [&str; 2]| {
        let words = ["CLUSTER", "SETSLOT", slot, words[0], words[1]];
        words.map(|word| word.as_bytes().to_vec()).to_vec()
    };
    all(&cluster, "n2", &[order(["IMPORTING", &ids[0]])]).await;
    let asking = command([b"ASKING"]);
    let set = command([b"SET", &bar(b"1"), b"new"]);
    all(&cluster, "n2", &[asking, set]).await;
    let slot = shardlab::wire::slots::Slot::new(5061).unwrap();
    let options = MoveOptions::default();

    let keys = cluster
        .settle_slots(
            &SlotRanges::from_iter([slot]),
            "n1",
            "n2",
            Keep::Target,
            options,
        )
        .await;
    assert_eq!(keys.unwrap(), 2);
    let get = |key: &[u8]| command([b"GET", &bar(key)]);
    let values = all(&cluster, "n2", &[get(b"1"), get(b"2")]).await;
    let values: Vec<_> = values
        .iter()
        .map(|value| value.as_text().unwrap())
        .collect();
    assert_eq!(values, [&b"new"[..], b"2"]);
    let survey = cluster.survey(Deadline::after(PATIENCE)).await;
    assert_eq!(survey.owners(slot).collect::<Vec<_>>(), ["n2"]);
    assert_eq!(survey.open_slots(), []);
    // There is nothing left to do, which is fine.
    let again = cluster
        .settle_slots(
            &SlotRanges::from_iter([slot]),
            "n1",
            "n2",
            Keep::Source,
            options,
        )
        .await;
    assert_eq!(again.unwrap(), 0);
}

#[tokio::test]
async fn a_key_that_is_too_slow_is_told_by_name_and_tried_again_with_more_time() {
    let lab = Lab::new();
    let cluster = lab.cluster().replicas(0).start().await.unwrap();
    let big = vec![b'x'; 1 << 20];
    let name = |number: u8| bar(&[b'\n', number]);
    // So much in all that the keys are sized up, and go one by one.
    let writes: Vec<_> = (0..70)
        .map(|number| command([b"SET", &name(number), &big]))
        .collect();
    all(&cluster, "n1", &writes).await;
    let target = cluster.node("n3").unwrap();
    let options = MoveOptions {
        migrate_timeout: Duration::from_millis(100),
        ..by(Way::Keys)
    };
    // The target freezes after the first key, and thaws when that has been noticed.
    let (mut frozen, mut told) = (false, Vec::<SlowKey>::new());
    let moves = [part("5061", "n1", "n3")];
    let done = cluster.move_slots(&moves, options, |event| match event {
        MoveEvent::Progress(progress) if progress.keys_done > 0 && !frozen => {
            frozen = true;
            target.pause().unwrap();
        }
        MoveEvent::SlowKey(slow) => {
            told.push((*slow).clone());
            target.resume().unwrap();
        }
        _ => {}
    });
    assert_eq!(done.await.unwrap().keys, 70);
    let slow = told.first().unwrap();
    assert!(slow.key.starts_with("{bar}\\n"), "{slow:?}");
    assert!(slow.bytes > 1 << 20, "{slow:?}");
    assert_eq!(slow.timeout, Duration::from_millis(500));
    for number in 0..70 {
        let reply = all(&cluster, "n3", &[command([b"GET", &name(number)])]).await;
        assert_eq!(reply[0].as_text(), Some(&big[..]));
    }
    for (node, keys) in [("n1", 0), ("n3", 70)] {
        let size = cluster.call(node, &["DBSIZE"]).await.unwrap();
        assert_eq!(size.as_integer(), Some(keys));
    }
}

#[tokio::test]
async fn a_node_that_is_gone_ends_a_move_before_it_begins() {
    let lab = Lab::new();
    let cluster = lab.cluster().replicas(0).start().await.unwrap();
    let process = cluster.node("n1").unwrap().process().unwrap();
    let moves = [
        part("10923-10930", "n3", "n2"),
        part("10931-10940", "n3", "n1"),
    ];
    // It answered when all were asked.
    let done = cluster.move_slots(&moves, by(Way::Keys), |_| {
        let _ = process.signal(Signal::SIGKILL);
        wait_until("n1 is gone", || !process.is_alive());
    });
    let refused = done.await.unwrap_err();
    assert!(
        matches!(&refused, shardlab::Error::Client { node, .. } if node == "n1"),
        "{refused}"
    );
    let survey = cluster.survey(Deadline::after(PATIENCE)).await;
    assert_eq!(survey.open_slots(), []);
    let of_n2 = survey.node("n2").unwrap().slots.to_string();
    assert_eq!(of_n2, "5461-10922");
}

#[test]
fn a_plan_is_shown_without_being_done_and_an_impossible_one_is_refused() {
    let lab = Lab::new();
    lab.up(&["--replicas", "1", "--ephemeral"]);
    let command = ["reshard", "--slots", "4", "--to", "n3", "--json"];
    let shown = lab.json([&command[..], &["--dry-run"]].concat());
    assert_eq!(shown["schema"], 2);
    assert_eq!(shown["dry_run"], true);
    assert_eq!(shown["moves"][0]["slots"], serde_json::json!(["0-1"]));
    assert_eq!(shown["moves"][1]["slots"], serde_json::json!(["5461-5462"]));
    assert!(!lab.home().join("default/reshape.json").exists());
    // Only shown: the same again, and then done.
    let done = lab.json(command);
    assert_eq!(done["moves"], shown["moves"]);
    assert_eq!(done["moved"]["slot_count"], 4);
    let back = lab.json(["rebalance", "--threshold", "0", "--json"]);
    // One master has a slot more than the others, and that is who has most.
    assert_eq!(back["moved"]["slot_count"], 3);
    let refusals = [
        (["--slots", "16000", "--to", "n3"], "--slots 10922"),
        (["--slots", "1", "--to", "r1"], "`n1` is its master"),
        (["--slots", "1", "--to", "n9"], "no node `n9`"),
    ];
    for (wish, hint) in refusals {
        let refused = lab
            .shardlab([&["reshard"], &wish[..]].concat())
            .assert()
            .code(2);
        let errors = text(&refused.get_output().stderr);
        assert!(errors.contains(hint), "{errors}");
    }
}
