//! Nodes that others have added to a cluster of ours, by hand.

use std::net::SocketAddr;

use serde_json::Value;

use crate::lab::{Lab, text, wait_until};

/// Servers that others have started, in cluster mode and alone.
fn others(lab: &Lab, count: &str) -> Vec<SocketAddr> {
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
        nodes.iter().all(|node| known(node) == Some(all)) && report["rung"] == "visible"
    });
}

#[test]
fn a_node_that_others_have_added_is_in_nobodys_way() {
    let (lab, theirs) = (Lab::new(), Lab::new());
    lab.up(&["--masters", "1", "--replicas", "1", "--node-timeout", "2s"]);
    let address = others(&theirs, "1")[0];
    meet(&lab, &[address]);
    let told = lab.json(["status", "--json"]);
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
    assert_eq!(taken["cluster"]["nodes"][3]["name"], "n3");
    assert_eq!(taken["cluster"]["strangers"], Value::Null);
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
