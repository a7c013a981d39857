//! What the nodes of a cluster are told and asked in tests.

use shardlab::Cluster;

/// Sends a command, which must be obeyed.
pub(crate) async fn order(cluster: &Cluster, node: &str, command: &[&str]) {
    let reply = cluster.call(node, command).await.unwrap();
    assert_eq!(reply.as_error(), None, "{node} {command:?}: {reply:?}");
}

/// The node's id.
pub(crate) async fn id(cluster: &Cluster, node: &str) -> String {
    let reply = cluster.call(node, &["CLUSTER", "MYID"]).await.unwrap();
    String::from_utf8(reply.as_text().unwrap().to_vec()).unwrap()
}

/// A value of CONFIG GET.
pub(crate) async fn setting(cluster: &Cluster, node: &str, key: &str) -> String {
    let reply = cluster.call(node, &["CONFIG", "GET", key]).await.unwrap();
    let value = reply.as_array().unwrap()[1].as_text().unwrap().to_vec();
    String::from_utf8(value).unwrap()
}
