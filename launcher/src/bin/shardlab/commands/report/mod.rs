//! What is told of a cluster: by `up`, `start`, `status` and `ls`, as text and as JSON.

mod columns;
mod figures;
mod parts;
mod strangers;
mod text;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Serialize, Serializer};
use shardlab::cluster::picture::{Picture, Seen};
use shardlab::plan::{Boot, Name, Role, Topology};
use shardlab::probe::prober::Climb;
use shardlab::state::{Home, Phase, Stage, is_locked};
use shardlab::wire::client::REPLY_TIMEOUT;
use shardlab::wire::slots::{SlotRanges, as_list};
use shardlab::wire::view::{Epoch, NodeId};
use shardlab::{Cluster, Node, Rung};

use figures::Figures;
pub(crate) use parts::{ServerReport, Verdict};
use strangers::Stranger;

use crate::cli::Json;
use crate::commands::lab::name_option;
use crate::term::Term;

/// One cluster at one moment.
#[derive(Debug, Serialize)]
pub(crate) struct ClusterReport {
    cluster: Name,
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
    /// When the last node reached each rung, from the launcher's start.
    reached_ms: BTreeMap<&'static str, f64>,
    nodes: Vec<NodeReport>,
    /// Nodes that others have added to the cluster.
    strangers: Vec<Stranger>,
    /// What the sentinels call the master.
    master_name: Option<String>,
    /// Whether its nodes are to know nothing of each other.
    #[serde(skip)]
    bare: bool,
    /// Whether masters are to have replicas.
    #[serde(skip)]
    has_replicas: bool,
}

/// Whether a cluster runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// A launcher is at work on it.
    Starting,
    /// A launcher was killed before it was whole.
    Interrupted,
    /// It is being removed, or that was interrupted.
    Removing,
    /// All nodes run.
    Running,
    /// Some nodes do not run.
    Degraded,
    /// Stopped on purpose.
    Stopped,
    /// No node runs, and nobody has stopped them.
    Down,
    /// Its record cannot be used.
    Damaged,
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Starting => "starting",
            Self::Interrupted => "interrupted",
            Self::Removing => "removing",
            Self::Running => "running",
            Self::Degraded => "degraded",
            Self::Stopped => "stopped",
            Self::Down => "down",
            Self::Damaged => "damaged",
        })
    }
}

/// One node at one moment.
#[derive(Debug, Serialize)]
struct NodeReport {
    node: String,
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
    id: Option<NodeId>,
    #[serde(serialize_with = "as_list")]
    slots: SlotRanges,
    epoch: Option<Epoch>,
    /// Its links to the nodes that it knows.
    bus: Option<BusReport>,
    rung: Option<Rung>,
    /// Why it is not on the next rung.
    message: Option<String>,
    /// None if the node is not ours.
    dir: Option<PathBuf>,
    /// Started by Shardlab, and ended by it.
    ours: bool,
    /// Its server runs where its process cannot be seen from here.
    unseen: bool,
    /// Whether it is coming or going.
    #[serde(serialize_with = "stage_name")]
    stage: Stage,
    #[serde(flatten)]
    figures: Option<Figures>,
    reached_ms: BTreeMap<&'static str, f64>,
}

/// A node's links on the cluster bus.
#[derive(Debug, Serialize)]
struct BusReport {
    /// How many are up.
    connected: usize,
    /// How many other nodes it knows.
    known: usize,
}

impl ClusterReport {
    /// Asks the nodes and writes down what they say.
    pub(crate) async fn of(cluster: &Cluster, home: &Home) -> Self {
        let mut report = Self::with_figures(cluster, home, REPLY_TIMEOUT).await;
        for node in &mut report.nodes {
            node.figures = None;
        }
        report
    }

    /// Prints it, which ends a command.
    pub(super) fn show(&self, term: &Term, json: Json) {
        if json.json {
            term.json(self);
        } else {
            term.data(&self.text());
        }
    }

    /// The same with each node's figures; `patience` is how long a node may take to answer.
    pub(super) async fn with_figures(cluster: &Cluster, home: &Home, patience: Duration) -> Self {
        let picture = cluster.picture(patience).await;
        let standings = picture.nodes.iter().map(|node| node.standing.rung);
        let rung = standings.min().flatten();
        let record = cluster.record();
        let climb = cluster.climb();
        let reached = |rung| climb.reached(rung).filter(|at| !at.is_zero());
        Self {
            cluster: cluster.name().clone(),
            topology: record.options.topology,
            state: state(cluster, home),
            rung,
            server: ServerReport::of_record(record),
            dir: record.dir.clone(),
            private: record.private,
            reached_ms: times(reached),
            nodes: nodes(cluster, &picture),
            strangers: picture.strangers.into_iter().map(Into::into).collect(),
            url: picture.url,
            master_name: (record.options.topology == Topology::Sentinel)
                .then(|| record.options.sentinels.master_name.clone()),
            bare: record.options.boot == Boot::None,
            has_replicas: record.options.replicas.iter().any(|count| *count > 0),
        }
    }
}

/// Whether the cluster runs, by its record and its processes.
pub(crate) fn state(cluster: &Cluster, home: &Home) -> State {
    let record = cluster.record();
    let ours = || cluster.nodes().iter().filter(|node| node.is_ours());
    let running = ours().filter(|node| node.may_answer()).count();
    match (record.phase, running) {
        (Phase::Starting, _) if is_locked(&home.folder(cluster.name())) => State::Starting,
        (Phase::Starting, _) => State::Interrupted,
        (Phase::Removing, _) => State::Removing,
        (_, all) if all == ours().count() => State::Running,
        (Phase::Stopped, 0) => State::Stopped,
        (_, 0) => State::Down,
        _ => State::Degraded,
    }
}

fn nodes(cluster: &Cluster, picture: &Picture) -> Vec<NodeReport> {
    let mut nodes: Vec<NodeReport> = Vec::new();
    for (index, (node, seen)) in cluster.nodes().iter().zip(&picture.nodes).enumerate() {
        let master = seen.master.as_ref().and_then(|name| {
            let mut all = cluster.nodes().iter().zip(&picture.nodes);
            all.find(|(node, _)| node.name() == name)
        });
        let of_master = master.and_then(|(_, seen)| seen.vitals.as_ref());
        nodes.push(NodeReport {
            figures: Some(Figures::of(seen.vitals.as_ref(), of_master)),
            reached_ms: reached(cluster.climb(), index),
            ..NodeReport::of(cluster, node, seen)
        });
    }
    nodes
}

impl NodeReport {
    fn of(cluster: &Cluster, node: &Node, seen: &Seen) -> Self {
        let (plan, line) = (node.plan(), seen.line.as_ref());
        Self {
            node: node.name().to_owned(),
            role: seen.role,
            master: seen.master.clone(),
            shard: plan.shard,
            address: node.address(),
            host: node.address().ip().to_string(),
            port: plan.port,
            bus_port: plan.bus_port,
            pid: node.process().map(|process| process.pid),
            paused: node.is_paused(),
            id: line.map(|line| line.id.clone()),
            slots: line.map(|line| line.slots.clone()).unwrap_or_default(),
            epoch: line.map(|line| line.epoch),
            bus: seen.bus.map(|links| BusReport {
                connected: links.connected,
                known: links.known,
            }),
            rung: seen.standing.rung,
            message: if node.is_paused() {
                let option = name_option(cluster.name());
                Some(format!(
                    "it is paused; `shardlab resume{option}` resumes it"
                ))
            } else {
                seen.standing.why.clone()
            },
            dir: node.is_ours().then(|| node.dir().to_owned()),
            figures: None,
            ours: node.is_ours(),
            unseen: node.is_unseen(),
            stage: node.stage().clone(),
            reached_ms: BTreeMap::new(),
        }
    }
}

/// The rungs that were reached, each with its time.
fn times(reached: impl Fn(Rung) -> Option<Duration>) -> BTreeMap<&'static str, f64> {
    let rungs = Rung::ALL.into_iter();
    rungs
        .filter_map(|rung| Some((rung.name(), milliseconds(reached(rung)?))))
        .collect()
}

fn reached(climb: &Climb, index: usize) -> BTreeMap<&'static str, f64> {
    let node = climb.nodes.get(index);
    times(|rung| node?.reached.get(rung as usize).copied().flatten())
}

fn stage_name<S: Serializer>(stage: &Stage, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match stage {
        Stage::Member => "member",
        Stage::Joining { .. } => "joining",
        Stage::Leaving => "leaving",
    })
}

/// A time in reports.
pub(crate) fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
