//! What is told of a cluster: by `up`, `start`, `status` and `ls`, as text and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use shardlab::client::REPLY_TIMEOUT;
use shardlab::ladder::{Answers, Observation, Standing, common, present_master};
use shardlab::plan::{MASTER_NAME, Role, Topology};
use shardlab::ready::Climb;
use shardlab::state::{Home, Phase, Stage, has_owner};
use shardlab::{Cluster, Rung};

use crate::term::table;

/// The version of every report's JSON.
pub(crate) const SCHEMA: u32 = 1;

/// Which column of the table is only for clusters.
const SLOTS_COLUMN: usize = 3;

/// One cluster at one moment.
#[derive(Debug, Serialize)]
pub(crate) struct ClusterReport {
    schema: u32,
    name: String,
    topology: Topology,
    state: State,
    /// The rung that all nodes stand on.
    rung: Option<Rung>,
    /// Of the node that a client starts with: the master where there is one.
    url: String,
    server: ServerReport,
    dir: PathBuf,
    /// Ends with the process that started it.
    private: bool,
    /// When the last node reached each rung, in seconds from the launcher's start.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    reached: BTreeMap<&'static str, f64>,
    nodes: Vec<NodeReport>,
}

/// Whether a cluster runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// A launcher is at work on it.
    Starting,
    /// All nodes run.
    Running,
    /// Some nodes do not run.
    Degraded,
    /// Stopped on purpose.
    Stopped,
    /// No node runs, and nobody has stopped them.
    Down,
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Degraded => "degraded",
            Self::Stopped => "stopped",
            Self::Down => "down",
        })
    }
}

#[derive(Debug, Serialize)]
struct ServerReport {
    product: String,
    version: String,
    program: PathBuf,
}

#[derive(Debug, Serialize)]
struct NodeReport {
    name: String,
    role: Role,
    /// The master's name, of a replica.
    master: Option<String>,
    shard: usize,
    address: SocketAddr,
    host: String,
    port: u16,
    /// None without cluster mode.
    bus_port: Option<u16>,
    pid: Option<i32>,
    /// Frozen by SIGSTOP.
    paused: bool,
    id: Option<String>,
    slots: Vec<String>,
    epoch: Option<u64>,
    rung: Option<Rung>,
    why: Option<String>,
    /// None if the node is not ours.
    dir: Option<PathBuf>,
    /// Started by Shardlab, and ended by it.
    ours: bool,
    /// Whether it is coming or going.
    #[serde(skip_serializing_if = "Stage::is_member")]
    stage: Stage,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    reached: BTreeMap<&'static str, f64>,
}

impl ClusterReport {
    /// Asks the nodes and writes down what they say.
    pub(crate) async fn of(cluster: &Cluster, home: &Home) -> Self {
        let deadline = shardlab::wait::Deadline::after(patience(cluster));
        let mut prober = cluster.prober();
        let round = prober.round(deadline).await;
        let standings = prober.judge(&round);
        let record = cluster.record();
        Self {
            schema: SCHEMA,
            name: cluster.name().to_string(),
            topology: record.options.topology,
            state: state(cluster, home),
            rung: common(&standings),
            url: url(cluster, &round),
            server: ServerReport {
                product: record.server.product.to_string(),
                version: record.server.version.to_string(),
                program: record.program.clone(),
            },
            dir: record.dir.clone(),
            private: record.private,
            reached: Rung::ALL
                .into_iter()
                .filter_map(|rung| {
                    Some((
                        rung.name(),
                        seconds(cluster.climb().reached(rung).filter(|at| !at.is_zero())?),
                    ))
                })
                .collect(),
            nodes: nodes(cluster, &round, &standings),
        }
    }

    /// The lines that people read: what runs, how to connect, and for each node where it stands.
    pub(crate) fn text(&self) -> String {
        let ready = self.rung.map_or("not listening", Rung::name);
        let what = match self.topology {
            Topology::Cluster => String::new(),
            other => format!("{other}, "),
        };
        let mut text = format!(
            "cluster `{}`: {what}{}, {ready}, {} {}\n",
            self.name, self.state, self.server.product, self.server.version
        );
        let mut rows = vec![
            ["NODE", "ADDRESS", "ROLE", "SLOTS", "PID"]
                .map(ToOwned::to_owned)
                .to_vec(),
        ];
        rows.extend(self.nodes.iter().map(NodeReport::row));
        if !self.topology.is_cluster() {
            for row in &mut rows {
                row.remove(SLOTS_COLUMN);
            }
        }
        text.push_str(&table(&rows));
        for node in &self.nodes {
            let name = &node.name;
            let _ = match &node.stage {
                Stage::Member => Ok(()),
                Stage::Joining { .. } => writeln!(
                    text,
                    "{name} has not joined yet: `shardlab add-node` goes on, `shardlab del-node {name}` removes it"
                ),
                Stage::Leaving => writeln!(
                    text,
                    "{name} is being deleted: `shardlab del-node {name}` goes on"
                ),
            };
        }
        for node in self.nodes.iter().filter(|node| node.why.is_some()) {
            let why = node.why.as_deref().unwrap_or_default();
            let _ = match node.rung {
                Some(rung) => writeln!(text, "{} is {rung}: {why}", node.name),
                None => writeln!(text, "{} does not answer: {why}", node.name),
            };
        }
        text
    }

    /// What to do next, below [`ClusterReport::text`].
    pub(crate) fn next_steps(&self, option: &str) -> String {
        let addresses = |role: Option<Role>| {
            let nodes = self.nodes.iter();
            let chosen = nodes.filter(|node| role.is_none_or(|role| node.role == role));
            let addresses: Vec<_> = chosen.map(|node| node.address.to_string()).collect();
            addresses.join(" ")
        };
        let connect = match self.topology {
            Topology::Cluster => format!("connect a client to any of  {}", addresses(None)),
            Topology::Standalone => format!("connect a client to  {}", addresses(None)),
            Topology::Replication => format!(
                "write to    {}\nread from   {}",
                addresses(Some(Role::Master)),
                addresses(Some(Role::Replica))
            ),
            Topology::Sentinel => format!(
                "connect a client by the sentinels  {}  to the master  {MASTER_NAME}",
                addresses(Some(Role::Sentinel))
            ),
        };
        format!(
            "\n{connect}\ntry it      shardlab call{option} SET greeting hello\nlook        shardlab status{option}\nremove it   shardlab down{option}\n"
        )
    }
}

impl NodeReport {
    fn row(&self) -> Vec<String> {
        let role = match (&self.role, &self.master) {
            (Role::Master, _) => "master".to_owned(),
            (Role::Replica, Some(master)) => format!("replica of {master}"),
            (Role::Replica, None) => "replica".to_owned(),
            (Role::Sentinel, _) => "sentinel".to_owned(),
        };
        let slots = if self.slots.is_empty() {
            "-".to_owned()
        } else {
            self.slots.join(",")
        };
        let pid = match self.pid {
            Some(pid) if self.paused => format!("{pid} (paused)"),
            Some(pid) => pid.to_string(),
            None if self.ours => "not running".to_owned(),
            None => "not ours".to_owned(),
        };
        vec![
            self.name.clone(),
            self.address.to_string(),
            role,
            slots,
            pid,
        ]
    }
}

/// How long nodes are waited for: not as long where one is known not to answer.
fn patience(cluster: &Cluster) -> Duration {
    if cluster.nodes().iter().any(shardlab::Node::is_paused) {
        Duration::from_secs(1)
    } else {
        REPLY_TIMEOUT
    }
}

/// The address that a client starts with: the master's where there is one.
fn url(cluster: &Cluster, round: &[Observation]) -> String {
    let one_master = cluster.record().options.topology.has_one_master();
    let master = present_master(round).filter(|_| one_master);
    match master.and_then(|index| cluster.nodes().get(index)) {
        Some(master) => cluster.url_of(master),
        None => cluster.url(),
    }
}

/// Whether the cluster runs, by its record and its processes.
pub(crate) fn state(cluster: &Cluster, home: &Home) -> State {
    let record = cluster.record();
    let ours = || cluster.nodes().iter().filter(|node| node.is_ours());
    let running = ours().filter(|node| node.process().is_some()).count();
    match (record.phase, running) {
        (Phase::Starting, _) if is_being_started(cluster, home) => State::Starting,
        (_, all) if all == ours().count() => State::Running,
        (Phase::Stopped, 0) => State::Stopped,
        (_, 0) => State::Down,
        _ => State::Degraded,
    }
}

fn is_being_started(cluster: &Cluster, home: &Home) -> bool {
    !cluster.record().private || has_owner(&home.folder(cluster.name()))
}

fn nodes(cluster: &Cluster, round: &[Observation], standings: &[Standing]) -> Vec<NodeReport> {
    let answers: Vec<_> = round
        .iter()
        .map(|observation| observation.answers.as_ref().ok())
        .collect();
    let name_of = |id: &str| {
        let known = answers.iter().zip(cluster.nodes()).find(|(own, _)| {
            let line = own.and_then(Answers::myself);
            line.is_some_and(|line| line.id == id)
        });
        known.map(|(_, node)| node.name().to_owned())
    };
    let name_at = |port: u16| {
        let known = cluster.nodes().iter().find(|node| node.plan().port == port);
        known.map(|node| node.name().to_owned())
    };
    cluster
        .nodes()
        .iter()
        .zip(&answers)
        .zip(standings)
        .enumerate()
        .map(|(index, ((node, answers), standing))| {
            let plan = node.plan();
            let role = answers.and_then(Answers::role).unwrap_or(plan.role);
            let own = answers.and_then(Answers::myself);
            let master = own.and_then(|line| name_of(line.master.as_deref()?));
            let replicates = answers.and_then(|answers| name_at(answers.replicates()?.port));
            let slots = match own {
                Some(line) => line.slots.iter().map(ToString::to_string).collect(),
                None => Vec::new(),
            };
            NodeReport {
                name: node.name().to_owned(),
                role,
                master: master.or(replicates),
                shard: plan.shard,
                address: node.address(),
                host: node.address().ip().to_string(),
                port: plan.port,
                bus_port: plan.bus_port,
                pid: node.process().map(|process| process.pid),
                paused: node.is_paused(),
                id: own.map(|line| line.id.clone()),
                slots,
                epoch: own.map(|line| line.epoch),
                rung: standing.rung,
                why: if node.is_paused() {
                    Some("it is paused; `shardlab resume` lets it go on".to_owned())
                } else {
                    standing.why.clone()
                },
                dir: node.is_ours().then(|| node.dir().to_owned()),
                ours: node.is_ours(),
                stage: node.stage().clone(),
                reached: reached(cluster.climb(), index),
            }
        })
        .collect()
}

fn reached(climb: &Climb, index: usize) -> BTreeMap<&'static str, f64> {
    let Some(node) = climb.nodes.get(index) else {
        return BTreeMap::new();
    };
    Rung::ALL
        .iter()
        .zip(node.reached)
        .filter_map(|(rung, at)| Some((rung.name(), seconds(at?))))
        .collect()
}

/// Milliseconds are as much as a poll can tell.
pub(crate) fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}
