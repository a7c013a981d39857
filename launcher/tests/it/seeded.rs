//! A seeded cluster cannot be told from one that was formed by commands, and does all that one does.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::time::Duration;

use shardlab::machine::wait::{Deadline, until};
use shardlab::plan::{Boot, Options, PortChoice, Setting};
use shardlab::state::Home;
use shardlab::wire::view::{self, Epoch, Flag, NodeId};
use shardlab::{Cluster, Rung};

use crate::lab::{Lab, PATIENCE, text};

/// What one node says of another, in words that do not differ from cluster to cluster.
type Seen = (BTreeSet<Flag>, Option<String>, bool, String, u16);

/// A cluster as all of its nodes see it: viewer, then node, then what is seen.
async fn picture(cluster: &Cluster) -> BTreeMap<String, BTreeMap<String, Seen>> {
    let mut names = BTreeMap::new();
    for node in cluster.nodes() {
        let id = node.call(&["CLUSTER", "MYID"]).await.unwrap();
        names.insert(
            NodeId::new(str::from_utf8(id.as_text().unwrap()).unwrap()).unwrap(),
            node.name().to_owned(),
        );
    }
    let mut picture = BTreeMap::new();
    for viewer in cluster.nodes() {
        let lines = view::nodes(&viewer.call(&["CLUSTER", "NODES"]).await.unwrap()).unwrap();
        let seen = lines.into_iter().map(|line| {
            let name = names
                .get(&line.id)
                .unwrap_or_else(|| panic!("a stranger: {line:?}"))
                .clone();
            let slots: Vec<_> = line
                .slots
                .ranges()
                .iter()
                .map(ToString::to_string)
                .collect();
            let master = line.master.as_ref().map(|id| names[id].clone());
            let (port, bus_port) = (line.address.port(), line.address.bus_port());
            let bus_is_offset = bus_port.unwrap() - port.unwrap();
            (
                name,
                (
                    line.flags,
                    master,
                    line.connected,
                    slots.join(","),
                    bus_is_offset,
                ),
            )
        });
        picture.insert(viewer.name().to_owned(), seen.collect());
    }
    picture
}

/// Every line of every nodes.conf is about a node of ours, and each shard has one id of its own.
fn assert_files_agree(cluster: &Cluster) {
    for node in cluster.nodes() {
        let text = std::fs::read_to_string(node.dir().join("nodes.conf")).unwrap();
        let lines: Vec<_> = text
            .lines()
            .filter(|line| !line.starts_with("vars "))
            .collect();
        assert_eq!(
            lines.len(),
            cluster.nodes().len(),
            "{}:\n{text}",
            node.name()
        );
        let mut shards: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        for line in lines {
            let port = cluster
                .nodes()
                .iter()
                .find(|node| line.contains(&format!(":{}@", node.plan().port)))
                .unwrap();
            if let Some(id) = line.split("shard-id=").nth(1).map(|rest| &rest[..40]) {
                shards
                    .entry(id.to_owned())
                    .or_default()
                    .insert(port.plan().shard);
            }
        }
        assert!(
            shards.values().all(|shards| shards.len() == 1),
            "{}:\n{text}",
            node.name()
        );
        assert!(
            shards.is_empty() || shards.len() == 3,
            "{}:\n{text}",
            node.name()
        );
    }
}

async fn epochs(cluster: &Cluster) -> BTreeSet<Epoch> {
    let lines = view::nodes(&cluster.call("n1", &["CLUSTER", "NODES"]).await.unwrap()).unwrap();
    lines
        .iter()
        .filter(|line| line.master.is_none())
        .map(|line| line.epoch)
        .collect()
}

/// All settings, but for those that name ports and folders.
async fn settings(cluster: &Cluster, node: &str) -> BTreeMap<String, String> {
    let reply = cluster.call(node, &["CONFIG", "GET", "*"]).await.unwrap();
    let words: Vec<_> = reply
        .as_array()
        .unwrap()
        .iter()
        .map(|word| String::from_utf8_lossy(word.as_text().unwrap()).into_owned())
        .collect();
    let own = [
        "port",
        "cluster-port",
        "dir",
        "slaveof",
        "replicaof",
        "pidfile",
    ];
    words
        .chunks(2)
        .map(|pair| (pair[0].clone(), pair[1].clone()))
        .filter(|(key, _)| !own.contains(&key.as_str()))
        .collect()
}

async fn both_ways(lab: &Lab, persist: bool) -> [Cluster; 2] {
    // A replica that has come back is hidden from CLUSTER SLOTS until the next ping of its master.
    let settings = vec![Setting::parse("repl-ping-replica-period=1").unwrap()];
    let options = |boot| Options {
        settings: settings.clone(),
        // Its offset travels by gossip, in half of this.
        node_timeout: Duration::from_secs(1),
        ports: PortChoice::Auto,
        persist,
        boot,
        ..Options::default()
    };
    [
        lab.cluster()
            .options(options(Boot::Seeded))
            .start()
            .await
            .unwrap(),
        lab.cluster()
            .options(options(Boot::Commands))
            .start()
            .await
            .unwrap(),
    ]
}

/// The whole cluster, with its data.
async fn stop_and_start(lab: &Lab, cluster: &mut Cluster) {
    let home = Home::at(lab.home());
    let lock = home
        .lock(cluster.name(), Deadline::after(PATIENCE))
        .await
        .unwrap();
    cluster.stop_locked(&lock, &[]).await.unwrap();
    cluster
        .start_locked(&lock, &[], Rung::Ready, Some(PATIENCE), |_| {})
        .await
        .unwrap();
}

async fn assert_alike([seeded, formed]: &[Cluster; 2]) {
    assert_eq!(picture(seeded).await, picture(formed).await);
    for cluster in [seeded, formed] {
        assert_eq!(
            epochs(cluster).await.len(),
            3,
            "every master has an epoch of its own"
        );
        assert_files_agree(cluster);
    }
    for node in ["n2", "r2"] {
        assert_eq!(settings(seeded, node).await, settings(formed, node).await);
    }
}

#[tokio::test]
async fn a_seeded_cluster_looks_like_a_formed_one_also_after_restarts() {
    let lab = Lab::new();
    let mut both = both_ways(&lab, true).await;
    assert_alike(&both).await;
    for cluster in &mut both {
        stop_and_start(&lab, cluster).await;
    }
    assert_alike(&both).await;
    for cluster in &both {
        cluster.node("r3").unwrap().restart().await.unwrap();
        cluster.wait_for(Rung::Ready, PATIENCE).await.unwrap();
    }
    assert_alike(&both).await;
}

async fn becomes(cluster: &Cluster, node: &str, role: &str) {
    let node = cluster.node(node).unwrap();
    let reached = until(
        Deadline::after(PATIENCE),
        Duration::from_millis(20),
        || async {
            match node.call(&["INFO", "replication"]).await {
                Ok(info) if view::info_field(&info, "role") == Some(role) => ControlFlow::Break(()),
                other => ControlFlow::Continue(format!("{other:?}")),
            }
        },
    );
    assert_eq!(
        reached.await,
        Ok(()),
        "{} does not become {role}",
        node.name()
    );
}

/// Sends a command until it is answered by anything but an error.
async fn obeyed(cluster: &Cluster, node: &str, command: &[&str]) {
    let reached = until(
        Deadline::after(PATIENCE),
        Duration::from_millis(20),
        || async {
            match cluster.call(node, command).await {
                Ok(reply) if reply.as_error().is_none() => ControlFlow::Break(()),
                other => ControlFlow::Continue(format!("{other:?}")),
            }
        },
    );
    assert_eq!(reached.await, Ok(()), "{node} does not obey {command:?}");
}

/// Moves slot 15495 from n3 to r1, with its key.
async fn move_slot_of_a(cluster: &Cluster) {
    let id = |reply: shardlab::wire::resp::Frame| {
        String::from_utf8(reply.as_text().unwrap().to_vec()).unwrap()
    };
    let from = id(cluster.call("n3", &["CLUSTER", "MYID"]).await.unwrap());
    let to = id(cluster.call("r1", &["CLUSTER", "MYID"]).await.unwrap());
    obeyed(
        cluster,
        "r1",
        &["CLUSTER", "SETSLOT", "15495", "IMPORTING", &from],
    )
    .await;
    obeyed(
        cluster,
        "n3",
        &["CLUSTER", "SETSLOT", "15495", "MIGRATING", &to],
    )
    .await;
    let port = cluster.node("r1").unwrap().plan().port.to_string();
    obeyed(
        cluster,
        "n3",
        &["MIGRATE", "127.0.0.1", &port, "a", "0", "60000"],
    )
    .await;
    obeyed(cluster, "r1", &["CLUSTER", "SETSLOT", "15495", "NODE", &to]).await;
    obeyed(cluster, "n3", &["CLUSTER", "SETSLOT", "15495", "NODE", &to]).await;
    assert_eq!(
        cluster.call("r1", &["GET", "a"]).await.unwrap().as_text(),
        Some(&b"1"[..])
    );
}

/// A node that was born elsewhere joins.
async fn take_in_a_stranger(lab: &Lab, cluster: &Cluster) {
    let bare = Options {
        masters: 1,
        replicas: vec![0],
        boot: Boot::None,
        ports: PortChoice::Auto,
        ..Options::default()
    };
    let other = lab.cluster().options(bare).start().await.unwrap();
    let port = other.node("n1").unwrap().plan().port.to_string();
    obeyed(cluster, "n1", &["CLUSTER", "MEET", "127.0.0.1", &port]).await;
    let joined = until(
        Deadline::after(PATIENCE),
        Duration::from_millis(20),
        || async {
            let info = other.call("n1", &["CLUSTER", "INFO"]).await.unwrap();
            let whole = view::info_field(&info, "cluster_known_nodes") == Some("7")
                && view::info_field(&info, "cluster_state") == Some("ok");
            if whole {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        },
    );
    assert_eq!(joined.await, Ok(()));
}

#[tokio::test]
async fn a_seeded_cluster_does_all_that_a_cluster_does() {
    let lab = Lab::new();
    let options = Options {
        ports: PortChoice::Auto,
        boot: Boot::Seeded,
        node_timeout: Duration::from_secs(1),
        settings: vec![Setting::parse("repl-ping-replica-period=1").unwrap()],
        ..Options::default()
    };
    let mut cluster = lab.cluster().options(options).start().await.unwrap();

    for (node, key) in [("n1", "b"), ("n2", "c"), ("n3", "a")] {
        let mut connection = cluster.node(node).unwrap().connect().await.unwrap();
        let deadline = Deadline::after(PATIENCE);
        assert_eq!(
            connection
                .call(&["SET", key, "1"], deadline)
                .await
                .unwrap()
                .as_text(),
            Some(&b"OK"[..])
        );
        assert_eq!(
            connection
                .call(&["WAIT", "1", "60000"], deadline)
                .await
                .unwrap()
                .as_integer(),
            Some(1)
        );
    }

    // By hand, then by death; the old masters come back as replicas.
    obeyed(&cluster, "r1", &["CLUSTER", "FAILOVER"]).await;
    becomes(&cluster, "r1", "master").await;
    becomes(&cluster, "n1", "slave").await;
    cluster.node("n2").unwrap().kill().await.unwrap();
    becomes(&cluster, "r2", "master").await;
    cluster.node("n2").unwrap().start().await.unwrap();
    becomes(&cluster, "n2", "slave").await;
    cluster.wait_for(Rung::Ready, PATIENCE).await.unwrap();
    assert_eq!(
        cluster.call("r2", &["GET", "c"]).await.unwrap().as_text(),
        Some(&b"1"[..])
    );

    move_slot_of_a(&cluster).await;

    // All of it survives a stop.
    stop_and_start(&lab, &mut cluster).await;
    assert_eq!(
        cluster.call("r1", &["GET", "a"]).await.unwrap().as_text(),
        Some(&b"1"[..])
    );

    take_in_a_stranger(&lab, &cluster).await;
}

#[tokio::test]
async fn seeded_shapes_are_whole_and_keep_no_phantom() {
    for (masters, replicas) in [(1, 0), (2, 0), (5, 0), (1, 2), (2, 1), (3, 2)] {
        let lab = Lab::new();
        let options = Options {
            masters,
            replicas: vec![replicas],
            ports: PortChoice::Auto,
            boot: Boot::Seeded,
            password: Some("secret".to_owned()),
            ..Options::default()
        };
        let cluster = lab.cluster().options(options).start().await.unwrap();
        assert_eq!(picture(&cluster).await.len(), masters * (1 + replicas));
        let standings = cluster.standings().await;
        assert!(
            standings
                .iter()
                .all(|standing| standing.rung == Some(Rung::Ready)),
            "{standings:?}"
        );
        for node in cluster.nodes() {
            let text = std::fs::read_to_string(node.dir().join("nodes.conf")).unwrap();
            assert!(!text.contains(":9@9"), "{masters} + {replicas}: {text}");
        }
    }
}

/// `up` with a stand-in from tests/fake that becomes the real server.
fn up_with(lab: &Lab, stand_in: &str, args: &[&str]) -> std::process::Output {
    let real =
        lab.json(["up", "--dry-run", "--json", "--port", "auto"])["server"]["program"].clone();
    // A program that looks at the name that it is started by (Debian's redis-check-rdb) serves by any other.
    let server = lab.home().with_file_name("any-server");
    std::os::unix::fs::symlink(real.as_str().unwrap(), &server).unwrap();
    let stand_in = format!("{}/tests/fake/{stand_in}", env!("CARGO_MANIFEST_DIR"));
    let up = [
        "up",
        "--bind",
        lab.address(),
        "--port",
        "auto",
        "--json",
        "--server",
        &stand_in,
    ];
    let mark = lab.home().with_file_name("mark");
    let output = lab
        .shardlab(up.iter().chain(args))
        .env("REAL_SERVER", &server)
        .env("MARK", &mark)
        .timeout(PATIENCE)
        .output()
        .unwrap();
    let _ = std::fs::remove_dir(mark);
    std::fs::remove_file(server).unwrap();
    output
}

/// Asserts that `up` was successful and all masters are those that were planned; gives what it told on the way.
#[track_caller]
fn assert_visible(output: &std::process::Output) -> String {
    let told = text(&output.stderr);
    assert!(output.status.success(), "{told}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["rung"], "ready");
    let nodes = report["nodes"].as_array().unwrap().iter();
    let roles: Vec<_> = nodes.map(|node| node["role"].to_string()).collect();
    assert_eq!(roles[..3], ["\"master\"", "\"master\"", "\"master\""]);
    told
}

/// How often each node was started.
fn starts(lab: &Lab) -> Vec<usize> {
    let nodes = lab.open();
    let logs = nodes
        .nodes()
        .iter()
        .map(|node| std::fs::read_to_string(node.log_path()).unwrap());
    logs.map(|log| log.matches("eady to accept connections").count())
        .collect()
}

#[test]
fn one_node_that_lost_its_seeds_is_made_up_for_and_the_others_are_kept() {
    let lab = Lab::new();
    let output = up_with(&lab, "forgetful-server", &[]);
    assert_visible(&output);
    assert_eq!(starts(&lab), [1; 6]);
}

#[test]
fn a_server_that_does_not_take_seeds_is_formed_by_commands() {
    for replicas in ["1", "0"] {
        let lab = Lab::new();
        let output = up_with(
            &lab,
            "seedless-server",
            &["--boot", "seeded", "--replicas", replicas],
        );
        assert_visible(&output);
        assert!(starts(&lab).iter().all(|starts| *starts == 1));
    }
}

#[test]
fn a_node_that_hangs_while_roles_are_turned_round_is_started_anew() {
    let lab = Lab::new();
    let output = up_with(&lab, "hanging-server", &["--boot", "seeded"]);
    assert_visible(&output);
}

#[test]
fn a_handshake_that_only_one_side_has_finished_is_begun_again() {
    let lab = Lab::new();
    let args = [
        "--boot",
        "commands",
        "--replicas",
        "0",
        "--node-timeout",
        "1s",
    ];
    let output = up_with(&lab, "dozing-server", &args);
    assert_visible(&output);
}

#[test]
fn a_server_that_dies_while_it_is_formed_is_told_at_once() {
    let lab = Lab::new();
    let args = ["--boot", "commands", "--replicas", "0", "--timeout", "1h"];
    let output = up_with(&lab, "dying-server", &args);
    let told = text(&output.stderr);
    assert!(
        told.contains("ended by SIGKILL; its last log lines:"),
        "{told}"
    );
    lab.assert_empty();
}
