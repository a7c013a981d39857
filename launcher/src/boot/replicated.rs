//! Servers without cluster mode: alone, or a master, its replicas, and the sentinels that watch
//! them.
//!
//! Seeded, everybody finds in its config at its first start what it would otherwise find out:
//! replicas their master, sentinels their ids, the replicas and each other (`sentinel myid`,
//! `known-replica`, `known-sentinel`; `sentinelHandleConfiguration`, sentinel.c, Redis 5 to 8,
//! Valkey 8 and 9). By commands, replicas are told REPLICAOF, and sentinels only whom to monitor.

use super::{BringUp, Event};
use crate::cluster::Cluster;
use crate::config::boot_values::Method;
use crate::config::{Acquaintance, Known, Watch, following, sentinel_conf};
use crate::error::{Error, IoContext as _};
use crate::ladder::Rung;
use crate::machine::random;
use crate::machine::wait::Deadline;
use crate::node::{Node, Session};
use crate::plan::{Boot, Role};
use crate::probe::prober::Climb;
use crate::server::Identity;
use crate::state::{Phase, read_regular, write_atomically};
use crate::wire::view::HostPort;

/// How a set with one master is made. `boot` is not [`Boot::None`].
pub(crate) fn method(boot: Boot, server: &Identity) -> Method {
    match boot {
        Boot::Seeded => Method::Seeded,
        Boot::Auto if server.known_replica() => Method::Seeded,
        Boot::Auto | Boot::Commands => Method::Commands,
        Boot::None => Method::None,
    }
}

impl BringUp<'_> {
    /// Starts the servers and makes them a set by one method.
    pub(super) async fn boot_servers(
        &self,
        cluster: &mut Cluster,
        method: Method,
    ) -> Result<Climb, Error> {
        let deadline = self.deadline();
        let arguments = cluster.boot_arguments(method);
        self.tell(&Event::Spawned {
            nodes: cluster.nodes().len(),
            server: &self.server.identity,
        });
        if method == Method::Seeded {
            arrange_born(cluster, method)?;
        }
        if method == Method::Commands {
            let data = names(cluster.nodes_with_data());
            cluster
                .spawn_in_order(&data, &arguments, self.lock, Phase::Starting, deadline)
                .await?;
            let told = tell_replicas(cluster, deadline);
            let told = self.guarded(cluster, method, told).await;
            // When time ran out, the ladder says who was late.
            if !deadline.passed() {
                told?;
            }
            // What was said at run time is forgotten by a server that starts anew.
            arrange_born(cluster, method)?;
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
        let bare = self.request.options.boot == Boot::None;
        let rung = if bare {
            Rung::Listening
        } else {
            self.request.rung
        };
        self.guarded(cluster, method, self.climb(cluster, rung))
            .await
    }
}

fn names<'a>(nodes: impl Iterator<Item = &'a Node>) -> Vec<String> {
    nodes.map(|node| node.name().to_owned()).collect()
}

/// Whom the replicas are to follow at first.
fn born_master(cluster: &Cluster) -> Option<&Node> {
    let mut nodes = cluster.nodes().iter();
    nodes.find(|node| node.plan().role == Role::Master)
}

fn arrange_born(cluster: &Cluster, method: Method) -> Result<(), Error> {
    match born_master(cluster) {
        Some(master) => arrange(cluster, master, method),
        None => Ok(()),
    }
}

/// Writes into the configs who follows whom and who watches: one is the master, all others with
/// data are its replicas.
pub(crate) fn arrange(cluster: &Cluster, master: &Node, method: Method) -> Result<(), Error> {
    let address = cluster.announced(master);
    for node in followers(cluster, master) {
        let path = node.config_path();
        let conf = read_regular(&path).doing("read", &path)?;
        write_atomically(&path, &following(&conf, Some(&address)))?;
    }
    acquaint(cluster, master, method)
}

/// Writes into each sentinel's config whom it watches, and if seeded, whom it knows.
fn acquaint(cluster: &Cluster, master: &Node, method: Method) -> Result<(), Error> {
    let record = cluster.record();
    let sentinels: Vec<_> = cluster
        .sentinels()
        .map(|node| (node, random::hex40()))
        .collect();
    for (node, own_id) in &sentinels {
        let others = sentinels.iter().filter(|(_, id)| id != own_id);
        let known = || Known {
            own_id: own_id.clone(),
            replicas: followers(cluster, master)
                .map(|node| cluster.announced(node))
                .collect(),
            others: others
                .map(|(other, id)| Acquaintance {
                    address: cluster.announced(other),
                    id: id.clone(),
                })
                .collect(),
        };
        let watch = Watch {
            master: cluster.announced(master),
            known: (method == Method::Seeded).then(known),
        };
        let conf = sentinel_conf(
            &cluster.folder(),
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

fn followers<'a>(cluster: &'a Cluster, master: &Node) -> impl Iterator<Item = &'a Node> {
    let master = master.name().to_owned();
    cluster
        .nodes_with_data()
        .filter(move |node| node.name() != master)
}

async fn tell_replicas(cluster: &Cluster, deadline: Deadline) -> Result<(), Error> {
    let Some(master) = born_master(cluster) else {
        return Ok(());
    };
    let HostPort { host, port } = cluster.announced(master);
    let port = port.to_string();
    for node in followers(cluster, master) {
        let mut orders = Session::open(node, deadline).await?;
        orders.give(&["REPLICAOF", &host, &port]).await?;
    }
    Ok(())
}
