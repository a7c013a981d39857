//! Servers that do not take Redis's configuration become a cluster as their profile says.

use std::time::Duration;

use super::Event;
use super::bring_up::{BringUp, death, died};
use crate::cluster::Cluster;
use crate::error::{Error, NotReady};
use crate::ladder::{Rung, Standing};
use crate::machine::random;
use crate::machine::text::excerpt;
use crate::machine::wait::Rounds;
use crate::node::{Node, Session};
use crate::plan::{Boot, Role};
use crate::probe::prober::Climb;
use crate::server::{Formation, NewNode, PROGRAM_DEADLINE, Profile, RunError, Sign, run_words};
use crate::state::Phase;
use crate::wire::client::REPLY_TIMEOUT;

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
        let climb = tokio::select! {
            biased;
            climb = self.bring_together(cluster, &profile.cluster) => climb,
            Ok(died) = death(cluster) => Err(died),
        };
        // A node that died says more than the connection that broke.
        let climb = climb.map_err(|error| died(cluster).unwrap_or(error))?;
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
        let patience = PROGRAM_DEADLINE.min(self.deadline().remaining());
        let ran = run_words(&words, patience).await;
        let program = words.first().map_or("", String::as_str);
        ran.map(drop).map_err(|error| match error {
            RunError::Hung(_) => self.late(
                cluster.nodes(),
                &format!("waiting for the profile's program `{program}` to end"),
            ),
            RunError::NotStarted(_) if !program.contains('/') => unsupported(format!(
                "the profile's program `{program}` is not on PATH; `./{program}` is found from the profile's folder"
            )),
            error => unsupported(format!("the profile's program `{program}` failed: {error}")),
        })
    }

    async fn wait_for_sign(&self, node: &Node, sign: &Sign) -> Result<(), Error> {
        let mut session = Session::unconnected(node.endpoint());
        let mut rounds = Rounds::until(self.deadline(), EVERY);
        loop {
            let reply = session.call(&sign.ask, rounds.look(REPLY_TIMEOUT)).await;
            if reply.is_ok_and(|reply| sign.is_in(&reply.raw)) {
                return Ok(());
            }
            if !rounds.next().await {
                return Err(self.late(std::slice::from_ref(node), &sign.to_string()));
            }
        }
    }

    /// Time is up, and these nodes still wait for that.
    fn late(&self, waiting: &[Node], why: &str) -> Error {
        let standing = |node: &Node| Standing {
            node: node.name().to_owned(),
            rung: Some(Rung::Listening),
            why: Some(why.to_owned()),
        };
        Error::NotReady(Box::new(NotReady {
            wanted: self.request.rung,
            waited: self.request.patience(),
            topology: self.request.options.topology,
            standings: waiting.iter().map(standing).collect(),
            logs: Vec::new(),
            removed: false,
        }))
    }

    async fn members(&self, cluster: &Cluster, way: &Formation) -> Result<Vec<NewNode>, Error> {
        let nodes = cluster.nodes();
        let mut members = Vec::new();
        for node in nodes {
            let id = if way.made_ids {
                random::hex40()
            } else if way.tells_ids() {
                id_of(node).await?
            } else {
                String::new()
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

async fn id_of(node: &Node) -> Result<String, Error> {
    let reply = node.call(&["CLUSTER", "MYID"]).await?;
    match reply.as_text() {
        Some(id) => Ok(String::from_utf8_lossy(id).into_owned()),
        None => Err(unsupported(format!(
            "{} answers CLUSTER MYID with `{}`, and its profile tells nodes each other's ids; `made-ids = true` \
             in `[cluster]` lets shardlab make them",
            node.name(),
            excerpt(reply.raw.trim_ascii_end(), 60, 0)
        ))),
    }
}

fn unsupported(why: String) -> Error {
    Error::Unsupported(why.into())
}
