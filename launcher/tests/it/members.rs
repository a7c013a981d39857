//! Nodes that come and go while a client is at work: add-node, del-node, scale.

use std::net::SocketAddr;

use shardlab::machine::wait::Deadline;
use shardlab::reshape::members::{Addition, Removal, Scale};
use shardlab::{Cluster, Rung};

use crate::lab::{Lab, PATIENCE, text};
use crate::traffic::{Keys, Traffic};

/// `name role-or-master` of each node that `status` tells of, and the rung of all.
fn roles(lab: &Lab) -> (Vec<String>, String) {
    let report = lab.json(["status", "--json"]);
    let nodes = report["nodes"].as_array().unwrap().iter().map(|node| {
        let of = node["master"].as_str().unwrap_or("master");
        format!("{} {of}", node["node"].as_str().unwrap())
    });
    (nodes.collect(), report["rung"].to_string())
}

async fn slots(cluster: &Cluster) -> Vec<u16> {
    let survey = cluster.survey(Deadline::after(PATIENCE)).await;
    assert_eq!(survey.open_slots(), []);
    let counts = survey.masters().map(|(_, line)| line.slots.count());
    counts.collect()
}

#[test]
fn nodes_come_and_go_and_no_name_is_given_twice() {
    let lab = Lab::new();
    lab.up(&["--masters", "2", "--ephemeral"]);
    let added = lab.json(["add-node", "--json"]);
    assert_eq!(added["schema"], 2);
    assert_eq!(added["steps"][0]["step"], "start");
    assert_eq!(added["status"]["rung"], "ready");
    lab.json(["add-node", "--replica-of", "r1", "--json"]);
    let names = ["n1 master", "n2 master", "r1 n1", "r2 n2", "n3 master"];
    let (nodes, rung) = roles(&lab);
    assert_eq!(nodes, [&names[..], &["r1b n1"]].concat());
    assert_eq!(rung, "\"ready\"");

    for node in ["r1b", "n3"] {
        lab.shardlab(["del-node", node, "-q"]).assert().success();
    }
    assert_eq!(lab.processes().len(), 4);
    // As if the first one had been killed after its last step.
    let again = lab.shardlab(["del-node", "n3"]).assert().success();
    assert!(text(&again.get_output().stderr).contains("is already deleted"));
    lab.json(["add-node", "--json"]);
    lab.json(["add-node", "--replica-of", "n1", "--json"]);
    let (nodes, rung) = roles(&lab);
    assert_eq!(nodes[4..], ["n4 master", "r1c n1"]);
    assert_eq!(rung, "\"ready\"");

    lab.shardlab(["stop", "-q"]).assert().success();
    lab.json(["start", "--json"]);
    assert_eq!(roles(&lab), (nodes, rung));
    lab.shardlab(["down", "-q"]).assert().success();
    lab.assert_empty();
}

#[test]
fn up_finds_a_scaled_cluster_by_what_it_was_and_by_what_it_is() {
    let lab = Lab::new();
    lab.up(&["--ephemeral"]);
    let port = lab.json(["status", "--json"])["nodes"][0]["port"].to_string();
    for same in [
        &["--masters", "3", "--replicas", "1,1,1"][..],
        &["--slots", "0-5460,5461-10922,10923-16383"],
        &["--port", "auto"],
    ] {
        lab.json([&["up", "--json"], same].concat());
    }
    lab.shardlab(["add-node", "--replica-of", "n2", "-q"])
        .assert()
        .success();
    for same in [&["--replicas", "1"][..], &["--replicas", "1,2,1"]] {
        lab.json([&["up", "--json", "--masters", "3"], same].concat());
    }
    for (other, difference) in [
        (["--replicas", "2"], "`--replicas` is 1,2,1"),
        (["--masters", "4"], "`--masters` is 3"),
        (["--slots", "0-9,10-20,21-16383"], "`--slots` is another"),
        (["--port", "7001"], "`--ports` is"),
    ] {
        let errors = lab.refused(&["up", other[0], other[1]], 2);
        assert!(errors.contains(difference), "{port}: {errors}");
    }
}

#[tokio::test]
async fn a_client_at_work_sees_no_error_while_the_cluster_grows_and_shrinks() {
    let lab = Lab::new();
    let mut cluster = lab.cluster().start().await.unwrap();
    let keys = Keys::new(5_000);
    keys.write(&cluster).await.unwrap();
    let traffic = Traffic::start(&cluster, keys, 2);
    let wish = |masters, replicas| Scale {
        masters: Some(masters),
        replicas: Some(replicas),
    };
    cluster.scale(wish(5, 1)).await.unwrap();
    assert_eq!(slots(&cluster).await, [3277, 3277, 3277, 3277, 3276]);
    assert_eq!(cluster.nodes().len(), 10);
    cluster.scale(wish(3, 1)).await.unwrap();
    assert_eq!(cluster.nodes().len(), 6);
    // Its slots go to the others, and so does its replica.
    let removal = Removal {
        node: "n1".to_owned(),
        force: false,
    };
    cluster.del_node(&removal).await.unwrap();
    assert_eq!(slots(&cluster).await.iter().sum::<u16>(), 16384);
    cluster.wait_for(Rung::Ready, PATIENCE).await.unwrap();
    let report = traffic.stop().unwrap();
    assert!(report.commands > 0);
    report.keys.verify(&cluster).await.unwrap();
    assert_eq!(lab.processes().len(), 5);
    drop(cluster);
    lab.assert_empty();
}

#[tokio::test]
async fn nodes_that_another_command_has_added_end_with_a_private_cluster() {
    let lab = Lab::new();
    let mut cluster = lab.cluster().replicas(0).start().await.unwrap();
    let replica = Addition {
        replica_of: Some("n1".to_owned()),
        ..Addition::default()
    };
    assert_eq!(cluster.add_node(&replica).await.unwrap(), "r1");
    let name = cluster.name().to_string();
    lab.shardlab(["add-node", "-q", "-n", &name])
        .assert()
        .success();
    assert_eq!(lab.processes().len(), 5);
    drop(cluster);
    lab.assert_empty();
}

/// The address of the only node of another cluster.
pub(crate) fn stranger(lab: &Lab, args: &[&str]) -> SocketAddr {
    let common = ["-n", "other", "--masters", "1", "--ephemeral"];
    let report = lab.up(&[&common[..], args].concat());
    let address = report["nodes"][0]["address"].as_str().unwrap();
    address.parse().unwrap()
}

#[test]
fn a_server_that_runs_already_is_taken_in_and_never_ended() {
    let (lab, others) = (Lab::new(), Lab::new());
    lab.up(&["--replicas", "0", "--ephemeral"]);
    let bare = ["--replicas", "0", "--boot", "none"];
    let address = stranger(&others, &bare).to_string();
    let add = ["add-node", "--existing", &address, "-q"];
    lab.shardlab(add).assert().success();
    let report = lab.json(["status", "--json"]);
    assert_eq!(report["rung"], "ready");
    assert_eq!(report["nodes"][3]["node"], "n4");
    assert_eq!(report["nodes"][3]["ours"], false);

    let mine = lab.refused(&["add-node", "--existing", &address], 3);
    assert!(
        mine.contains("it is node `n4` of this cluster already"),
        "{mine}"
    );
    // It gets slots and gives them back.
    lab.shardlab(["scale", "--masters", "4", "-q"])
        .assert()
        .success();
    lab.shardlab(["stop", "-q"]).assert().success();
    assert_eq!(others.processes().len(), 1);
    lab.json(["start", "--json"]);
    lab.shardlab(["del-node", "n4", "-q"]).assert().success();
    assert_eq!(roles(&lab).0.len(), 3);
    assert_eq!(others.processes().len(), 1, "it goes on running");
    let nodes = others.shardlab(["-n", "other", "call", "n1", "CLUSTER", "INFO"]);
    let info = text(&nodes.assert().success().get_output().stdout);
    assert!(info.contains("cluster_known_nodes:1"), "{info}");

    // At once again, this time as a replica; then the cluster goes, and it stays.
    lab.shardlab([&add[..], &["--replica-of", "n2"]].concat())
        .assert()
        .success();
    assert_eq!(roles(&lab).0[3], "r2 n2");
    lab.shardlab(["down", "-q"]).assert().success();
    lab.assert_empty();
    assert_eq!(others.processes().len(), 1);
}

#[test]
fn a_server_that_is_not_fit_is_refused_with_the_reason() {
    let (lab, others) = (Lab::new(), Lab::new());
    lab.up(&["--replicas", "0", "--ephemeral"]);
    let refuse = |address: &str, reason: &str| {
        let errors = lab.refused(&["add-node", "--existing", address], 3);
        assert!(errors.contains(reason), "{errors}");
        assert_eq!(roles(&lab).0.len(), 3);
    };
    refuse("127.0.0.1:1", "it does not answer");
    refuse("192.0.2.1:7001", "loopback addresses only");
    let whole = stranger(&others, &["--replicas", "1"]).to_string();
    refuse(&whole, "it knows 1 other node");
    others
        .shardlab(["down", "-q", "-n", "other"])
        .assert()
        .success();
    let alone = stranger(&others, &["--replicas", "0"]).to_string();
    refuse(&alone, "it owns slots");
    others
        .shardlab(["-n", "other", "call", "SET", "a", "1"])
        .assert()
        .success();
    refuse(&alone, "it holds data");
    others
        .shardlab(["down", "-q", "-n", "other"])
        .assert()
        .success();
    let standalone = stranger(&others, &["--topology", "standalone"]).to_string();
    refuse(&standalone, "it is not running in cluster mode");
}

#[test]
fn what_cannot_be_deleted_is_refused_with_the_next_step() {
    let lab = Lab::new();
    lab.up(&["--masters", "2", "--replicas", "0", "--ephemeral"]);
    lab.shardlab(["scale", "--masters", "1", "-q"])
        .assert()
        .success();
    let last = lab.refused(&["del-node", "n1"], 2);
    assert!(last.contains("`n1` is the last master"), "{last}");
    assert!(last.contains("shardlab down"), "{last}");
    lab.shardlab(["scale", "--masters", "2", "-q"])
        .assert()
        .success();
    lab.shardlab(["stop", "n3", "-q"]).assert().success();
    let silent = lab.refused(&["add-node"], 3);
    assert!(silent.contains("node `n3` does not answer"), "{silent}");
    let down = lab.refused(&["del-node", "n3"], 3);
    assert!(
        down.contains("is down and the master of 8192 slots"),
        "{down}"
    );
    lab.shardlab(["del-node", "n3", "--force", "-q"])
        .assert()
        .success();
    assert_eq!(roles(&lab).0, ["n1 master"]);
    let none = lab.refused(&["scale"], 2);
    assert!(none.contains("--masters"), "{none}");
    lab.shardlab(["down", "-q"]).assert().success();
    lab.assert_empty();
}

#[test]
fn a_dry_run_shows_the_plan_and_touches_nothing() {
    let lab = Lab::new();
    lab.up(&["--ephemeral"]);
    let before = std::fs::read(lab.home().join("default/cluster.json")).unwrap();
    let plan = lab.json(["scale", "--masters", "4", "--dry-run", "--json"]);
    let steps: Vec<_> = plan["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["step"].as_str().unwrap())
        .collect();
    assert_eq!(
        steps,
        ["start", "start", "replicate", "move", "move", "move"]
    );
    assert_eq!(plan["status"], serde_json::Value::Null);
    let shown = lab
        .shardlab(["del-node", "n1", "--dry-run"])
        .assert()
        .success();
    let shown = text(&shown.get_output().stdout);
    for line in [
        "move 2731 slots from `n1` to `n2`",
        "make `r1` a replica of `n2`",
        "delete `n1`",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
    let after = std::fs::read(lab.home().join("default/cluster.json")).unwrap();
    assert_eq!(before, after);
    assert_eq!(lab.processes().len(), 6);
}

fn record_has(lab: &Lab, word: &str) -> bool {
    let path = lab.home().join("default/cluster.json");
    std::fs::read_to_string(path).is_ok_and(|text| text.contains(word))
}

fn moves_slots(lab: &Lab) -> bool {
    lab.home().join("default/reshape.json").exists()
}

/// Moments of a command that adds and deletes nodes.
const MOMENTS: [fn(&Lab) -> bool; 5] = [
    |lab| record_has(lab, "joining") || record_has(lab, "leaving"),
    |lab| lab.processes().len() != 4,
    moves_slots,
    |lab| moves_slots(lab) && !record_has(lab, "joining"),
    |lab| record_has(lab, "retired"),
];

#[tokio::test]
async fn a_scale_that_was_killed_at_any_moment_is_finished_by_the_same_command() {
    let lab = Lab::new();
    lab.up(&["--masters", "2", "--ephemeral"]);
    let keys = Keys::new(5_000);
    keys.write(&lab.open()).await.unwrap();
    for moment in MOMENTS {
        for (masters, nodes) in [("3", 6), ("2", 4)] {
            let scale = ["scale", "--masters", masters, "--replicas", "1", "-q"];
            lab.kill_when(&scale, moment);
            lab.shardlab(scale).assert().success();
            let cluster = lab.open();
            assert_eq!(cluster.nodes().len(), nodes);
            assert_eq!(lab.processes().len(), nodes);
            assert!(!moves_slots(&lab));
            let owned = slots(&cluster).await;
            assert_eq!(owned.len() * 2, nodes);
            assert_eq!(owned.iter().sum::<u16>(), 16384);
            cluster.wait_for(Rung::Ready, PATIENCE).await.unwrap();
            keys.verify(&cluster).await.unwrap();
        }
    }
}

#[test]
fn an_addition_that_was_killed_is_finished_and_is_one_node() {
    let lab = Lab::new();
    lab.up(&["--masters", "1", "--replicas", "0", "--ephemeral"]);
    let moments: [fn(&Lab) -> bool; 3] = [
        |lab| record_has(lab, "joining"),
        |lab| lab.processes().len() > 1,
        |lab| lab.processes().len() > 1 && !record_has(lab, "\"process\": null"),
    ];
    for (moment, name) in moments.into_iter().zip(["n2", "n3", "n4"]) {
        lab.kill_when(&["add-node", "-q"], moment);
        let other = lab.refused(&["add-node", "--replica-of", "n1"], 2);
        assert!(other.contains("was interrupted and comes first"), "{other}");
        lab.shardlab(["add-node", "-q"]).assert().success();
        let (nodes, rung) = roles(&lab);
        assert_eq!(nodes, ["n1 master".to_owned(), format!("{name} master")]);
        assert_eq!(rung, "\"ready\"");
        lab.shardlab(["del-node", name, "-q"]).assert().success();
    }
}
