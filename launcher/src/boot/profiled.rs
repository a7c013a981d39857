//! Servers that do not take Redis's configuration become a cluster as their profile says.

use std::ops::ControlFlow;
use std::time::Duration;

use super::Event;
use super::bring_up::BringUp;
use crate::cluster::Cluster;
use crate::error::Error;
use crate::ladder::Rung;
use crate::machine::random;
use crate::machine::wait::until;
use crate::node::{Node, Session};
use crate::plan::{Boot, Role};
use crate::probe::prober::Climb;
use crate::server::{Formation, NewNode, PROGRAM_DEADLINE, Profile, Sign, run_words};
use crate::state::Phase;

/// How often a node is asked whether an order has had its effect.
const EVERY: Duration = Duration::from_millis(20);

impl BringUp<'_> {
    /// Starts the servers, has them form a cluster if that is asked for, and waits until they are ready.
    pub(super) async fn run_profiled(
        &self,
        cluster: &mut Cluster,
        profile: &Profile,
    ) -> Result<(), Error> {
        for node in cluster.nodes() {
            node.spawn(&[])?;
        }
        cluster.remember(self.lock, Phase::Starting)?;
        self.tell(&Event::Spawned {
            nodes: cluster.nodes().len(),
            server: &self.server.identity,
        });
        let climb = self.bring_together(cluster, &profile.cluster).await;
        // A node that died says more than the connection that broke.
        let died = || cluster.nodes().iter().find_map(Node::died);
        let climb = climb.map_err(|error| died().unwrap_or(error))?;
        cluster.set_climb(climb);
        cluster.remember(self.lock, Phase::Up)
    }

    async fn bring_together(&self, cluster: &Cluster, way: &Formation) -> Result<Climb, Error> {
        let listening = self.climb(cluster, Rung::Listening).await?;
        let options = &self.request.options;
        if options.boot == Boot::None {
            return Ok(listening);
        }
        if options.topology.is_cluster() {
            self.form_as_told(cluster, way).await?;
        }
        self.climb(cluster, self.request.rung).await
    }

    async fn form_as_told(&self, cluster: &Cluster, way: &Formation) -> Result<(), Error> {
        let mut sessions = Vec::new();
        for node in cluster.nodes() {
            sessions.push(Session::open(node, self.deadline()).await?);
        }
        let members = self.members(cluster, way).await?;
        for order in &way.orders {
            let commands = way.commands(order, &members).map_err(unsupported)?;
            for command in commands {
                if let Some(session) = sessions.get_mut(command.node) {
                    session.give(&command.words).await?;
                }
                if let (Some(sign), Some(node)) = (command.until, cluster.nodes().get(command.node))
                {
                    self.wait_for_sign(node, &sign).await?;
                }
            }
        }
        let words = way.program(&members).map_err(unsupported)?;
        let ran = run_words(&words, PROGRAM_DEADLINE).await;
        let program = words.first().map_or("", String::as_str);
        ran.map(drop).map_err(|error| {
            unsupported(format!("the profile's program `{program}` failed: {error}"))
        })
    }

    async fn wait_for_sign(&self, node: &Node, sign: &Sign) -> Result<(), Error> {
        let seen = until(self.deadline(), EVERY, || async {
            match node.call(&sign.ask).await {
                Ok(reply) if sign.is_in(&reply.raw) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        });
        seen.await.map_err(|()| {
            unsupported(format!(
                "the profile's order had no effect at {} in time: still {sign}",
                node.name()
            ))
        })
    }

    async fn members(&self, cluster: &Cluster, way: &Formation) -> Result<Vec<NewNode>, Error> {
        let nodes = cluster.nodes();
        let mut members = Vec::new();
        for node in nodes {
            let id = if way.made_ids {
                random::hex40()
            } else {
                let id = node.call(&["CLUSTER", "MYID"]).await?;
                String::from_utf8_lossy(id.as_text().unwrap_or_default()).into_owned()
            };
            let plan = node.plan();
            let is_master = |other: &Node| {
                other.plan().role == Role::Master && other.plan().shard == plan.shard
            };
            let ranges = plan.slots.ranges().iter();
            members.push(NewNode {
                name: plan.name.clone(),
                id,
                host: self.request.options.told_address().to_string(),
                port: plan.port,
                bus: plan.bus_port,
                master: (plan.role == Role::Replica)
                    .then(|| nodes.iter().position(is_master))
                    .flatten(),
                slots: ranges
                    .map(|range| (range.start().number(), range.end().number()))
                    .collect(),
            });
        }
        Ok(members)
    }
}

fn unsupported(why: String) -> Error {
    Error::Unsupported(why.into())
}
