//! Nodes that forget their data and their cluster, and keep their configs.

use crate::lab::Lab;

fn configs(report: &serde_json::Value) -> Vec<String> {
    let nodes = report["nodes"].as_array().unwrap();
    let read = |node: &serde_json::Value| {
        let dir = std::path::Path::new(node["dir"].as_str().unwrap());
        std::fs::read_to_string(dir.join("node.conf")).unwrap()
    };
    nodes.iter().map(read).collect()
}

#[test]
fn a_wiped_cluster_is_one_of_bare_nodes_with_the_same_configs() {
    let lab = Lab::new();
    let before = lab.up(&["--masters", "2", "--replicas", "1"]);
    lab.shardlab(["call", "SET", "a", "1"]).assert().success();
    let conf = configs(&before);
    let wiped = lab.json(["wipe", "--json"]);
    assert_eq!(wiped["wiped"], serde_json::json!(["n1", "n2", "r1", "r2"]));
    assert_eq!(wiped["running"], true);

    let after = lab.json(["status", "--json"]);
    assert_eq!(after["state"], "running");
    for (old, new) in before["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .zip(after["nodes"].as_array().unwrap())
    {
        assert_eq!(new["port"], old["port"]);
        assert_ne!(new["id"], old["id"]);
        assert_eq!(new["role"], "master");
        assert_eq!(new["slots"], serde_json::json!([]));
        assert_eq!(new["keys"], 0);
        assert_eq!(new["bus"]["known"], 0);
    }
    assert_eq!(configs(&after), conf);

    // They start as bare nodes, too, and wiping what is stopped starts nothing.
    lab.shardlab(["stop", "-q"]).assert().success();
    lab.shardlab(["wipe"])
        .assert()
        .success()
        .stderr_eq("wiped n1, n2, r1, r2 of the cluster `default`: now empty and stopped, with the same configs and ports\n");
    assert!(lab.processes().is_empty());
    let left = std::fs::read_dir(after["nodes"][0]["dir"].as_str().unwrap()).unwrap();
    let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["node.conf", "node.log"]);
    lab.shardlab(["up", "-q"]).assert().success();
    assert_eq!(lab.json(["status", "--json"])["rung"], "listening");
}

#[test]
fn a_node_that_is_wiped_alone_leaves_the_others_as_they_are() {
    let lab = Lab::new();
    let before = lab.up(&["--masters", "2", "--replicas", "0"]);
    lab.shardlab(["call", "n2", "SET", "a", "1"])
        .assert()
        .success();
    lab.shardlab(["wipe", "n1", "-q"]).assert().success();
    let after = lab.json(["status", "--json"]);
    assert_ne!(after["nodes"][0]["id"], before["nodes"][0]["id"]);
    assert_eq!(after["nodes"][1]["id"], before["nodes"][1]["id"]);
    assert_eq!(after["nodes"][1]["pid"], before["nodes"][1]["pid"]);
    assert_eq!(after["nodes"][1]["keys"], 1);
    lab.shardlab(["wipe", "n7"]).assert().code(2);
}
