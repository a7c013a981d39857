//! Nodes that others have added to a cluster of ours, by hand.

use std::net::SocketAddr;

use serde_json::Value;

use crate::documented::Documented;
use crate::lab::{Lab, text, wait_until};

/// Has others start servers, in cluster mode and alone.
fn start_others(lab: &Lab, count: &str) -> Vec<SocketAddr> {
    let args = [
        "-n",
        "other",
        "--masters",
        count,
        "--replicas",
        "0",
        "--boot",
        "none",
        "--ephemeral",
    ];
    let report = lab.up(&args);
    let nodes = report["nodes"].as_array().unwrap().iter();
    let address = |node: &Value| node["address"].as_str().unwrap().parse().unwrap();
    nodes.map(address).collect()
}

/// What a node answers.
fn call(lab: &Lab, args: &[&str]) -> String {
    let output = lab.shardlab([&["call"], args].concat()).output().unwrap();
    assert!(
        output.status.success(),
        "{args:?}: {}",
        text(&output.stderr)
    );
    text(&output.stdout).trim().trim_matches('"').to_owned()
}

/// Has n1 meet them, and waits until all nodes of ours talk to all of them.
fn meet(lab: &Lab, addresses: &[SocketAddr]) {
    for address in addresses {
        let (host, port) = (address.ip().to_string(), address.port().to_string());
        assert_eq!(call(lab, &["n1", "CLUSTER", "MEET", &host, &port]), "OK");
    }
    wait_until("they know each other", || {
        let report = lab.json(["status", "--json"]);
        let known = |node: &Value| node["bus"]["connected"].as_u64();
        let nodes = report["nodes"].as_array().unwrap();
        let all = u64::try_from(nodes.len() + addresses.len() - 1).unwrap();
        nodes.iter().all(|node| known(node) == Some(all)) && report["rung"] == "ready"
    });
}

/// The highest epoch that a node has heard of.
fn epoch(info: &str) -> &str {
    let mut lines = info.lines();
    let line = lines.find(|line| line.contains("cluster_current_epoch"));
    line.unwrap_or_default()
}

#[test]
fn a_node_that_others_have_added_is_in_nobodys_way() {
    let (lab, theirs) = (Lab::new(), Lab::new());
    lab.up(&["--masters", "1", "--replicas", "1", "--node-timeout", "2s"]);
    let address = start_others(&theirs, "1")[0];
    meet(&lab, &[address]);
    let told = lab.shardlab(["status", "--json"]).output().unwrap();
    let told = Documented::new().hold("shardlab status", &told.stdout);
    assert_eq!(told["strangers"][0]["address"], address.to_string());
    let status = text(&lab.shardlab(["status"]).output().unwrap().stdout);
    assert!(
        status.contains(&format!("add-node --existing {address}")),
        "{status}"
    );

    lab.shardlab(["add-node", "-q"]).assert().success();
    lab.shardlab(["stop", "-q", "r1"]).assert().success();
    lab.shardlab(["start", "-q"]).assert().success();
    lab.shardlab(["restart", "-q", "n2"]).assert().success();
    lab.shardlab(["restart", "-q", "--rolling", "n1"])
        .assert()
        .success();
    lab.shardlab(["up", "-q"]).assert().success();
    let found = lab.shardlab(["check"]).output().unwrap();
    assert_eq!(found.status.code(), Some(1));
    let found = text(&found.stdout);
    assert!(
        found.contains(&format!("add-node --existing {address}")),
        "{found}"
    );
    lab.shardlab(["fix", "-q"]).output().unwrap();

    let taken = lab.json(["add-node", "--json", "--existing", &address.to_string()]);
    assert_eq!(taken["steps"].as_array().unwrap().len(), 1, "{taken}");
    assert_eq!(taken["status"]["nodes"][3]["node"], "n3");
    assert_eq!(taken["status"]["strangers"], serde_json::json!([]));
    lab.shardlab(["check", "-q"]).assert().success();

    // Gone, it is in nobody's way either.
    lab.shardlab(["del-node", "-q", "n3"]).assert().success();
    meet(&lab, &[address]);
    theirs
        .shardlab(["-n", "other", "down", "-q"])
        .assert()
        .success();
    lab.shardlab(["restart", "-q", "n2"]).assert().success();
    lab.shardlab(["down", "-q"]).assert().success();
    lab.assert_empty();
}

#[test]
fn who_is_taken_in_keeps_the_part_that_others_have_given_it() {
    let (lab, theirs) = (Lab::new(), Lab::new());
    lab.up(&["--masters", "2", "--replicas", "0", "--ephemeral"]);
    lab.shardlab(["call", "SET", "key", "1"]).assert().success();
    let addresses = start_others(&theirs, "2");
    meet(&lab, &addresses);
    let [copy, master] = [addresses[0].to_string(), addresses[1].to_string()];
    let ours = |node: &str, command: &[&str]| call(&lab, &[&[node], command].concat());
    let others =
        |node: &str, command: &[&str]| call(&theirs, &[&["-n", "other", node], command].concat());
    let n1 = ours("n1", &["CLUSTER", "MYID"]);
    let new = others("n2", &["CLUSTER", "MYID"]);
    // What it claims with an epoch that others have used already, nobody believes.
    wait_until("they know n1, and have heard of the epochs", || {
        ["n1", "n2"].iter().all(|node| {
            epoch(&others(node, &["CLUSTER", "INFO"])) == epoch(&ours("n1", &["CLUSTER", "INFO"]))
                && others(node, &["CLUSTER", "NODES"]).contains(&n1)
        })
    });
    others("n1", &["CLUSTER", "REPLICATE", &n1]);
    others("n2", &["CLUSTER", "SETSLOT", "0", "IMPORTING", &n1]);
    ours("n1", &["CLUSTER", "SETSLOT", "0", "MIGRATING", &new]);
    let taken = ["CLUSTER", "SETSLOT", "0", "NODE", &new];
    others("n2", &taken);
    ours("n1", &taken);
    wait_until("all know that it has slot 0", || {
        let lists = [
            others("n2", &["CLUSTER", "NODES"]),
            ours("n1", &["CLUSTER", "NODES"]),
            ours("n2", &["CLUSTER", "NODES"]),
        ];
        let has_it = |line: &str| line.starts_with(&new) && line.ends_with(" connected 0");
        lists.iter().all(|list| list.lines().any(has_it))
    });
    lab.shardlab(["wait", "--for", "ready", "--timeout", "120s"])
        .assert()
        .success();

    let refused = ["add-node", "--existing", &master, "--replica-of", "n1"];
    let refused = lab.shardlab(refused).output().unwrap();
    assert_eq!(refused.status.code(), Some(3));
    let refused = text(&refused.stderr);
    assert!(
        refused.contains("a master with slots of this cluster"),
        "{refused}"
    );

    let plan = lab.shardlab(["add-node", "--existing", &copy, "--dry-run"]);
    let plan = text(&plan.assert().success().get_output().stdout);
    assert!(plan.contains("as `r1`, a replica of `n1`"), "{plan}");
    let taken = lab.json(["add-node", "--json", "--existing", &copy]);
    let node = &taken["status"]["nodes"][2];
    assert_eq!(
        (&node["node"], &node["master"]),
        (&"r1".into(), &"n1".into())
    );
    let taken = lab.json(["add-node", "--json", "--existing", &master]);
    assert_eq!(
        taken["steps"][0]["slots"],
        serde_json::json!(["0"]),
        "{taken}"
    );
    assert_eq!(taken["status"]["nodes"][3]["node"], "n3");
    lab.shardlab(["check", "-q"]).assert().success();
    lab.shardlab(["del-node", "-q", "n3"]).assert().success();
    lab.shardlab(["del-node", "-q", "r1"]).assert().success();
    assert_eq!(call(&lab, &["GET", "key"]), "1");
    lab.shardlab(["check", "-q"]).assert().success();
    assert_eq!(theirs.processes().len(), 2);
}
