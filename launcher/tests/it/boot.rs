//! What a started cluster is like, in every shape.

use shardlab::plan::{Boot, Options, PortChoice};
use shardlab::wire::slots::key_slot;
use shardlab::wire::view;
use shardlab::{Cluster, Rung};

use crate::lab::{Lab, PATIENCE, text};

fn ephemeral() -> Options {
    Options {
        ports: PortChoice::Auto,
        persist: false,
        ..Options::default()
    }
}

async fn config(cluster: &Cluster, node: &str, directive: &str) -> String {
    let reply = cluster
        .call(node, &["CONFIG", "GET", directive])
        .await
        .unwrap();
    String::from_utf8(reply.as_array().unwrap()[1].as_text().unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn a_started_cluster_stands_on_every_rung_and_takes_writes_at_once() {
    let lab = Lab::new();
    let cluster = lab.cluster().start().await.unwrap();
    let standings = cluster.standings().await;
    assert!(
        standings
            .iter()
            .all(|standing| standing.rung == Some(Rung::Ready)),
        "{standings:?}"
    );
    for (node, key) in [("n1", "b"), ("n2", "c"), ("n3", "a")] {
        assert_eq!(
            cluster
                .call(node, &["SET", key, "1"])
                .await
                .unwrap()
                .as_text(),
            Some(&b"OK"[..])
        );
    }
    drop(cluster);
    lab.assert_empty();
}

#[tokio::test]
async fn what_the_boot_bends_is_as_the_user_wants_it_afterwards() {
    let lab = Lab::new();
    let cluster = lab
        .cluster()
        .setting("repl-ping-replica-period", "7")
        .unwrap()
        .start()
        .await
        .unwrap();
    for node in ["n1", "r3"] {
        assert_eq!(
            config(&cluster, node, "repl-ping-replica-period").await,
            "7"
        );
        assert_eq!(config(&cluster, node, "cluster-node-timeout").await, "5000");
        assert_eq!(config(&cluster, node, "hz").await, "10");
    }
}

#[tokio::test]
async fn our_hash_slots_are_the_servers() {
    let lab = Lab::new();
    let cluster = lab.cluster().options(Options {
        masters: 1,
        replicas: vec![0],
        boot: Boot::None,
        ..ephemeral()
    });
    let cluster = cluster.start().await.unwrap();
    let mut connection = cluster.node("n1").unwrap().connect().await.unwrap();
    let deadline = shardlab::machine::wait::Deadline::after(PATIENCE);
    let mut state = 1_u32;
    for length in 0..600_usize {
        // A linear congruential generator with braces thrown in: hash tags of every form.
        let key: Vec<u8> = (0..length % 40)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let byte = (state >> 24).to_be_bytes()[3];
                match byte % 8 {
                    0 => b'{',
                    1 => b'}',
                    _ => byte,
                }
            })
            .collect();
        let command: [&[u8]; 3] = [b"CLUSTER", b"KEYSLOT", &key];
        let theirs = connection
            .call(&command, deadline)
            .await
            .unwrap()
            .as_integer();
        assert_eq!(theirs, Some(i64::from(key_slot(&key).number())), "{key:?}");
    }
}

#[tokio::test]
async fn bare_nodes_know_nobody() {
    let lab = Lab::new();
    let cluster = lab
        .cluster()
        .options(Options {
            boot: Boot::None,
            ..ephemeral()
        })
        .start()
        .await
        .unwrap();
    let info = cluster.call("r3", &["CLUSTER", "INFO"]).await.unwrap();
    assert_eq!(view::info_field(&info, "cluster_known_nodes"), Some("1"));
    assert_eq!(view::info_field(&info, "cluster_slots_assigned"), Some("0"));
}

#[tokio::test]
async fn a_password_guards_clients_and_lets_replicas_in() {
    let lab = Lab::new();
    let password = "p@ss \"word\"\n";
    let cluster = lab
        .cluster()
        .options(Options {
            masters: 2,
            ..ephemeral()
        })
        .password(password)
        .start()
        .await
        .unwrap();
    let named = cluster.record().server.named_users();
    let user = if named { "default" } else { "" };
    let url = format!("redis://{user}:p%40ss%20%22word%22%0A@127.");
    assert!(cluster.url().starts_with(&url), "{}", cluster.url());
    let address = cluster.node("n1").unwrap().address();
    let deadline = shardlab::machine::wait::Deadline::after(PATIENCE);
    let mut stranger = shardlab::wire::client::Connection::open(address, deadline)
        .await
        .unwrap();
    let refused = stranger.call(&["PING"], deadline).await.unwrap();
    assert_eq!(refused.error_code(), Some("NOAUTH"));
    // As a client does that is given the URL.
    let words = ["AUTH", user, password];
    let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let let_in = stranger.call(&words, deadline).await.unwrap();
    assert_eq!(let_in.as_text(), Some(&b"OK"[..]), "{let_in:?}");
    let conf = cluster.node("n1").unwrap().dir().join("node.conf");
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(conf).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn shapes_that_are_not_three_and_three() {
    for (masters, replicas) in [
        (1, vec![0]),
        (1, vec![2]),
        (2, vec![0]),
        (3, vec![2, 0, 1]),
        (4, vec![0]),
    ] {
        let lab = Lab::new();
        let options = Options {
            masters,
            replicas: replicas.clone(),
            ..ephemeral()
        };
        let cluster = lab.cluster().options(options).start().await.unwrap();
        let standings = cluster.standings().await;
        assert!(
            standings
                .iter()
                .all(|standing| standing.rung == Some(Rung::Ready)),
            "{masters} masters, {replicas:?} replicas: {standings:?}"
        );
    }
}

#[tokio::test]
async fn nodes_listen_where_they_are_told_to() {
    let lab = Lab::new();
    let options = Options {
        masters: 1,
        bind: vec!["::1".parse().unwrap()],
        announce: Some("::1".to_owned()),
        ..ephemeral()
    };
    let cluster = lab.cluster().options(options).start().await.unwrap();
    assert!(
        cluster.url().starts_with("redis://[::1]:"),
        "{}",
        cluster.url()
    );
    let nodes = cluster.call("r1", &["CLUSTER", "NODES"]).await.unwrap();
    let nodes = view::nodes(&nodes).unwrap();
    assert!(
        nodes.iter().all(|line| line.address.host() == "::1"),
        "{nodes:?}"
    );
}

#[tokio::test]
async fn slots_go_to_whom_they_are_given() {
    let lab = Lab::new();
    let slots = ["0-99,16000-16383", "100-15999"]
        .map(|text| text.parse().unwrap())
        .to_vec();
    let options = Options {
        masters: 2,
        replicas: vec![0],
        slots: Some(slots),
        ..ephemeral()
    };
    let cluster = lab.cluster().options(options).start().await.unwrap();
    let reply = cluster.call("n2", &["CLUSTER", "SLOTS"]).await.unwrap();
    let ranges: Vec<_> = view::slots(&reply)
        .unwrap()
        .iter()
        .map(|line| (line.start, line.end))
        .collect();
    assert_eq!(ranges, [(0, 99), (100, 15999), (16000, 16383)]);
}

#[tokio::test]
async fn a_killed_node_returns_with_its_data() {
    let lab = Lab::new();
    let options = Options {
        masters: 1,
        replicas: vec![0],
        persist: true,
        ..ephemeral()
    };
    let cluster = lab
        .cluster()
        .options(options)
        .setting("appendfsync", "always")
        .unwrap()
        .start()
        .await
        .unwrap();
    cluster.call("n1", &["SET", "a", "kept"]).await.unwrap();
    let node = cluster.node("n1").unwrap();
    let before = node.process().unwrap();
    node.restart().await.unwrap();
    assert_ne!(node.process().unwrap(), before);
    cluster.wait_for(Rung::Ready, PATIENCE).await.unwrap();
    assert_eq!(
        cluster.call("n1", &["GET", "a"]).await.unwrap().as_text(),
        Some(&b"kept"[..])
    );
}

#[test]
fn a_cluster_without_config_does_what_a_cluster_does() {
    let lab = Lab::new();
    let options = [
        "--set",
        "rename-command=CONFIG \"\"",
        "--node-timeout",
        "1s",
    ];
    assert_eq!(lab.up(&options)["rung"], "ready");
    let succeeds = |args: &[&str]| {
        let output = lab.shardlab(args).timeout(PATIENCE).output().unwrap();
        assert!(
            output.status.success(),
            "{args:?}: {}{}",
            text(&output.stdout),
            text(&output.stderr)
        );
        text(&output.stdout)
    };
    let told = lab
        .shardlab(["call", "CONFIG", "GET", "hz"])
        .output()
        .unwrap();
    assert!(text(&told.stdout).contains("unknown command"), "{told:?}");
    succeeds(&["stop"]);
    assert!(succeeds(&["start"]).contains("running, ready"));
    succeeds(&["add-node"]);
    succeeds(&["reshard", "--slots", "100", "--to", "n4"]);
    succeeds(&["failover", "n1"]);
    succeeds(&["del-node", "n4"]);
    succeeds(&["check"]);
    succeeds(&["down"]);
    lab.assert_empty();
}

#[test]
fn a_command_that_cannot_be_done_without_is_named_at_once() {
    let lab = Lab::new();
    for (command, boot) in [
        ("CLUSTER", "seeded"),
        ("CLUSTER", "commands"),
        ("INFO", "auto"),
    ] {
        let rename = format!("rename-command={command} other");
        let up = [
            "up",
            "--bind",
            lab.address(),
            "--port",
            "auto",
            "--timeout",
            "1h",
            "--boot",
            boot,
            "--set",
            &rename,
        ];
        let output = lab.shardlab(up).timeout(PATIENCE).output().unwrap();
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{told}");
        assert!(told.contains("unknown command"), "{told}");
        let hint = format!("an ACL rule takes `{command}");
        assert!(told.contains(&hint), "{told}");
        lab.assert_empty();
    }
}
