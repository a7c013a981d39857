//! A cluster: its nodes, its record, and who cleans up.

pub mod picture;
pub mod routing;
pub mod sweep;

mod asking;
mod at_exit;
mod breaking;
mod climbing;
mod interrupted;
mod life;
mod naming;
mod profiled;
mod removal;
mod roles;
mod starting;
mod verbs;
mod wiping;

pub(crate) use climbing::default_timeout;
pub(crate) use roles::follow;

use std::fs::File;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::config::boot_values::{Method, boot_arguments, calming_command, final_settings};
use crate::error::Error;
use crate::machine::message::{run, text};
use crate::machine::signal::Signal;
use crate::machine::wait::{Deadline, until};
use crate::node::{Launch, Node, Session};
use crate::plan::{Plan, Role};
use crate::probe::prober::Climb;
use crate::state::ports::ReservedPorts;
use crate::state::{Home, Name, NodeRecord, Record, Stage};
use crate::wire::client::REPLY_TIMEOUT;
use crate::wire::resp::Frame;
use crate::wire::view::HostPort;

pub use breaking::{Effect, Paused};
pub use verbs::LOCK_PATIENCE;

/// How long to wait for a node that gets its final settings: the machine may be very busy.
const SETTING_PATIENCE: Duration = Duration::from_secs(20);

/// A cluster of real servers on this machine.
///
/// A cluster from [`Builder::start`](crate::Builder::start) belongs to this value: dropping it kills the nodes at once
/// and removes their folders, without a runtime. A cluster from [`Cluster::open`], or after
/// [`Cluster::detach`], keeps running.
///
/// ```
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use shardlab::Cluster;
///
/// let cluster = Cluster::builder().masters(3).replicas(1).start().await?;
/// let reply = cluster.call("n1", &["CLUSTER", "KEYSLOT", "a"]).await?;
/// assert_eq!(reply.as_integer(), Some(15495));
///
/// // The master of slot 15495 dies and returns.
/// let n3 = cluster.node("n3")?;
/// n3.kill().await?;
/// n3.start().await?;
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Debug)]
pub struct Cluster {
    home: Home,
    record: Record,
    nodes: Vec<Node>,
    launch: Arc<Launch>,
    /// Held while the cluster belongs to this process.
    owner: Option<File>,
    /// Its ports, which stay reserved while a node is dead.
    reserved: ReservedPorts,
    armed: bool,
    climb: Climb,
}

impl Cluster {
    /// Opens a cluster that any process started before.
    ///
    /// # Errors
    /// [`Error::NoCluster`], or the record cannot be read.
    pub fn open(home: &Home, name: &Name) -> Result<Self, Error> {
        let record = home
            .record(name)?
            .ok_or_else(|| Error::NoCluster(name.clone()))?;
        // Nodes that are started now outlive this command, whoever owns the cluster: they go with it.
        let cluster = Self::of(home.clone(), record, false);
        cluster.nodes.iter().for_each(Node::adopt);
        Ok(cluster)
    }

    /// A cluster by its record. Servers that are `bound` die with this process.
    pub(crate) fn of(home: Home, record: Record, bound: bool) -> Self {
        let launch = Arc::new(Launch {
            program: record.program.clone(),
            argv0: record.argv0.clone(),
            bound,
            profiled: record.profile.is_some(),
            stop: record.profile.as_ref().map_or(Signal::TERM, |profile| {
                profile.stop_signal().unwrap_or(Signal::TERM)
            }),
        });
        let password: Option<Arc<str>> = record.options.password.as_deref().map(Arc::from);
        let node = |node| {
            Node::new(
                node,
                Arc::clone(&launch),
                &record.options.bind,
                password.clone(),
            )
        };
        let nodes = record.nodes.iter().map(node).collect();
        Self {
            home,
            record,
            nodes,
            launch,
            owner: None,
            reserved: ReservedPorts::default(),
            armed: false,
            climb: Climb::default(),
        }
    }

    /// The cluster's name.
    pub fn name(&self) -> &Name {
        &self.record.name
    }

    /// The record (`cluster.json`): options, server, folders.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The cluster's folder in the state folder.
    pub(crate) fn folder(&self) -> PathBuf {
        self.home.folder(&self.record.name)
    }

    /// The nodes: those that started as masters in slot order, then first replicas, then second ones, then
    /// sentinels, then nodes that were added later.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The nodes without the sentinels.
    pub fn nodes_with_data(&self) -> impl Iterator<Item = &Node> {
        self.nodes
            .iter()
            .filter(|node| node.plan().role != Role::Sentinel)
    }

    /// The sentinels.
    pub fn sentinels(&self) -> impl Iterator<Item = &Node> {
        self.nodes
            .iter()
            .filter(|node| node.plan().role == Role::Sentinel)
    }

    /// Refuses commands about slots or members if the cluster has no cluster mode.
    ///
    /// # Errors
    /// [`Error::Unsupported`].
    pub fn must_have_slots(&self) -> Result<(), Error> {
        match self.record.options.topology {
            topology if topology.is_cluster() => Ok(()),
            topology => Err(Error::Unsupported(text![
                format!(
                    "`{}` has the topology `{topology}`, and this command works only on a cluster; ",
                    self.record.name
                ),
                run("up").of(&"OTHER"),
                " starts one"
            ])),
        }
    }

    /// A node, by the host that it announces.
    pub(crate) fn announced(&self, node: &Node) -> HostPort {
        HostPort {
            host: self.record.options.told_host(),
            port: node.plan().port,
        }
    }

    /// Sends a command to a node on a new connection, and follows no redirection.
    ///
    /// # Errors
    /// There is no such node, or it cannot be reached. An error reply is a reply.
    pub async fn call<A: AsRef<[u8]>>(&self, node: &str, command: &[A]) -> Result<Frame, Error> {
        self.node(node)?.call(command).await
    }

    /// The addresses for clients: of all nodes with data, those that started as masters first. The
    /// addresses of [`Cluster::sentinels`] are not among them.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes_with_data().map(Node::address).collect()
    }

    /// The same as URLs, with the password if there is one, for client libraries.
    pub fn urls(&self) -> Vec<String> {
        self.nodes_with_data()
            .map(|node| self.url_of(node))
            .collect()
    }

    /// The address of the first node as a URL, with the password if there is one. Without cluster mode that
    /// is the node that started as the master; see [`Cluster::present_master`].
    pub fn url(&self) -> String {
        self.nodes
            .first()
            .map(|node| self.url_of(node))
            .unwrap_or_default()
    }

    /// A node's address as a URL, with the password if there is one.
    pub fn url_of(&self, node: &Node) -> String {
        // Some clients log in as the user that stands before the colon even if none does; servers before
        // Redis 6 know no users.
        let named = self.record.server.named_users();
        let user = if named { "default" } else { "" };
        let password = self.record.options.password.as_ref();
        let secret = password.map(|password| format!("{user}:{}@", percent_encoded(password)));
        format!("redis://{}{}", secret.unwrap_or_default(), node.address())
    }

    /// When each rung was reached during the start; empty for an opened cluster.
    pub fn climb(&self) -> &Climb {
        &self.climb
    }

    /// Whether any node's server is running, visible from here or not.
    pub fn is_running(&self) -> bool {
        self.nodes
            .iter()
            .any(|node| node.process().is_some() || node.is_unseen())
    }

    /// Counts a node among ours from now on, as the last one.
    pub(crate) fn admit(&mut self, record: NodeRecord) {
        let options = &self.record.options;
        self.nodes.push(Node::new(
            &record,
            Arc::clone(&self.launch),
            &options.bind,
            options.password.as_deref().map(Arc::from),
        ));
        self.record.nodes.push(record);
    }

    /// Counts a node among ours no more. Its name is not given again.
    pub(crate) fn dismiss(&mut self, name: &str) {
        if let Some(gone) = self.nodes.iter().position(|node| node.name() == name) {
            let node = self.nodes.remove(gone);
            self.reserved.release(node.plan().port);
            if let Some(port) = node.bus_port() {
                self.reserved.release(port);
            }
            self.record.retired.push(node.name().to_owned());
        }
        self.record.nodes.retain(|node| node.plan.name != name);
    }

    /// The state folder.
    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    /// Keeps the ports of nodes that are about to be started, if this cluster keeps its ports.
    pub(crate) fn reserve_ports(&mut self, plan: &Plan) {
        if self.armed {
            self.reserved
                .join(ReservedPorts::of(plan, &self.record.options.bind));
        }
    }

    /// Marks a node as coming, going, or neither.
    pub(crate) fn set_stage(&mut self, name: &str, stage: &Stage) {
        for node in self.nodes.iter_mut().filter(|node| node.name() == name) {
            node.set_stage(stage.clone());
        }
    }

    /// Notes how many replicas each master has now.
    pub(crate) fn set_reshaped(&mut self, replicas: Vec<usize>) {
        self.record.reshaped = Some(replicas);
    }

    pub(crate) fn set_climb(&mut self, climb: Climb) {
        self.climb = climb;
    }

    /// Whether its servers can be configured while they run. If not, nothing about them is temporary.
    pub(crate) fn is_configurable(&self) -> bool {
        !self.record.no_config
    }

    /// Notes that they cannot.
    pub(crate) fn set_unconfigurable(&mut self) {
        self.record.no_config = true;
    }

    /// The arguments, behind the config file, of nodes that become a whole cluster by `method`.
    pub(crate) fn boot_arguments(&self, method: Method) -> Vec<String> {
        let Record {
            options, server, ..
        } = &self.record;
        if self.is_configurable() {
            boot_arguments(options, server, method, self.nodes.len())
        } else {
            Vec::new()
        }
    }

    /// What a node is told by whose cluster is still not whole after some seconds.
    pub(crate) fn calming_command(&self, method: Method) -> Option<Vec<String>> {
        let command = calming_command(&self.record.options, method, self.nodes.len())?;
        self.is_configurable().then(|| command.to_vec())
    }

    /// Brings in the user's final values of what the boot has changed, on every node that answers.
    ///
    /// # Errors
    /// Of the first node that does not, or refuses a value.
    pub(crate) async fn restore_settings(&self, method: Method) -> Result<(), Error> {
        self.restore_those(method, |_| true).await
    }

    /// The same, on some of the nodes.
    ///
    /// # Errors
    /// As [`Cluster::restore_settings`].
    pub(crate) async fn restore_those(
        &self,
        method: Method,
        those: impl Fn(&Node) -> bool,
    ) -> Result<(), Error> {
        let settings = final_settings(&self.record.options, &self.record.server, method);
        if settings.is_empty() || !self.is_configurable() {
            return Ok(());
        }
        let commands: Vec<Vec<&str>> = settings
            .iter()
            .map(|(key, value)| vec!["CONFIG", "SET", key.as_str(), value.as_str()])
            .collect();
        let mut first = Ok(());
        // What is not ours was never changed.
        let ours = self.nodes_with_data().filter(|node| node.is_ours());
        for node in ours.filter(|node| those(node)) {
            let set = set_all(node, &commands).await;
            first = first.and(set);
        }
        first
    }
}

/// Sends the commands to a node, which must accept them all.
async fn set_all(node: &Node, commands: &[Vec<&str>]) -> Result<(), Error> {
    // One on a busy machine may be silent for a while, and one that dies never will answer.
    let set = || async {
        let set = match Session::open(node, Deadline::after(REPLY_TIMEOUT)).await {
            Ok(mut session) => session.give_all(commands).await.map(drop),
            Err(error) => Err(error),
        };
        match set {
            Err(error @ Error::Client { .. }) if node.may_answer() => ControlFlow::Continue(error),
            set => ControlFlow::Break(set),
        }
    };
    let deadline = Deadline::after(SETTING_PATIENCE);
    let set = until(deadline, Duration::from_millis(5), set).await;
    set.unwrap_or_else(Err)
}

/// Keeps what has a meaning in a URL out of a password.
fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}
