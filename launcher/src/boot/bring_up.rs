//! Servers are started and become a whole cluster: which method, and what if it does not climb.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::seed::Seed;
use super::{commands, hang, replicated, seeded, shaping};
use crate::bend::{Method, boot_arguments, boot_node_timeout};
use crate::builder::{Builder, Event};
use crate::cluster::Cluster;
use crate::config::CLUSTER_FILE;
use crate::error::{Error, NotReady};
use crate::ladder::{Rung, Standing};
use crate::node::Node;
use crate::plan::{Boot, NodePlan, Options, Role, Topology, reachable};
use crate::random;
use crate::ready::Climb;
use crate::server::Server;
use crate::state::{Lock, Phase, write_atomically};
use crate::wait::Deadline;

/// How long a seeded boot may take before the other way is tried: it takes tenths of a second, also
/// on a busy machine.
const SEEDED_PATIENCE: Duration = Duration::from_secs(5);
const SEEDED_PATIENCE_PER_NODE: Duration = Duration::from_millis(150);

/// What a boot needs to know.
pub(crate) struct BringUp<'a> {
    /// What is wanted.
    pub(crate) wish: &'a Builder<'a>,
    /// The right to write the record.
    pub(crate) lock: &'a Lock,
    /// What is run.
    pub(crate) server: &'a Server,
    /// Where times count from.
    pub(crate) since: Instant,
}

impl BringUp<'_> {
    /// Starts the servers, by one method or, if that does not climb, by another.
    pub(crate) async fn run(&self, cluster: &mut Cluster) -> Result<(), Error> {
        let (first, second) = self.methods(cluster)?;
        let Some(second) = second else {
            return self.boot(cluster, first, self.wish.patience()).await;
        };
        let patience =
            SEEDED_PATIENCE + SEEDED_PATIENCE_PER_NODE * saturating(cluster.nodes().len());
        let patience = patience.min(self.wish.patience() / 2);
        match self
            .boot(cluster, first, self.since.elapsed() + patience)
            .await
        {
            // Not a server that died: it would die again.
            Err(error @ (Error::NotReady(_) | Error::Reply { .. } | Error::Client { .. })) => {
                self.tell(&Event::FellBack { why: &error });
            }
            result => return result,
        }
        cluster.kill_nodes().await?;
        cluster.nodes().iter().try_for_each(Node::forget)?;
        self.boot(cluster, second, self.wish.patience()).await
    }

    /// How to boot, and what to try if that does not climb.
    fn methods(&self, cluster: &Cluster) -> Result<(Method, Option<Method>), Error> {
        let identity = &self.server.identity;
        let takes_seeds = identity.takeover_at_start() && is_seedable(cluster);
        match self.wish.options.boot {
            _ if self.wish.options.topology == Topology::Standalone => Ok((Method::None, None)),
            Boot::None => Ok((Method::None, None)),
            boot if self.wish.options.topology.has_one_master() => {
                Ok((replicated::method(boot, identity), None))
            }
            Boot::Seeded if is_seedable(cluster) => Ok((Method::Seeded, None)),
            Boot::Seeded => Err(Error::Unsupported(
                "a cluster in which some masters have replicas and others have none, or some have no slots, cannot be seeded; \
                 leave `--boot` away, or say `--boot commands`"
                    .to_owned(),
            )),
            Boot::Auto if takes_seeds => Ok((Method::Seeded, Some(Method::Commands))),
            Boot::Commands | Boot::Auto => Ok((Method::Commands, None)),
        }
    }

    /// Starts the servers and makes them what is wished for by one method, which has until
    /// `timeout` after the launcher's start.
    async fn boot(
        &self,
        cluster: &mut Cluster,
        method: Method,
        timeout: Duration,
    ) -> Result<(), Error> {
        let climb = if self.wish.options.topology.is_cluster() {
            self.boot_cluster(cluster, method, timeout).await?
        } else {
            self.boot_servers(cluster, method, timeout).await?
        };
        cluster.set_climb(climb);
        cluster.unbend(method).await?;
        if let Some(shape) = self.wish.options.shape {
            let deadline = Deadline::after(timeout.saturating_sub(self.since.elapsed()));
            self.climb(cluster, Rung::Visible, timeout).await?;
            shaping::shape(cluster, shape, deadline).await?;
        }
        cluster.remember(self.lock, Phase::Up)
    }

    async fn boot_cluster(
        &self,
        cluster: &mut Cluster,
        method: Method,
        timeout: Duration,
    ) -> Result<Climb, Error> {
        let (options, identity) = (&self.wish.options, &self.server.identity);
        let plans: Vec<NodePlan> = cluster
            .nodes()
            .iter()
            .map(|node| node.plan().clone())
            .collect();
        let seed = (method == Method::Seeded).then(|| {
            Seed::new(
                &plans,
                told_address(options),
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
        let arguments = boot_arguments(options, identity, method, plans.len());
        for node in cluster.nodes() {
            node.spawn(&arguments)?;
        }
        cluster.remember(self.lock, Phase::Starting)?;
        self.tell(&Event::Spawned {
            nodes: plans.len(),
            server: identity,
        });
        match &seed {
            Some(seed) => self.turn_round(cluster, seed, &arguments, timeout).await,
            None => self.form(cluster, method, timeout).await,
        }
    }

    /// Seeded nodes take their roles while the ladder is climbed.
    async fn turn_round(
        &self,
        cluster: &Cluster,
        seed: &Seed<'_>,
        arguments: &[String],
        timeout: Duration,
    ) -> Result<Climb, Error> {
        let deadline = Deadline::after(timeout.saturating_sub(self.since.elapsed()));
        let phantoms = seed.phantoms();
        let (options, nodes) = (&self.wish.options, cluster.nodes());
        let large =
            boot_node_timeout(options, Method::Seeded, nodes.len()).filter(|_| !seed.is_reversed());
        // Reversed, the cluster is whole as well: below `ok` nobody can tell.
        let rung = self.wish.rung.max(Rung::Ok);
        tokio::select! {
            climb = self.climb(cluster, rung, timeout) => climb,
            // A node that died says more than the order that it did not obey.
            error = seeded::keep_roles(nodes, &phantoms, large, deadline) => match error {
                Ok(never) => match never {},
                Err(error) => Err(nodes.iter().find_map(Node::died).unwrap_or(error)),
            },
            error = hang::mend(nodes, seed, arguments) => match error? {},
        }
    }

    /// Bare nodes are formed by commands.
    async fn form(
        &self,
        cluster: &Cluster,
        method: Method,
        timeout: Duration,
    ) -> Result<Climb, Error> {
        let listening = self.climb(cluster, Rung::Listening, timeout).await?;
        if method == Method::None {
            return Ok(listening);
        }
        let deadline = Deadline::after(timeout.saturating_sub(self.since.elapsed()));
        let formed = commands::form(cluster.nodes(), &self.server.identity, deadline).await;
        unless_late(cluster.nodes(), formed, deadline)?;
        Ok(self
            .climb(cluster, self.wish.rung, timeout)
            .await?
            .after(&listening))
    }

    pub(super) async fn climb(
        &self,
        cluster: &Cluster,
        rung: Rung,
        timeout: Duration,
    ) -> Result<Climb, Error> {
        let observe = |standings: &[Standing]| {
            self.tell(&Event::Looked {
                standings,
                elapsed: self.since.elapsed(),
            });
        };
        let roles = (rung > Rung::Listening).then(|| {
            cluster
                .nodes()
                .iter()
                .map(|node| node.plan().role)
                .collect()
        });
        let climbed = cluster
            .climb_watched(rung, roles, self.since, timeout, observe)
            .await;
        climbed.map_err(|error| match error {
            // On the way to the rung that was asked for.
            Error::NotReady(late) => Error::NotReady(Box::new(NotReady {
                wanted: self.wish.rung,
                ..*late
            })),
            other => other,
        })
    }

    pub(super) fn tell(&self, event: &Event<'_>) {
        (self.wish.observer)(event);
    }
}

/// Of an order that failed: a node that died says more than the connection that broke; and when
/// time ran out, the ladder will say who was late.
pub(super) fn unless_late<'a>(
    nodes: impl IntoIterator<Item = &'a Node>,
    result: Result<(), Error>,
    deadline: Deadline,
) -> Result<(), Error> {
    let Err(error) = result else { return Ok(()) };
    match nodes.into_iter().find_map(Node::died) {
        Some(died) => Err(died),
        None if deadline.passed() => Ok(()),
        None => Err(error),
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

/// The address that nodes tell each other.
pub(crate) fn told_address(options: &Options) -> IpAddr {
    options
        .announce
        .as_deref()
        .and_then(|announce| announce.parse().ok())
        .unwrap_or_else(|| reachable(&options.bind))
}

fn saturating(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
