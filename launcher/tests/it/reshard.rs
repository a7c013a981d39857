//! Slots move between masters with all that is in them, by both ways.

use std::time::Duration;

use shardlab::Cluster;
use shardlab::reshape::{Move, MoveEvent, MoveOptions, Way};
use shardlab::resp::Frame;
use shardlab::wait::Deadline;

use crate::lab::{Lab, PATIENCE};

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
            .wait_for(shardlab::Rung::Visible, Duration::from_secs(60))
            .await
            .unwrap();
    }
}
