//! Replication, Sentinel and standalone servers, on real servers.

use shardlab::plan::{Boot, Role, Topology};
use shardlab::{Node, Rung};

use crate::lab::Lab;

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
                assert!(cluster.climb().reached(Rung::Visible).is_some());
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
