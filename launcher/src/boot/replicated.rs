//! Servers without cluster mode: alone, or a master, its replicas, and the sentinels that watch
//! them.
//!
//! Seeded, everybody finds in its config at its first start what it would otherwise find out:
//! replicas their master, sentinels their ids, the replicas and each other (`sentinel myid`,
//! `known-replica`, `known-sentinel`; `sentinelHandleConfiguration`, sentinel.c, Redis 5 to 8,
//! Valkey 8 and 9). By commands, replicas are told REPLICAOF, and sentinels only whom to monitor.

use std::time::Duration;

use super::BringUp;
use super::bring_up::unless_late;
use super::orders::Orders;
use crate::bend::{Method, boot_arguments};
use crate::builder::Event;
use crate::cluster::Cluster;
use crate::config::{Acquaintance, Known, Watch, following, sentinel_conf};
use crate::error::{Error, IoContext as _};
use crate::ladder::Rung;
use crate::node::Node;
use crate::plan::{Boot, Role};
use crate::random;
use crate::ready::Climb;
use crate::server::Identity;
use crate::state::{Phase, write_atomically};
use crate::view::Peer;
use crate::wait::Deadline;

/// How a set with one master is made. `boot` is not [`Boot::None`].
pub(super) fn method(boot: Boot, server: &Identity) -> Method {
    match boot {
        Boot::Seeded => Method::Seeded,
        Boot::Auto if server.known_replica() => Method::Seeded,
        Boot::Auto | Boot::Commands => Method::Commands,
        Boot::None => Method::None,
    }
}

impl BringUp<'_> {
    /// Starts the servers and makes them a set by one method, which has until `timeout` after the
    /// launcher's start.
    pub(super) async fn boot_servers(
        &self,
        cluster: &mut Cluster,
        method: Method,
        timeout: Duration,
    ) -> Result<Climb, Error> {
        let deadline = Deadline::after(timeout.saturating_sub(self.since.elapsed()));
        let nodes = cluster.nodes().len();
        let arguments = boot_arguments(&self.wish.options, &self.server.identity, method, nodes);
        self.tell(&Event::Spawned {
            nodes,
            server: &self.server.identity,
        });
        if method == Method::Seeded {
            link(cluster)?;
            acquaint(cluster, method)?;
        }
        if method == Method::Commands {
            let data = names(cluster.nodes_with_data());
            cluster
                .spawn_in_order(&data, &arguments, self.lock, Phase::Starting, deadline)
                .await?;
            let told = tell_replicas(cluster, deadline).await;
            unless_late(cluster.nodes_with_data(), told, deadline)?;
            // What was said at run time is forgotten by a server that starts anew.
            link(cluster)?;
            acquaint(cluster, method)?;
            let sentinels = names(cluster.sentinels());
            cluster
                .spawn_in_order(&sentinels, &[], self.lock, Phase::Starting, deadline)
                .await?;
        } else {
            let all = names(cluster.nodes().iter());
            cluster
                .spawn_in_order(&all, &arguments, self.lock, Phase::Starting, deadline)
                .await?;
        }
        let bare = self.wish.options.boot == Boot::None;
        let rung = if bare {
            Rung::Listening
        } else {
            self.wish.rung
        };
        self.climb(cluster, rung, timeout).await
    }
}

fn names<'a>(nodes: impl Iterator<Item = &'a Node>) -> Vec<String> {
    nodes.map(|node| node.name().to_owned()).collect()
}

/// Whom the replicas are to follow.
fn master(cluster: &Cluster) -> Option<Peer> {
    let master = cluster
        .nodes()
        .iter()
        .find(|node| node.plan().role == Role::Master)?;
    Some(cluster.peer(master))
}

/// Writes into each replica's config whom it follows.
fn link(cluster: &Cluster) -> Result<(), Error> {
    let master = master(cluster);
    for node in replicas(cluster) {
        let path = node.config_path();
        let conf = std::fs::read_to_string(&path).doing("read", &path)?;
        write_atomically(&path, following(&conf, master.as_ref()).as_bytes())?;
    }
    Ok(())
}

/// Writes into each sentinel's config whom it watches, and if seeded, whom it knows.
fn acquaint(cluster: &Cluster, method: Method) -> Result<(), Error> {
    let (Some(master), record) = (master(cluster), cluster.record()) else {
        return Ok(());
    };
    let sentinels: Vec<_> = cluster
        .sentinels()
        .map(|node| (node, random::hex40()))
        .collect();
    for (node, own_id) in &sentinels {
        let others = sentinels.iter().filter(|(_, id)| id != own_id);
        let known = || Known {
            own_id: own_id.clone(),
            replicas: replicas(cluster).map(|node| cluster.peer(node)).collect(),
            others: others
                .map(|(other, id)| Acquaintance {
                    peer: cluster.peer(other),
                    id: id.clone(),
                })
                .collect(),
        };
        let watch = Watch {
            master: master.clone(),
            known: (method == Method::Seeded).then(known),
        };
        let conf = sentinel_conf(
            record.name.as_str(),
            &record.options,
            node.plan(),
            node.dir(),
            &record.server,
            Some(&watch),
        );
        write_atomically(&node.config_path(), conf.as_bytes())?;
    }
    Ok(())
}

fn replicas(cluster: &Cluster) -> impl Iterator<Item = &Node> {
    cluster
        .nodes()
        .iter()
        .filter(|node| node.plan().role == Role::Replica)
}

async fn tell_replicas(cluster: &Cluster, deadline: Deadline) -> Result<(), Error> {
    let Some(master) = master(cluster) else {
        return Ok(());
    };
    for node in replicas(cluster) {
        let mut orders = Orders::open(node, deadline).await?;
        let port = master.port.to_string();
        orders.give(&["REPLICAOF", &master.host, &port]).await?;
    }
    Ok(())
}
