//! The library as a user meets it: what a builder can say, verbs by name, no runtime, one cluster for many tests.

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use shardlab::failover::Request;
use shardlab::plan::PortChoice;
use shardlab::reshape::members::{Addition, Removal};
use shardlab::state::Home;
use shardlab::{Cluster, Error, Rung, Signal, blocking};

use crate::lab::{Lab, PATIENCE};

#[test]
fn a_program_without_a_runtime_breaks_and_mends_a_cluster() {
    let lab = Lab::new();
    let mut cluster = lab
        .cluster()
        .masters(2)
        .persist(true)
        .node_timeout(Duration::from_secs(1))
        .start_blocking()
        .unwrap();
    assert_eq!(
        cluster
            .call("n2", &["SET", "a", "1"])
            .unwrap()
            .as_text()
            .unwrap(),
        b"OK"
    );
    cluster.kill(&["n1"], Signal::KILL).unwrap();
    // Whoever waits for it finds a server that serves.
    cluster.node("n1").unwrap().start().unwrap();
    assert_eq!(
        cluster
            .node("n1")
            .unwrap()
            .call(&["PING"])
            .unwrap()
            .as_text(),
        Some(&b"PONG"[..])
    );
    cluster.wait_for(Rung::Ready, PATIENCE).unwrap();

    cluster.pause(&["r1", "r2"]).unwrap();
    assert_eq!(cluster.resume(&[]).unwrap(), ["r1", "r2"]);
    cluster.stop(&[]).unwrap();
    assert_eq!(cluster.start(&[]).unwrap().len(), 4);
    cluster.failover("n2", Request::default()).unwrap();
    let addition = Addition {
        replica_of: Some("n1".to_owned()),
        ..Addition::default()
    };
    let added = cluster.add_node(&addition).unwrap();
    let removal = Removal {
        node: added,
        force: false,
    };
    cluster.del_node(&removal).unwrap();
    assert!(cluster.check(PATIENCE).unwrap().is_empty());
    assert_eq!(
        cluster.call("r2", &["GET", "a"]).unwrap().as_text(),
        Some(&b"1"[..])
    );
    drop(cluster);
    lab.assert_empty();
}

#[tokio::test]
async fn in_asynchronous_code_the_blocking_face_is_an_error_and_no_panic() {
    let lab = Lab::new();
    let refused = lab.cluster().start_blocking().unwrap_err();
    assert!(
        refused.to_string().contains("use `shardlab::Cluster`"),
        "{refused}"
    );
    lab.assert_empty();
}

#[tokio::test]
async fn a_blocking_cluster_may_be_dropped_by_asynchronous_code() {
    let lab = Lab::new();
    let builder = lab.cluster().masters(1).replicas(0);
    let started = tokio::task::spawn_blocking(move || {
        std::thread::spawn(move || builder.start_blocking().unwrap()).join()
    });
    let cluster = started.await.unwrap().unwrap();
    assert!(cluster.call("n1", &["PING"]).is_err(), "it would wait");
    drop(cluster);
    lab.assert_empty();
}

#[tokio::test]
async fn a_builder_says_what_up_can() {
    let lab = Lab::new();
    let free = lab.cluster().masters(1).replicas(0).start().await.unwrap();
    let port = free.addresses()[0].port();
    drop(free);
    let cluster = lab
        .cluster()
        .slots(["0-99".parse().unwrap(), "100-16383".parse().unwrap()])
        .replicas_of_each([1, 0])
        .ports(PortChoice::List(vec![port, port + 1, port + 2]))
        .bind([lab.address().parse().unwrap()])
        .announce(lab.address())
        .persist(true)
        .password("pass word")
        .wait_for(Rung::Listening)
        .start()
        .await
        .unwrap();
    let addresses: Vec<_> = cluster
        .addresses()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        addresses,
        [0, 1, 2].map(|more| format!("{}:{}", lab.address(), port + more))
    );
    assert!(
        cluster.urls()[2].ends_with(&format!("pass%20word@{}", addresses[2])),
        "{:?}",
        cluster.urls()
    );
    for (setting, value) in [
        ("appendonly", "yes"),
        ("cluster-announce-ip", lab.address()),
    ] {
        let asked = cluster.call("n1", &["CONFIG", "GET", setting]).await;
        let asked = asked.unwrap();
        assert_eq!(
            asked.as_array().unwrap()[1].as_text(),
            Some(value.as_bytes())
        );
    }
}

#[tokio::test]
async fn verbs_take_names_and_no_lock() {
    let lab = Lab::new();
    let mut cluster = lab.cluster().masters(1).start().await.unwrap();
    let unknown = cluster.kill(&["n1", "n7"], Signal::TERM).await.unwrap_err();
    assert!(matches!(unknown, Error::NoNode { .. }), "{unknown}");
    assert_eq!(cluster.stop(&["r1"]).await.unwrap(), ["r1"]);
    assert_eq!(cluster.start(&["r1"]).await.unwrap(), ["r1"]);
    assert_eq!(cluster.restart(&["r1"]).await.unwrap(), ["r1"]);
    assert_eq!(cluster.fix().await.unwrap().done, []);
    assert_eq!(cluster.wipe(&[]).await.unwrap(), ["n1", "r1"]);
    drop(cluster);
    lab.assert_empty();
}

/// The state folder of [`SHARED`]; that of a test which watches it from outside, if there is one.
#[expect(
    clippy::disallowed_methods,
    reason = "a test program has no command line to be told a folder by"
)]
fn shared_home() -> PathBuf {
    std::env::var_os("SHARED_HOME").map_or_else(
        || std::env::temp_dir().join(format!("shardlab-shared-{}", std::process::id())),
        PathBuf::from,
    )
}

/// As the documentation of [`blocking`] has it. Nobody drops it.
static SHARED: LazyLock<blocking::Cluster> = LazyLock::new(|| {
    let home = Home::at(shared_home());
    let described = Cluster::builder().home(home).timeout(PATIENCE);
    described.masters(1).replicas(1).start_blocking().unwrap()
});

#[test]
fn tests_share_a_static_cluster() {
    std::thread::scope(|scope| {
        for key in ["one", "two"] {
            scope.spawn(move || {
                SHARED.call("n1", &["SET", key, key]).unwrap();
                let found = SHARED.call("n1", &["GET", key]).unwrap();
                assert_eq!(found.as_text(), Some(key.as_bytes()));
            });
        }
    });
    assert_eq!(SHARED.addresses().len(), 2);
}

#[test]
fn a_static_cluster_is_gone_when_the_test_program_ends() {
    let lab = Lab::new();
    let test_program = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "library::tests_share_a_static_cluster"])
        .env("SHARED_HOME", lab.home())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&test_program.stdout);
    assert!(told.contains("1 passed"), "{told}");
    lab.assert_empty();
}
