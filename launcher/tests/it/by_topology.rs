//! Replication, Sentinel and standalone servers, on real servers.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use shardlab::cluster::routing::Router;
use shardlab::machine::wait::{Deadline, until};
use shardlab::node::Endpoint;
use shardlab::plan::{Boot, Role, Topology};
use shardlab::{Cluster, Node, Rung};

use crate::lab::{Lab, PATIENCE, text};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn every_topology_starts_with_its_names_and_climbs_the_whole_ladder() {
    let cases = [
        (Topology::Standalone, "n1"),
        (Topology::Replication, "n1 r1 r1b"),
        (Topology::Sentinel, "n1 r1 r1b s1 s2 s3"),
    ];
    runtime().block_on(async {
        for (topology, names) in cases {
            for boot in [Boot::Auto, Boot::Commands] {
                let lab = Lab::new();
                let builder = lab.cluster().topology(topology).boot(boot);
                let cluster = builder.start().await.unwrap();
                let there: Vec<_> = cluster.nodes().iter().map(Node::name).collect();
                assert_eq!(there.join(" "), names);
                assert!(cluster.climb().reached(Rung::Ready).is_some());
                assert!(cluster.is_as_born().await, "{topology}");
                for node in cluster.nodes() {
                    assert_eq!(node.role().await.unwrap(), node.plan().role);
                    assert_eq!(node.bus_port(), None);
                }
                let sentinels = cluster.sentinels().count();
                let expected = if topology == Topology::Sentinel { 3 } else { 0 };
                assert_eq!(sentinels, expected);
                drop(cluster);
                lab.assert_empty();
            }
        }
    });
}

#[test]
fn bare_nodes_know_nothing_of_each_other() {
    runtime().block_on(async {
        let lab = Lab::new();
        let builder = lab.cluster().topology(Topology::Sentinel);
        let cluster = builder.boot(Boot::None).start().await.unwrap();
        for node in cluster.nodes_with_data() {
            assert_eq!(node.role().await.unwrap(), Role::Master);
        }
        let reply = cluster.call("s1", &["SENTINEL", "MASTERS"]).await.unwrap();
        assert_eq!(reply.as_array().map(<[_]>::len), Some(0));
    });
}

/// `call` of the router: a write goes to the node that is the master now.
async fn call(cluster: &Cluster, command: &[&str]) -> (String, String) {
    let mut router = Router::new(cluster);
    let called = router.call(command, Deadline::after(PATIENCE)).await;
    let (node, reply) = called.unwrap();
    let text = reply.as_text().or_else(|| reply.as_error());
    let text = text.unwrap_or_default().to_vec();
    (node, String::from_utf8(text).unwrap())
}

async fn standing(cluster: &Cluster) -> BTreeMap<String, Role> {
    let mut roles = BTreeMap::new();
    for node in cluster.nodes_with_data() {
        roles.insert(node.name().to_owned(), node.role().await.unwrap());
    }
    roles
}

#[test]
fn a_failover_by_sentinel_is_followed_and_outlives_stop_and_start() {
    let lab = Lab::new();
    let up = ["--topology", "sentinel", "--down-after", "1500ms"];
    let report = lab.up(&up);
    assert_eq!(report["topology"], "sentinel");
    assert_eq!(report["rung"], "ready");
    runtime().block_on(async {
        let mut cluster = lab.open();
        assert_eq!(call(&cluster, &["SET", "a", "1"]).await.0, "n1");
        cluster.call("n1", &["WAIT", "2", "0"]).await.unwrap();

        cluster.node("n1").unwrap().kill().await.unwrap();
        let promoted = until(Deadline::after(PATIENCE), Duration::from_millis(50), || {
            let master = cluster.present_master();
            async {
                match master.await {
                    Some(node) => ControlFlow::Break(node.name().to_owned()),
                    None => ControlFlow::Continue(()),
                }
            }
        });
        let promoted = promoted.await.unwrap();
        assert_ne!(promoted, "n1");
        assert_eq!(
            call(&cluster, &["SET", "b", "2"]).await,
            (promoted.clone(), "OK".to_owned())
        );
        let env = lab.json(["env", "--shell", "json"]);
        let url = cluster.url_of(cluster.node(&promoted).unwrap());
        assert_eq!(env["REDIS_URL"], url);
        lab.shardlab(["wait", "--for", &format!("{promoted}=master")])
            .assert()
            .success();

        // The old master returns, and Sentinel makes it a replica.
        lab.shardlab(["start", "n1", "--timeout", "120s"])
            .assert()
            .success();
        let cluster_now = lab.open();
        let roles = standing(&cluster_now).await;
        assert_eq!(roles["n1"], Role::Replica);
        assert_eq!(roles[&promoted], Role::Master);

        cluster = cluster_now;
        cluster.call(&promoted, &["WAIT", "2", "0"]).await.unwrap();
        lab.shardlab(["stop"]).assert().success();
        lab.shardlab(["start", "--timeout", "120s"])
            .assert()
            .success();
        let cluster = lab.open();
        assert_eq!(standing(&cluster).await, roles);
        assert_eq!(
            call(&cluster, &["GET", "a"]).await,
            (promoted.clone(), "1".to_owned())
        );
        assert_eq!(
            call(&cluster, &["GET", "b"]).await,
            (promoted, "2".to_owned())
        );
    });
}

#[test]
fn a_promoted_replica_stays_the_master_and_who_returns_follows_it() {
    let lab = Lab::new();
    lab.up(&["--topology", "replication"]);
    runtime().block_on(async {
        let cluster = lab.open();
        call(&cluster, &["SET", "a", "1"]).await;
        cluster.call("n1", &["WAIT", "2", "0"]).await.unwrap();
        // What else is in its config need not be text.
        let user: [&[u8]; 4] = [b"ACL", b"SETUSER", b"al\xfece", b"~k\xfe*"];
        let has_users = cluster.call("n1", &user).await.unwrap();
        let has_users = has_users.as_error().is_none();
        cluster.call("n1", &["CONFIG", "REWRITE"]).await.unwrap();
        cluster.node("n1").unwrap().kill().await.unwrap();
        let address = cluster.node("r1").unwrap().address();
        let (host, port) = (address.ip().to_string(), address.port().to_string());
        cluster
            .call("r1", &["REPLICAOF", "NO", "ONE"])
            .await
            .unwrap();
        cluster
            .call("r1b", &["REPLICAOF", &host, &port])
            .await
            .unwrap();
        assert_eq!(call(&cluster, &["SET", "b", "2"]).await.0, "r1");

        lab.shardlab(["start", "n1", "--timeout", "120s"])
            .assert()
            .success();
        let cluster = lab.open();
        let roles = standing(&cluster).await;
        assert_eq!(roles["n1"], Role::Replica);
        assert_eq!(roles["r1"], Role::Master);
        let users = cluster.call("n1", &["ACL", "LIST"]).await.unwrap().raw;
        let is_there = |word: &[u8]| {
            let mut words = users.split(u8::is_ascii_whitespace);
            words.any(|other| other == word)
        };
        assert_eq!(
            [user[2], user[3]].map(is_there),
            [has_users; 2],
            "{users:?}"
        );

        // Killed all at once, they go on as they were.
        cluster.call("r1", &["WAIT", "2", "0"]).await.unwrap();
        for node in cluster.nodes() {
            node.kill().await.unwrap();
        }
        lab.shardlab(["start", "--timeout", "120s"])
            .assert()
            .success();
        let cluster = lab.open();
        assert_eq!(standing(&cluster).await, roles);

        // Dead when the others are stopped, it returns as a replica all the same.
        cluster.call("r1", &["WAIT", "2", "0"]).await.unwrap();
        cluster.node("n1").unwrap().kill().await.unwrap();
        // What is silent is shown as what it will be, whether others run or not.
        let shown = || {
            let status = lab.json(["status", "--json"]);
            let nodes = status["nodes"].as_array().unwrap().iter();
            let followed = nodes.map(|node| node["master"].as_str().map(ToOwned::to_owned));
            followed.collect::<Vec<_>>()
        };
        let follow_r1 = [Some("r1".to_owned()), None, Some("r1".to_owned())];
        assert_eq!(shown(), follow_r1);
        lab.shardlab(["stop"]).assert().success();
        assert_eq!(shown(), follow_r1);
        lab.shardlab(["start", "--timeout", "120s"])
            .assert()
            .success();
        let cluster = lab.open();
        assert_eq!(standing(&cluster).await, roles);
        assert_eq!(
            call(&cluster, &["GET", "b"]).await,
            ("r1".to_owned(), "2".to_owned())
        );
    });
}

#[test]
fn options_that_do_not_fit_the_topology_are_refused() {
    let lab = Lab::new();
    let cases: [(&[&str], &str); 8] = [
        (
            &["--topology", "replication", "--masters", "2"],
            "`--masters 2` does not fit `--topology replication`",
        ),
        (
            &["--topology", "standalone", "--replicas", "1"],
            "`--replicas` does not fit `--topology standalone`",
        ),
        (
            &["--topology", "sentinel", "--slots", "0-16383"],
            "`--slots` does not fit `--topology sentinel`",
        ),
        (
            &["--topology", "sentinel", "--quorum", "4"],
            "a quorum of 4 cannot be had of 3 sentinels",
        ),
        (
            &["--topology", "sentinel", "--sentinels", "0"],
            "at least 1 sentinel",
        ),
        (
            &["--topology", "replication", "--down-after", "1s"],
            "`--down-after` does not fit `--topology replication`",
        ),
        (
            &["--sentinels", "3"],
            "`--sentinels` does not fit `--topology cluster`",
        ),
        (
            &["--topology", "sentinel", "--node-timeout", "1s"],
            "`--node-timeout` does not fit `--topology sentinel`",
        ),
    ];
    for (args, words) in cases {
        let output = lab.shardlab(["up"].iter().chain(args)).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {errors}");
        assert!(errors.contains(words), "{args:?}: {errors}");
    }
    lab.assert_empty();
}

#[test]
fn a_running_set_is_compared_with_what_is_asked() {
    let lab = Lab::new();
    lab.up(&[
        "--topology",
        "sentinel",
        "--sentinels",
        "1",
        "--replicas",
        "1",
    ]);
    let again = |args: &[&str]| {
        let output = lab.shardlab(["up"].iter().chain(args)).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), errors)
    };
    assert_eq!(again(&[]).0, Some(0));
    assert_eq!(again(&["--sentinels", "1"]).0, Some(0));
    let (code, errors) = again(&["--quorum", "2", "--down-after", "1s"]);
    assert_eq!(code, Some(2), "{errors}");
    assert!(
        errors.contains("`--quorum` is 1; `--down-after` is 5s"),
        "{errors}"
    );
    let (_, errors) = again(&["--topology", "cluster"]);
    assert!(errors.contains("`--topology` is sentinel"), "{errors}");
}

#[test]
fn a_password_guards_everybody_and_run_tells_of_the_sentinels() {
    let lab = Lab::new();
    let script =
        "test -n \"$REDIS_SENTINELS\" && echo $REDIS_SENTINEL_MASTER $SHARDLAB_TOPOLOGY $REDIS_URL";
    let output = lab
        .shardlab([
            "run",
            "--topology",
            "sentinel",
            "--password",
            "se cret",
            "--timeout",
            "120s",
            "-q",
            "--",
            "sh",
            "-c",
            script,
        ])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{errors}");
    let told = told.strip_prefix("mymaster sentinel redis://").unwrap();
    let told = told.strip_prefix("default").unwrap_or(told);
    assert!(told.starts_with(":se%20cret@127."), "{told}");

    lab.up(&["--topology", "sentinel", "--password", "se cret"]);
    runtime().block_on(async {
        let cluster = lab.open();
        for node in cluster.nodes() {
            let bare = Endpoint {
                password: None,
                ..node.endpoint()
            };
            let deadline = Deadline::after(PATIENCE);
            let mut connection = bare.connect(deadline).await.unwrap();
            let reply = connection.call(&["ROLE"], deadline).await.unwrap();
            assert_eq!(reply.error_code(), Some("NOAUTH"), "{}", node.name());
        }
    });
}

#[test]
fn standalone_servers_are_each_for_themselves_and_keep_their_data() {
    let lab = Lab::new();
    let up = ["--topology", "standalone", "--masters", "2"];
    let report = lab.up(&[&up[..], &["--set", "appendfsync=always"]].concat());
    assert_eq!(report["nodes"][1]["node"], "n2");
    assert_eq!(report["nodes"][1]["bus_port"], serde_json::Value::Null);
    runtime().block_on(async {
        let cluster = lab.open();
        assert_eq!(call(&cluster, &["SET", "a", "1"]).await.0, "n1");
        cluster.call("n2", &["SET", "a", "2"]).await.unwrap();
        cluster.node("n2").unwrap().kill().await.unwrap();
        let status = lab.json(["status", "--json"]);
        assert_eq!(status["state"], "degraded");
        assert_eq!(status["rung"], serde_json::Value::Null);
    });
    for verbs in [&["start"][..], &["stop", "start"]] {
        for verb in verbs {
            lab.shardlab([verb]).assert().success();
        }
        runtime().block_on(async {
            let cluster = lab.open();
            for (node, value) in [("n1", "1"), ("n2", "2")] {
                let reply = cluster.call(node, &["GET", "a"]).await.unwrap();
                assert_eq!(reply.as_text(), Some(value.as_bytes()));
            }
        });
    }
}

#[test]
fn sentinels_call_the_master_as_they_are_told_to() {
    let (lab, folder) = (Lab::new(), tempfile::tempdir().unwrap());
    lab.up(&["--topology", "sentinel", "--master-name", "lab.1"]);
    let quorum = |option: &[&str]| {
        let args = [&["call"], option, &["s1", "SENTINEL", "CKQUORUM", "lab.1"]].concat();
        let said = lab.shardlab(args).output().unwrap();
        assert!(
            text(&said.stdout).contains("3 usable"),
            "{}",
            text(&said.stdout)
        );
    };
    quorum(&[]);
    let env = lab.json(["env", "--shell", "json"]);
    assert_eq!(env["REDIS_SENTINEL_MASTER"], "lab.1");
    lab.shardlab(["failover", "n1", "-q"]).assert().success();
    lab.shardlab(["up", "-q", "--master-name", "lab.1"])
        .assert()
        .success();
    let other = lab.shardlab(["up", "--master-name", "x"]).output().unwrap();
    assert_eq!(other.status.code(), Some(2));
    assert!(text(&other.stderr).contains("`--master-name` is lab.1"));

    let archive = folder.path().join("lab");
    lab.shardlab(["save", "-q"])
        .arg(&archive)
        .assert()
        .success();
    let copy = ["up", "-q", "-n", "copy", "--port", "auto", "--from"];
    lab.shardlab(copy).arg(&archive).assert().success();
    quorum(&["-n", "copy"]);
}
