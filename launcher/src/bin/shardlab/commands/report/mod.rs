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
use shardlab::ladder::{Answers, ClusterAnswers, Observation, Standing, common, present_master};
use shardlab::plan::{Boot, Name, Role, Topology};
use shardlab::probe::prober::Climb;
use shardlab::state::{Home, Phase, Stage, is_locked};
use shardlab::wire::client::REPLY_TIMEOUT;
use shardlab::wire::slots::{SlotRanges, as_list};
use shardlab::wire::view::{Epoch, NodeId, NodeLine};
use shardlab::{Cluster, Node, Rung};

use figures::Figures;
pub(crate) use parts::{ServerReport, Verdict};
use strangers::{Stranger, strangers};

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
        Self::within(cluster, home, REPLY_TIMEOUT).await
    }

    /// The same with each node's figures; `patience` is how long a node may take to answer.
    pub(super) async fn with_figures(cluster: &Cluster, home: &Home, patience: Duration) -> Self {
        let (mut report, vitals) = tokio::join!(
            Self::within(cluster, home, patience),
            cluster.vitals(self::patience(cluster).min(patience))
        );
        let names: Vec<_> = report.nodes.iter().map(|node| node.node.clone()).collect();
        for (node, own) in report.nodes.iter_mut().zip(&vitals) {
            let master = names
                .iter()
                .position(|name| Some(name) == node.master.as_ref());
            let master = master.and_then(|at| vitals.get(at)?.as_ref());
            node.figures = Some(Figures::of(own.as_ref(), master));
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

    async fn within(cluster: &Cluster, home: &Home, patience: Duration) -> Self {
        let deadline =
            shardlab::machine::wait::Deadline::after(self::patience(cluster).min(patience));
        let mut prober = cluster.prober();
        let round = prober.round(deadline).await;
        let standings = prober.judge(&round);
        let record = cluster.record();
        Self {
            cluster: cluster.name().clone(),
            topology: record.options.topology,
            state: state(cluster, home),
            rung: common(&standings),
            url: url(cluster, &round),
            server: ServerReport::of_record(record),
            dir: record.dir.clone(),
            private: record.private,
            reached_ms: Rung::ALL
                .into_iter()
                .filter_map(|rung| {
                    Some((
                        rung.name(),
                        milliseconds(cluster.climb().reached(rung).filter(|at| !at.is_zero())?),
                    ))
                })
                .collect(),
            nodes: nodes(cluster, &round, &standings),
            strangers: strangers(cluster, &round),
            master_name: (record.options.topology == Topology::Sentinel)
                .then(|| record.options.sentinels.master_name.clone()),
            bare: record.options.boot == Boot::None,
        }
    }
}

/// How long nodes are waited for: not as long where one is known not to answer.
fn patience(cluster: &Cluster) -> Duration {
    if cluster.nodes().iter().any(Node::is_paused) {
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

fn nodes(cluster: &Cluster, round: &[Observation], standings: &[Standing]) -> Vec<NodeReport> {
    let answers: Vec<_> = round
        .iter()
        .map(|observation| observation.answers.as_ref().ok())
        .collect();
    let selves: Vec<_> = answers
        .iter()
        .zip(cluster.nodes())
        .map(|(own, node)| match own {
            Some(own) => own.myself().cloned(),
            None => told(node, &answers),
        })
        .collect();
    let name_of = |id: &NodeId| {
        let known = selves
            .iter()
            .zip(cluster.nodes())
            .find(|(own, _)| own.as_ref().is_some_and(|line| line.id == *id));
        known.map(|(_, node)| node.name().to_owned())
    };
    // Without cluster mode a silent node is what `start` would make of it.
    let to_be = cluster.remembered_master();
    let to_be = to_be.map(|remembered| {
        let present = present_master(round).and_then(|index| cluster.nodes().get(index));
        present.unwrap_or(remembered).name().to_owned()
    });
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
            let own = selves.get(index).and_then(Option::as_ref);
            let remembered = own.map(|line| match line.master {
                Some(_) => Role::Replica,
                None => Role::Master,
            });
            let has_data = plan.role != Role::Sentinel;
            let to_follow = to_be
                .clone()
                .filter(|_| has_data && answers.is_none())
                .map(|master| (master != node.name()).then_some(master));
            let to_play = to_follow.as_ref().map(|master| match master {
                Some(_) => Role::Replica,
                None => Role::Master,
            });
            let role = answers
                .and_then(Answers::role)
                .or(remembered)
                .or(to_play)
                .unwrap_or(plan.role);
            let master = own.and_then(|line| name_of(line.master.as_ref()?));
            let replicates = answers.and_then(|answers| name_at(answers.replicates()?.port));
            NodeReport {
                node: node.name().to_owned(),
                role,
                master: master
                    .or(replicates)
                    .or(to_follow.flatten())
                    .or_else(|| joins(node.stage())),
                shard: plan.shard,
                address: node.address(),
                host: node.address().ip().to_string(),
                port: plan.port,
                bus_port: plan.bus_port,
                pid: node.process().map(|process| process.pid),
                paused: node.is_paused(),
                id: own.map(|line| line.id.clone()),
                slots: own.map(|line| line.slots.clone()).unwrap_or_default(),
                epoch: own.map(|line| line.epoch),
                bus: round.get(index).and_then(bus),
                rung: standing.rung,
                message: if node.is_paused() {
                    let option = name_option(cluster.name());
                    Some(format!(
                        "it is paused; `shardlab resume{option}` resumes it"
                    ))
                } else {
                    standing.why.clone()
                },
                dir: node.is_ours().then(|| node.dir().to_owned()),
                figures: None,
                ours: node.is_ours(),
                unseen: node.is_unseen(),
                stage: node.stage().clone(),
                reached_ms: reached(cluster.climb(), index),
            }
        })
        .collect()
}

/// What the others say of a node that is silent; if there are none, what it will say itself when it is
/// started.
fn told(node: &Node, answers: &[Option<&Answers>]) -> Option<NodeLine> {
    let remembered = node.remembered();
    let port = node.plan().port;
    let is_it = |line: &&NodeLine| match &remembered {
        Some(own) => own.id == line.id,
        None => line.address.port() == Some(port),
    };
    let others = answers
        .iter()
        .flatten()
        .filter_map(|answers| match answers {
            Answers::Cluster(answers) => Some(&answers.nodes),
            _ => None,
        });
    let newest = others.flatten().filter(is_it).max_by_key(|line| line.epoch);
    newest.cloned().or(remembered)
}

fn bus(observation: &Observation) -> Option<BusReport> {
    let Answers::Cluster(ClusterAnswers { nodes: lines, .. }) =
        observation.answers.as_ref().ok()?
    else {
        return None;
    };
    let others = || lines.iter().filter(|line| !line.is_myself());
    Some(BusReport {
        connected: others().filter(|line| line.connected).count(),
        known: others().count(),
    })
}

fn reached(climb: &Climb, index: usize) -> BTreeMap<&'static str, f64> {
    let Some(node) = climb.nodes.get(index) else {
        return BTreeMap::new();
    };
    Rung::ALL
        .iter()
        .zip(node.reached)
        .filter_map(|(rung, at)| Some((rung.name(), milliseconds(at?))))
        .collect()
}

/// The master that a node is to copy as soon as it has joined.
fn joins(stage: &Stage) -> Option<String> {
    match stage {
        Stage::Joining { replica_of } => replica_of.clone(),
        Stage::Member | Stage::Leaving => None,
    }
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
