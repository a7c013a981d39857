//! Servers that the launcher starts: every process is ours.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use shardlab::Signal as OsSignal;
use shardlab::error::NotReady;
use shardlab::ladder::Rung;
use shardlab::machine::wait::Deadline;
use shardlab::plan::{self, Boot, Options, PortChoice, Setting};
use shardlab::server::{Profile, SearchEnv, find, find_profiled};
use shardlab::wire::client::{ClientError, Connection};
use shardlab::{Cluster, Error, Event};

use crate::binding::{Names, bind};
use crate::pattern::Server;
use crate::transcript::ast::{Fit, Header, Needs, NodeName, Signal, Topology, Transcript};

use super::login::connect;
use super::stall::{History, Watch};
use super::{Deed, NOWHERE, NodeFacts, NodeTimeout, Target, from_identity};

/// `cluster-node-timeout` unless a transcript says otherwise: short, since failover takes a
/// multiple of it, and long enough that a busy machine is not taken for a dead node.
const NODE_TIMEOUT: Duration = Duration::from_secs(1);

/// `failover-timeout` unless a transcript says otherwise: a failover whose vote was split is tried
/// again after twice this time.
const FAILOVER_TIMEOUT: Duration = Duration::from_secs(3);

/// What a case asks for before its first step.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Wish {
    topology: Topology,
    conf: Vec<(String, String)>,
}

impl Wish {
    /// What the header says.
    pub fn of(header: &Header) -> Self {
        let line = |directive: &crate::transcript::ast::Directive| {
            (directive.name.clone(), directive.value.clone())
        };
        Self {
            topology: header.topology.value.started(),
            conf: header
                .conf
                .iter()
                .map(|directive| line(directive))
                .collect(),
        }
    }

    /// The same without replicas, for a case that names none: it looks on as a client, or any cluster
    /// will do for it. `None` if it needs them.
    fn without_replicas(&self, transcript: &Transcript) -> Option<Self> {
        let Topology::Cluster { masters, .. } = self.topology else {
            return None;
        };
        let alone = Self {
            topology: Topology::Cluster {
                masters,
                replicas: 0,
                fit: Fit::AtLeast,
            },
            conf: self.conf.clone(),
        };
        let header = &transcript.header;
        let looks_on =
            header.needs.value == Needs::Client || header.topology.value == Topology::Any;
        let serves = || bind(transcript, &alone.names().shape()).is_ok();
        (looks_on && serves()).then_some(alone)
    }

    /// The names of the nodes that are started.
    pub fn names(&self) -> Names {
        Names::planned(self.topology)
    }
}

/// Starts clusters of one server.
#[derive(Debug, Clone)]
pub struct Launcher {
    program: shardlab::server::Server,
    server: Server,
    /// The file that says how to start it.
    profile: Option<PathBuf>,
    history: Arc<History>,
}

/// How long a reply may take unless somebody says otherwise.
const READ: Duration = Duration::from_secs(5);

impl Launcher {
    /// The server that `spec` means, or the one that is found first.
    ///
    /// # Errors
    /// There is none, or it cannot be fetched.
    pub async fn find(
        spec: Option<&str>,
        search: &SearchEnv,
        note: shardlab::server::Notify<'_>,
    ) -> Result<Self, Error> {
        let spec = spec.map(str::parse).transpose()?;
        let program = find(spec.as_ref(), search, note).await?;
        let server = from_identity(&program.identity);
        Ok(Self {
            program,
            server,
            profile: None,
            history: Arc::new(History::new(READ)),
        })
    }

    /// The server that the profile in a file describes; `spec` may name its program.
    ///
    /// # Errors
    /// The file is no profile, or its program is not there.
    pub async fn profiled(
        file: &Path,
        spec: Option<&str>,
        search: &SearchEnv,
    ) -> Result<Self, Error> {
        let spec = spec.map(str::parse).transpose()?;
        let program = find_profiled(Profile::read(file)?, spec.as_ref(), search).await?;
        Ok(Self {
            server: from_identity(&program.identity),
            program,
            profile: Some(file.to_owned()),
            history: Arc::new(History::new(READ)),
        })
    }

    /// The same for a server whose replies may take so long.
    #[must_use]
    pub fn patience(self, read: Duration) -> Self {
        Self {
            history: Arc::new(History::new(read)),
            ..self
        }
    }

    /// The file that says how to start it, if there is one.
    pub fn profile(&self) -> Option<&Path> {
        self.profile.as_deref()
    }

    /// What is started for a case: what it wishes, or the same without replicas if the server has none.
    ///
    /// # Errors
    /// Why its profile cannot be asked for that.
    pub fn wish(&self, transcript: &Transcript) -> Result<Wish, String> {
        let wish = Wish::of(&transcript.header);
        let Some(refusal) = self.refusal(&wish) else {
            return Ok(wish);
        };
        let alone = wish.without_replicas(transcript);
        alone
            .filter(|alone| self.refusal(alone).is_none())
            .ok_or(refusal)
    }

    /// Why it cannot be started as that, if its profile says so.
    pub fn refusal(&self, wish: &Wish) -> Option<String> {
        let profile = self.program.profile.as_ref()?;
        let refusal = wished(wish).ok()?.refused_by(profile)?;
        Some(refusal.typed())
    }

    /// What it starts.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The program.
    pub fn program(&self) -> &Path {
        &self.program.program
    }

    /// Starts a cluster and waits until every node sees every other, as long as it gets on; it is gone
    /// when the answer is dropped.
    ///
    /// # Errors
    /// It does not come up, or a `conf` line is not for transcripts to decide.
    pub async fn boot(&self, wish: &Wish) -> Result<Launched, Error> {
        let options = wished(wish)?;
        let timeout = match options.topology {
            plan::Topology::Sentinel => options.sentinels.down_after,
            _ => options.node_timeout,
        };
        let (begun, topology, watch) = (Instant::now(), options.topology, Watch::new());
        let observer = |event: &Event<'_>| {
            if let Event::Looked { standings, .. } = event {
                watch.look(standings);
            }
        };
        let starting = Cluster::builder()
            .options(options)
            .found_server(self.program.clone())
            .timeout(self.history.longest())
            .observer(&observer)
            .start();
        let stuck = async {
            match self.history.foreseen() {
                Some(standings) => standings,
                None => watch.stuck(&self.history).await,
            }
        };
        let started = tokio::select! {
            biased;
            standings = stuck => {
                self.history.in_vain(&standings);
                Err(Error::NotReady(Box::new(NotReady {
                    wanted: Rung::Ready,
                    waited: begun.elapsed(),
                    standings,
                    logs: Vec::new(),
                    removed: true,
                    topology,
                })))
            }
            started = Box::pin(starting) => started,
        };
        let cluster = started?;
        self.history.came_up();
        Launched::new(cluster, self.server.clone(), timeout).await
    }
}

/// What the launcher is asked for.
fn wished(wish: &Wish) -> Result<Options, Error> {
    let mut options = options(wish.topology);
    for (name, value) in &wish.conf {
        set(&mut options, name, value)?;
    }
    Ok(options)
}

/// The same, but for the `conf` lines.
fn options(topology: Topology) -> Options {
    let of = |topology, masters: u16, replicas: u16| Options {
        masters: masters.into(),
        replicas: vec![replicas.into()],
        ..Options::of(topology)
    };
    let options = match topology {
        Topology::Any => return options(topology.started()),
        Topology::Cluster {
            masters, replicas, ..
        } => of(plan::Topology::Cluster, masters, replicas),
        Topology::Bare { nodes } => Options {
            boot: Boot::None,
            ..of(plan::Topology::Cluster, nodes, 0)
        },
        Topology::WithoutCluster { nodes } => Options {
            boot: Boot::None,
            ..of(plan::Topology::Standalone, nodes, 0)
        },
        Topology::Replication { replicas } => of(plan::Topology::Replication, 1, replicas),
        Topology::Sentinel {
            replicas,
            sentinels,
        } => {
            let mut options = of(plan::Topology::Sentinel, 1, replicas);
            options.sentinels.count = sentinels.into();
            options.sentinels.quorum = usize::from(sentinels / 2 + 1);
            options.sentinels.down_after = NODE_TIMEOUT;
            options.sentinels.failover_timeout = FAILOVER_TIMEOUT;
            options
        }
    };
    Options {
        ports: PortChoice::Auto,
        persist: false,
        node_timeout: NODE_TIMEOUT,
        ..options
    }
}

/// Brings a `conf` line into the launcher's options, some of which stand for directives.
fn set(options: &mut Options, name: &str, value: &str) -> Result<(), Error> {
    match (name, value.parse()) {
        ("cluster-node-timeout", Ok(millis)) => {
            options.node_timeout = Duration::from_millis(millis);
        }
        ("cluster-announce-ip" | "cluster-announce-hostname", _) => {
            options.announce = Some(value.to_owned());
        }
        ("appendonly", _) => options.persist = value == "yes",
        ("quorum", Ok(quorum)) => {
            options.sentinels.quorum = usize::try_from(quorum).unwrap_or(usize::MAX);
        }
        ("down-after-milliseconds", Ok(millis)) => {
            options.sentinels.down_after = Duration::from_millis(millis);
        }
        ("failover-timeout", Ok(millis)) => {
            options.sentinels.failover_timeout = Duration::from_millis(millis);
        }
        _ => options
            .settings
            .push(Setting::parse(&format!("{name}={value}"))?),
    }
    Ok(())
}

/// A cluster of real servers that belongs to a case; dropped, it is gone.
#[derive(Debug)]
pub struct Launched {
    cluster: Cluster,
    server: Server,
    timeout: NodeTimeout,
    nodes: HashMap<NodeName, NodeFacts>,
}

impl Launched {
    async fn new(cluster: Cluster, server: Server, timeout: Duration) -> Result<Self, Error> {
        let mut nodes = HashMap::new();
        for node in cluster.nodes() {
            let Some(name) = NodeName::parse(node.name()) else {
                continue;
            };
            let id = node.call(id_command(node.plan().role)).await?;
            let facts = NodeFacts {
                name,
                address: node.address(),
                endpoint: node.address().into(),
                bus_port: node.bus_port(),
                id: id
                    .as_text()
                    .map(|id| String::from_utf8_lossy(id).into_owned()),
            };
            nodes.insert(name, facts);
        }
        let timeout = NodeTimeout {
            period: timeout,
            origin: "as launched",
        };
        Ok(Self {
            cluster,
            server,
            timeout,
            nodes,
        })
    }

    /// Whether every node still has the role and the view of the cluster that a case expects. Nodes
    /// that were not formed are as they were.
    pub async fn is_as_born(&self) -> bool {
        self.cluster.record().options.boot == Boot::None || self.cluster.is_as_born().await
    }

    fn process(&self, name: NodeName) -> Result<&shardlab::Node, Error> {
        self.cluster.node(&name.to_string())
    }

    async fn deed(&self, deed: Deed, name: NodeName) -> Result<(), Error> {
        let node = self.process(name)?;
        match deed {
            Deed::Kill(Signal::Kill) => node.kill().await,
            Deed::Kill(signal) => node.signal(os_signal(signal)),
            Deed::Pause => node.pause(),
            Deed::Resume => node.resume(),
            Deed::Stop => node.stop(STOP_TIMEOUT).await,
            Deed::Start => node.start_without_waiting(),
        }
    }
}

/// What a node is asked for its id; those that have none answer with an error.
fn id_command(role: plan::Role) -> &'static [&'static str] {
    match role {
        plan::Role::Sentinel => &["SENTINEL", "MYID"],
        plan::Role::Master | plan::Role::Replica => &["CLUSTER", "MYID"],
    }
}

/// How long a server may take to end by itself.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

impl Target for Launched {
    type Link = Connection;

    fn server(&self) -> Option<&Server> {
        Some(&self.server)
    }

    fn node_timeout(&self) -> NodeTimeout {
        self.timeout
    }

    fn nodes(&self) -> Vec<NodeName> {
        let names = self.cluster.nodes().iter().map(shardlab::Node::name);
        names.filter_map(NodeName::parse).collect()
    }

    fn node(&self, name: NodeName) -> Option<&NodeFacts> {
        self.nodes.get(&name)
    }

    async fn connect(&self, node: NodeName, deadline: Deadline) -> Result<Connection, ClientError> {
        let address = self.nodes.get(&node).map_or(NOWHERE, |node| node.address);
        connect(address, "", None, deadline).await
    }

    async fn act(&self, deed: Deed, node: NodeName) -> Result<(), String> {
        self.deed(deed, node)
            .await
            .map_err(|error| error.to_string())
    }

    fn log_tail(&self, node: NodeName, lines: usize) -> Vec<String> {
        self.process(node)
            .map(|node| node.log_tail(lines))
            .unwrap_or_default()
    }
}

const fn os_signal(signal: Signal) -> OsSignal {
    match signal {
        Signal::Hup => OsSignal::HUP,
        Signal::Int => OsSignal::INT,
        Signal::Quit => OsSignal::QUIT,
        Signal::Abrt => OsSignal::ABRT,
        Signal::Kill => OsSignal::KILL,
        Signal::Segv => OsSignal::SEGV,
        Signal::Term => OsSignal::TERM,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_without_replicas_runs_what_names_none() {
        for (needs, topology, steps, serves) in [
            (
                "client",
                "3 masters, 1 replica each",
                "n1> PING\nPONG\n",
                true,
            ),
            (
                "client",
                "3 masters, 1 replica each",
                "r1> PING\nPONG\n",
                false,
            ),
            (
                "client",
                "exactly 3 masters, 1 replica each",
                "n1> PING\nPONG\n",
                false,
            ),
            // Its steps may be about a failover that is not written down.
            (
                "process",
                "3 masters, 1 replica each",
                "n1> PING\nPONG\n",
                false,
            ),
            ("admin", "any", "n1> PING\nPONG\n", true),
            ("client", "1 master, 1 replica", "n1> PING\nPONG\n", false),
        ] {
            let text = format!(
                "id: TST-01\ntitle: t\nlevel: may\nneeds: {needs}\ntopology: {topology}\n\n{steps}"
            );
            let transcript = crate::transcript::parse(&text).unwrap();
            let wish = Wish::of(&transcript.header);
            let alone = wish.without_replicas(&transcript);
            assert_eq!(alone.is_some(), serves, "{needs} {topology} {steps}");
            let replicas = alone.iter().flat_map(|wish| wish.names().shards);
            assert!(replicas.into_iter().all(|shard| shard.replicas == 0));
        }
    }
}
