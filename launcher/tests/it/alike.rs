//! Functions, users and settings: they come along to nodes that are added, and `check` tells where they differ.

use shardlab::Cluster;

use crate::checked::findings;
use crate::lab::Lab;

/// Not text, as code and patterns of keys need not be.
const CODE: &[u8] =
    b"#!lua name=lib\nredis.register_function('one', function(keys) return '\xff' end)";
const PATTERN: &[u8] = b"~k\xff*";

/// All that a node answers, on one line.
async fn told<A: AsRef<[u8]>>(cluster: &Cluster, node: &str, command: &[A]) -> String {
    let reply = cluster.call(node, command).await.unwrap();
    shardlab::wire::resp::escape(&reply.raw)
}

/// Gives a command to nodes; whether the server knows it.
async fn give<A: AsRef<[u8]>>(cluster: &Cluster, nodes: &[&str], command: &[A]) -> bool {
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
    let load: [&[u8]; 3] = [b"FUNCTION", b"LOAD", CODE];
    let functions = give(&cluster, &masters, &load).await;
    let alice: [&[u8]; 7] = [
        b"ACL", b"SETUSER", b"alice", b"on", b">secret", PATTERN, b"+get",
    ];
    let users = give(&cluster, &masters, &alice).await;
    let samples = ["CONFIG", "SET", "maxmemory-samples", "7"];
    give(&cluster, &masters, &samples).await;
    assert_eq!(findings(&lab), [""; 0]);

    lab.json(["add-node", "--json"]);
    lab.json(["add-node", "--replica-of", "n3", "--json"]);
    let cluster = lab.open();
    for node in ["n3", "r3"] {
        for (has, question, what) in [
            (
                functions,
                &["FUNCTION", "LIST", "WITHCODE"][..],
                r"return '\xff'",
            ),
            (users, &["ACL", "LIST"], "user alice on"),
            (users, &["ACL", "LIST"], r" ~k\xff* "),
        ] {
            let told = told(&cluster, node, question).await;
            assert_eq!(told.contains(what), has, "{node}: {told}");
        }
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
