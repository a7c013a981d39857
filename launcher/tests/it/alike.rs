//! Functions, users and settings: they come along to nodes that are added, and `check` tells where they differ.

use shardlab::Cluster;

use crate::checked::findings;
use crate::lab::Lab;

const CODE: &str = "#!lua name=lib\nredis.register_function('one', function(keys) return 1 end)";

/// All that a node answers, on one line.
async fn told(cluster: &Cluster, node: &str, command: &[&str]) -> String {
    let reply = cluster.call(node, command).await.unwrap();
    shardlab::resp::escape(&reply.raw)
}

/// Gives a command to nodes; whether the server knows it.
async fn give(cluster: &Cluster, nodes: &[&str], command: &[&str]) -> bool {
    let mut known = true;
    for node in nodes {
        let reply = cluster.call(node, command).await.unwrap();
        let error = String::from_utf8_lossy(reply.as_error().unwrap_or_default()).into_owned();
        assert!(
            error.is_empty() || error.contains("unknown command"),
            "{error}"
        );
        known &= error.is_empty();
    }
    known
}

#[tokio::test]
async fn what_masters_have_alike_comes_along_and_differences_are_told() {
    let lab = Lab::new();
    lab.up(&["--masters", "2", "--replicas", "0", "--ephemeral"]);
    let cluster = lab.open();
    let masters = ["n1", "n2"];
    let functions = give(&cluster, &masters, &["FUNCTION", "LOAD", CODE]).await;
    let alice = ["ACL", "SETUSER", "alice", "on", ">secret", "~k*", "+get"];
    let users = give(&cluster, &masters, &alice).await;
    let samples = ["CONFIG", "SET", "maxmemory-samples", "7"];
    give(&cluster, &masters, &samples).await;
    assert_eq!(findings(&lab), [""; 0]);

    lab.json(["add-node", "--json"]);
    lab.json(["add-node", "--replica-of", "n3", "--json"]);
    let cluster = lab.open();
    for node in ["n3", "r3"] {
        let libraries = told(&cluster, node, &["FUNCTION", "LIST"]).await;
        assert_eq!(libraries.contains("one"), functions, "{node}: {libraries}");
        let list = told(&cluster, node, &["ACL", "LIST"]).await;
        assert_eq!(list.contains("user alice on"), users, "{node}: {list}");
        let value = told(&cluster, node, &["CONFIG", "GET", "maxmemory-samples"]).await;
        assert!(value.contains("\\r\\n7\\r\\n"), "{node}: {value}");
    }
    assert_eq!(findings(&lab), [""; 0]);

    give(
        &cluster,
        &["n3"],
        &["CONFIG", "SET", "maxmemory-samples", "9"],
    )
    .await;
    give(&cluster, &["n1"], &["ACL", "DELUSER", "alice"]).await;
    give(&cluster, &["n2"], &["FUNCTION", "DELETE", "lib"]).await;
    let mut expected = Vec::new();
    if functions {
        expected.push("unlike: the function library lib is on n1, n3 and is missing on n2");
    }
    if users {
        expected.push("unlike: the user alice is on n2, n3 and is missing on n1");
    }
    expected.push("unlike: the setting maxmemory-samples is `7` on n1, n2 and is `9` on n3");
    assert_eq!(findings(&lab), expected);
    // What is right of users and settings is the user's to say.
    let fixed = lab.shardlab(["fix", "--json"]).output().unwrap();
    assert_eq!(fixed.status.code(), Some(1));
    let fixed: serde_json::Value = serde_json::from_slice(&fixed.stdout).unwrap();
    let loaded = fixed["repairs"].as_array().unwrap().len();
    assert_eq!(loaded, usize::from(functions));
    expected.drain(..loaded);
    assert_eq!(findings(&lab), expected);
}
