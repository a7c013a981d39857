//! Servers are started and become a whole cluster: which method, and what if they cannot be made one by it.

use std::time::Duration;

use super::bring_up::BringUp;
use super::finish::finish;
use super::seed::Seed;
use super::{Event, replicated, seeded, shaping, stuck};
use crate::cluster::Cluster;
use crate::config::CLUSTER_FILE;
use crate::config::boot_values::{Method, boot_node_timeout};
use crate::error::Error;
use crate::ladder::Rung;
use crate::machine::message::text;
use crate::machine::parameter::Parameter;
use crate::machine::random;
use crate::machine::wait::Deadline;
use crate::node::Node;
use crate::plan::{Boot, NodePlan, Role, Topology};
use crate::probe::prober::Climb;
use crate::state::{Phase, write_atomically};

/// How long a seeded boot may take before it is looked at what it still lacks: it takes tenths of a second,
/// and a few times that on a busy machine.
const SEEDED_PATIENCE: Duration = Duration::from_secs(2);
const SEEDED_PATIENCE_PER_NODE: Duration = Duration::from_millis(150);

impl BringUp<'_> {
    /// Starts the servers; anew and in another way if they do not have a command that the first way needs.
    pub(crate) async fn run(&self, cluster: &mut Cluster) -> Result<(), Error> {
        if let Some(profile) = &self.server.profile {
            return self.run_profiled(cluster, profile).await;
        }
        let mut method = self.method(cluster)?;
        loop {
            let Err(why) = Box::pin(self.boot(cluster, method)).await else {
                return Ok(());
            };
            let missing = why.missing_command().unwrap_or_default();
            let how = if missing.starts_with("CONFIG") && cluster.is_configurable() {
                cluster.set_unconfigurable();
                "with the final settings, which takes longer"
            } else if missing.starts_with("CLUSTER FAILOVER") && self.may_take_commands(method) {
                method = Method::Commands;
                "by commands"
            } else {
                return Err(why);
            };
            self.tell(&Event::StartsAnew { why: &why, how });
            cluster.kill_nodes().await?;
            cluster.nodes().iter().try_for_each(Node::forget)?;
        }
    }

    fn may_take_commands(&self, method: Method) -> bool {
        method == Method::Seeded && self.request.options.boot == Boot::Auto
    }

    /// How to boot.
    fn method(&self, cluster: &Cluster) -> Result<Method, Error> {
        let identity = &self.server.identity;
        let takes_seeds = identity.takeover_at_start() && is_seedable(cluster);
        match self.request.options.boot {
            _ if self.request.options.topology == Topology::Standalone => Ok(Method::None),
            Boot::None => Ok(Method::None),
            boot if self.request.options.topology.has_one_master() => {
                Ok(replicated::method(boot, identity))
            }
            Boot::Seeded if is_seedable(cluster) => Ok(Method::Seeded),
            Boot::Seeded => Err(Error::Unsupported(text![
                "a cluster in which some masters have replicas and others have none, or some have no slots, cannot be seeded; leave ",
                Parameter::Boot,
                " out, or say ",
                Parameter::Boot.as_part("commands")
            ])),
            Boot::Auto if takes_seeds => Ok(Method::Seeded),
            Boot::Commands | Boot::Auto => Ok(Method::Commands),
        }
    }

    /// Starts the servers and makes them what is asked for by one method.
    async fn boot(&self, cluster: &mut Cluster, method: Method) -> Result<(), Error> {
        let climb = if self.request.options.topology.is_cluster() {
            self.boot_cluster(cluster, method).await?
        } else {
            self.boot_servers(cluster, method).await?
        };
        cluster.set_climb(climb);
        cluster.restore_settings(method).await?;
        if let Some(shape) = self.request.options.shape {
            let shaped = async {
                self.climb(cluster, Rung::Ready).await?;
                shaping::shape(cluster, shape, self.deadline()).await
            };
            // Temporary settings are over: none is tried out any more.
            self.guarded(cluster, Method::None, shaped).await?;
        }
        cluster.remember(self.lock, Phase::Up)
    }

    async fn boot_cluster(&self, cluster: &mut Cluster, method: Method) -> Result<Climb, Error> {
        let (options, identity) = (&self.request.options, &self.server.identity);
        let plans: Vec<NodePlan> = cluster
            .nodes()
            .iter()
            .map(|node| node.plan().clone())
            .collect();
        let seed = (method == Method::Seeded).then(|| {
            Seed::new(
                &plans,
                options.told_address(),
                identity.shard_ids(),
                random::hex40,
            )
        });
        if let Some(seed) = &seed {
            for (index, node) in cluster.nodes().iter().enumerate() {
                write_atomically(
                    &node.dir().join(CLUSTER_FILE),
                    seed.nodes_conf(index).as_bytes(),
                )?;
            }
        }
        let arguments = cluster.boot_arguments(method);
        for node in cluster.nodes() {
            node.spawn(&arguments)?;
        }
        cluster.remember(self.lock, Phase::Starting)?;
        self.tell(&Event::Spawned {
            nodes: plans.len(),
            server: identity,
        });
        match &seed {
            Some(seed) => {
                let work = Box::pin(self.turn_round(cluster, seed, &arguments));
                self.guarded(cluster, method, work).await
            }
            None => {
                self.guarded(cluster, method, self.form(cluster, method))
                    .await
            }
        }
    }

    /// Seeded nodes take their roles while the ladder is climbed. If that takes longer than usual, or a node
    /// refuses to, what is there is kept, and the rest is done as by commands.
    async fn turn_round(
        &self,
        cluster: &Cluster,
        seed: &Seed<'_>,
        arguments: &[String],
    ) -> Result<Climb, Error> {
        let deadline = self.deadline();
        let phantoms = seed.phantoms();
        let (options, nodes) = (&self.request.options, cluster.nodes());
        let large = boot_node_timeout(options, Method::Seeded, nodes.len())
            .filter(|_| !seed.is_reversed() && cluster.is_configurable());
        let patience = SEEDED_PATIENCE + SEEDED_PATIENCE_PER_NODE * saturating(nodes.len());
        let orders = async {
            let roles = seeded::keep_roles(nodes, &phantoms, large, deadline);
            let soon = Deadline::after(patience).instant();
            match tokio::time::timeout_at(soon, roles).await {
                Ok(Err(error)) if error.missing_command().is_some() => Err(error),
                _ => finish(cluster, Method::Seeded, large, deadline).await,
            }
        };
        tokio::select! {
            // Reversed, the cluster is whole as well: below `ok` nobody can tell.
            climb = self.climb(cluster, self.request.rung.max(Rung::Ok)) => climb,
            error = orders => match error? {},
            error = stuck::mend(nodes, seed, arguments) => match error? {},
        }
    }

    /// Bare nodes are formed by commands.
    async fn form(&self, cluster: &Cluster, method: Method) -> Result<Climb, Error> {
        if method == Method::None {
            return self.climb(cluster, Rung::Listening).await;
        }
        tokio::select! {
            // Below `formed` it would not be known whether all orders have been given.
            climb = self.climb(cluster, self.request.rung.max(Rung::Formed)) => climb,
            error = finish(cluster, method, None, self.deadline()) => match error? {},
        }
    }
}

/// Whether all masters have slots, and all have replicas or none has.
fn is_seedable(cluster: &Cluster) -> bool {
    let plans = || cluster.nodes().iter().map(Node::plan);
    let has_replica = |shard| plans().any(|plan| plan.role == Role::Replica && plan.shard == shard);
    let mut masters = plans()
        .filter(|plan| plan.role == Role::Master)
        .map(|plan| has_replica(plan.shard));
    let first = masters.next();
    let own = |plan: &NodePlan| plan.role == Role::Replica || !plan.slots.is_empty();
    masters.all(|other| Some(other) == first) && plans().all(own)
}

fn saturating(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
