//! A cluster: its nodes, its record, and who cleans up.

use std::fs::File;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::bend::{Method, boot_arguments, final_settings};
use crate::builder::{Builder, default_timeout};
use crate::config::CONFIG_FILE;
use crate::error::{Error, NotReady};
use crate::ladder::{Rung, Standing};
use crate::node::{Launch, Node};
use crate::plan::{Boot, Role, Topology};
use crate::ports::{self, Held};
use crate::ready::{Climb, Prober};
use crate::resp::Frame;
use crate::state::{
    Home, Lock, Name, Phase, Record, is_temporary, remove_folder, remove_own_files,
};
use crate::wait::{self, Deadline};

/// How long a node may take to write its data down when it is stopped.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// How many log lines of a node that lags behind are shown.
const LAGGARD_LINES: usize = 5;
/// Of how many laggards.
const LAGGARDS_SHOWN: usize = 3;

/// A cluster of real servers on this machine.
///
/// One that was made by [`Builder::start`] belongs to the value: dropping it kills the nodes at
/// once and removes their folders, without a runtime. One from [`Cluster::open`], or after
/// [`Cluster::detach`], lives on.
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
/// n3.start()?;
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Debug)]
pub struct Cluster {
    home: Home,
    record: Record,
    nodes: Vec<Node>,
    /// Held while the cluster belongs to this process.
    owner: Option<File>,
    /// Its ports, also while a node is dead.
    held: Held,
    armed: bool,
    climb: Climb,
}

impl Cluster {
    /// A new cluster, to be described.
    pub fn builder<'a>() -> Builder<'a> {
        Builder::default()
    }

    /// A cluster that was started before, by whatever process.
    ///
    /// # Errors
    /// [`Error::NoCluster`], or a record that cannot be read.
    pub fn open(home: &Home, name: &Name) -> Result<Self, Error> {
        let record = home
            .record(name)?
            .ok_or_else(|| Error::NoCluster(name.clone()))?;
        let cluster = Self::of(home.clone(), record);
        cluster.nodes.iter().for_each(Node::adopt);
        Ok(cluster)
    }

    pub(crate) fn of(home: Home, record: Record) -> Self {
        let launch = Arc::new(Launch {
            program: record.program.clone(),
            argv0: record.argv0.clone(),
            bound: record.private,
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
            owner: None,
            held: Held::default(),
            armed: false,
            climb: Climb::default(),
        }
    }

    /// The cluster's name.
    pub fn name(&self) -> &Name {
        &self.record.name
    }

    /// What `cluster.json` says: options, server, folders.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The nodes: masters by birth in slot order, then first replicas, then second ones.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node of this name (`n1`), port (`7001`) or cluster bus port.
    ///
    /// # Errors
    /// [`Error::NoNode`], which lists the names.
    pub fn node(&self, wanted: &str) -> Result<&Node, Error> {
        let port = wanted.parse::<u16>().ok();
        let found = self
            .nodes
            .iter()
            .find(|node| node.name() == wanted || port == Some(node.plan().port));
        found.ok_or_else(|| Error::NoNode {
            cluster: self.record.name.clone(),
            node: wanted.to_owned(),
            nodes: self
                .nodes
                .iter()
                .map(Node::name)
                .collect::<Vec<_>>()
                .join(", "),
        })
    }

    /// Sends one command to the node of this name on a fresh connection; follows no redirect.
    ///
    /// # Errors
    /// There is no such node, or it cannot be talked to. An error reply is a reply.
    pub async fn call<A: AsRef<[u8]>>(&self, node: &str, command: &[A]) -> Result<Frame, Error> {
        self.node(node)?.call(command).await
    }

    /// The address that a client starts with, as a URL; with the password if there is one.
    pub fn url(&self) -> String {
        let secret = self
            .record
            .options
            .password
            .as_ref()
            .map(|password| format!(":{}@", percent_encoded(password)));
        let address = self
            .nodes
            .first()
            .map(|node| node.address().to_string())
            .unwrap_or_default();
        format!("redis://{}{address}", secret.unwrap_or_default())
    }

    /// The times of the climb at start; empty for an opened cluster.
    pub fn climb(&self) -> &Climb {
        &self.climb
    }

    /// Whether any node's server runs.
    pub fn is_running(&self) -> bool {
        self.nodes.iter().any(|node| node.process().is_some())
    }

    /// Waits until every node stands on `rung`.
    ///
    /// # Errors
    /// [`Error::NotReady`] after `timeout`, with where each node stands and why.
    pub async fn wait_for(&self, rung: Rung, timeout: Duration) -> Result<Climb, Error> {
        self.climb_to(
            self.prober(),
            rung,
            Instant::now(),
            Deadline::after(timeout),
            timeout,
            |_| Ok(()),
        )
        .await
    }

    /// One look at the ladder, now.
    pub async fn standings(&self) -> Vec<Standing> {
        let deadline = Deadline::after(crate::client::REPLY_TIMEOUT);
        crate::ladder::judge(&self.prober().round(deadline).await, None)
    }

    /// A prober of all nodes.
    pub fn prober(&self) -> Prober {
        Prober::new(self.nodes.iter().map(Node::endpoint))
    }

    /// Lets the cluster live on when the value is dropped.
    pub fn detach(&mut self) {
        self.armed = false;
        self.held = Held::default();
    }

    /// Stops nodes, keeping their data: all of them if `nodes` is empty.
    ///
    /// # Errors
    /// A node does not exist, or does not end within 30 seconds.
    pub async fn stop(&mut self, lock: &Lock, nodes: &[String]) -> Result<Vec<String>, Error> {
        let stopped = {
            let chosen: Vec<_> = self
                .chosen(nodes)?
                .into_iter()
                .filter(|node| node.process().is_some())
                .collect();
            // All are told before any is waited for: they write their data at the same time.
            for node in &chosen {
                let _ = node.signal(nix::sys::signal::Signal::SIGTERM);
            }
            for node in &chosen {
                node.stop(STOP_TIMEOUT).await?;
            }
            chosen.iter().map(|node| node.name().to_owned()).collect()
        };
        let phase = if self.is_running() {
            Phase::Up
        } else {
            Phase::Stopped
        };
        self.remember(lock, phase)?;
        Ok(stopped)
    }

    /// Starts the nodes that do not run, of those named or of all, with the data that they have,
    /// and waits for the ladder if all nodes of a formed cluster run then. Returns the names of
    /// those that were started.
    ///
    /// # Errors
    /// A port is taken, a server dies, or the cluster is not ready in time: then the nodes that
    /// were started go on running.
    pub async fn start(
        &mut self,
        lock: &Lock,
        nodes: &[String],
        rung: Rung,
        timeout: Option<Duration>,
        observe: impl FnMut(&[Standing]),
    ) -> Result<Vec<String>, Error> {
        let since = Instant::now();
        let timeout = timeout.unwrap_or_else(|| default_timeout(self.nodes.len()));
        let started: Vec<String> = self
            .chosen(nodes)?
            .into_iter()
            .filter(|node| node.process().is_none())
            .map(|node| node.name().to_owned())
            .collect();
        let plan: Vec<_> = self
            .nodes
            .iter()
            .filter(|node| started.iter().any(|name| name == node.name()))
            .map(|node| node.plan().clone())
            .collect();
        ports::check(
            &crate::plan::Plan { nodes: plan },
            &self.record.options.bind,
            &self.home,
        )?;
        // What is bent is bent on all nodes or on none: a lone returning node must behave as the
        // user configured it.
        let whole = started.len() == self.nodes.len();
        let arguments = if whole {
            boot_arguments(
                &self.record.options,
                &self.record.server,
                Method::Restart,
                self.nodes.len(),
            )
        } else {
            Vec::new()
        };
        for name in &started {
            self.node(name)?.spawn(&arguments)?;
        }
        self.remember(lock, Phase::Up)?;
        let formed = self.record.options.boot != Boot::None;
        let all_run = self.nodes.iter().all(|node| node.process().is_some());
        if !started.is_empty() && self.record.options.topology == Topology::Standalone {
            self.answer_pings(Deadline::after(timeout)).await?;
        } else if !started.is_empty() && all_run {
            let rung = if formed { rung } else { Rung::Listening };
            self.climb = self
                .climb_watched(rung, None, since, timeout, observe)
                .await?;
            if whole {
                self.unbend(Method::Restart).await?;
            }
        }
        Ok(started)
    }

    /// Waits until each node answers PING, of those that run: for servers without cluster mode,
    /// which know nothing of the ladder.
    pub(crate) async fn answer_pings(&self, deadline: Deadline) -> Result<(), Error> {
        for node in &self.nodes {
            wait::until(deadline, Duration::from_millis(5), || async {
                match (node.died(), node.call(&["PING"]).await) {
                    (Some(died), _) => ControlFlow::Break(Err(died)),
                    (None, Ok(reply)) if reply.as_error().is_none() => ControlFlow::Break(Ok(())),
                    (None, Ok(reply)) => ControlFlow::Continue(Error::Reply {
                        node: node.name().to_owned(),
                        command: "PING".to_owned(),
                        reply: crate::resp::escape(reply.as_error().unwrap_or_default()),
                    }),
                    (None, Err(error)) => ControlFlow::Continue(error),
                }
            })
            .await
            .unwrap_or_else(Err)?;
        }
        Ok(())
    }

    /// Removes the cluster with its data: processes, folders, record, lock.
    ///
    /// # Errors
    /// A process does not end, or a folder cannot be removed; whoever tries again goes on.
    pub async fn remove(mut self, lock: Lock) -> Result<(), Error> {
        self.kill_all().await?;
        lock.remove()
    }

    /// Removes everything but the lock, so that a start can be tried again: for what a start that
    /// failed or was interrupted has left.
    ///
    /// # Errors
    /// A process does not end, or a folder cannot be removed.
    pub async fn clear(mut self, lock: &Lock) -> Result<(), Error> {
        self.kill_all().await?;
        lock.forget()
    }

    pub(crate) fn arm(&mut self, owner: Option<File>, held: Held) {
        self.armed = true;
        self.owner = owner;
        self.held = held;
    }

    pub(crate) fn set_climb(&mut self, climb: Climb) {
        self.climb = climb;
    }

    /// Climbs, ending early when a server dies. `roles`, one for each node, must be theirs at the end.
    pub(crate) async fn climb_watched(
        &self,
        rung: Rung,
        roles: Option<Vec<Role>>,
        since: Instant,
        timeout: Duration,
        mut observe: impl FnMut(&[Standing]),
    ) -> Result<Climb, Error> {
        let deadline = Deadline::after(timeout.saturating_sub(since.elapsed()));
        self.climb_to(
            self.prober().expecting(roles),
            rung,
            since,
            deadline,
            timeout,
            |standings| {
                observe(standings);
                self.nodes.iter().find_map(Node::died).map_or(Ok(()), Err)
            },
        )
        .await
    }

    async fn climb_to(
        &self,
        mut prober: Prober,
        wanted: Rung,
        since: Instant,
        deadline: Deadline,
        timeout: Duration,
        observe: impl FnMut(&[Standing]) -> Result<(), Error>,
    ) -> Result<Climb, Error> {
        let standings = match prober.climb(wanted, since, deadline, observe).await? {
            Ok(climb) => return Ok(climb),
            Err(standings) => standings,
        };
        let lowest = crate::ladder::common(&standings);
        let laggards = standings
            .iter()
            .filter(|standing| standing.rung == lowest)
            .take(LAGGARDS_SHOWN);
        let logs = laggards
            .filter_map(|standing| {
                Some((
                    standing.node.clone(),
                    self.node(&standing.node).ok()?.log_tail(LAGGARD_LINES),
                ))
            })
            .filter(|(_, lines)| !lines.is_empty())
            .collect();
        Err(Error::NotReady(Box::new(NotReady {
            wanted,
            waited: timeout,
            standings,
            logs,
        })))
    }

    /// Brings in the user's final values of what the boot has bent.
    pub(crate) async fn unbend(&self, method: Method) -> Result<(), Error> {
        let settings = final_settings(&self.record.options, &self.record.server, method);
        let commands: Vec<[&str; 4]> = settings
            .iter()
            .map(|(key, value)| ["CONFIG", "SET", key.as_str(), value.as_str()])
            .collect();
        let commands: Vec<&[&str]> = commands.iter().map(<[&str; 4]>::as_slice).collect();
        for node in &self.nodes {
            let mut connection = node.connect().await?;
            let deadline = Deadline::after(crate::client::REPLY_TIMEOUT);
            let replies = connection
                .pipeline(&commands, deadline)
                .await
                .map_err(|source| node.failed(source))?;
            for (reply, command) in replies.iter().zip(&commands) {
                if let Some(error) = reply.as_error() {
                    let (command, reply) = (command.join(" "), crate::resp::escape(error));
                    return Err(Error::Reply {
                        node: node.name().to_owned(),
                        command,
                        reply,
                    });
                }
            }
        }
        Ok(())
    }

    /// Writes `cluster.json` with the processes as they are.
    pub(crate) fn remember(&mut self, lock: &Lock, phase: Phase) -> Result<(), Error> {
        self.record.phase = phase;
        self.record.nodes = self.nodes.iter().map(Node::record).collect();
        lock.write(&self.record)
    }

    /// Ends all servers at once; their folders stay.
    pub(crate) async fn kill_nodes(&self) -> Result<(), Error> {
        // All are told before any is waited for.
        self.nodes.iter().for_each(Node::send_kill);
        for node in &self.nodes {
            node.kill().await?;
        }
        Ok(())
    }

    async fn kill_all(&mut self) -> Result<(), Error> {
        self.armed = false;
        self.kill_nodes().await?;
        self.remove_folders()
    }

    fn chosen(&self, names: &[String]) -> Result<Vec<&Node>, Error> {
        if names.is_empty() {
            Ok(self.nodes.iter().collect())
        } else {
            names.iter().map(|name| self.node(name)).collect()
        }
    }

    fn remove_folders(&self) -> Result<(), Error> {
        for node in self.nodes.iter().filter(|node| is_ours(node.dir())) {
            remove_folder(node.dir())?;
        }
        // Ours only if they are empty: whoever put something else there keeps it.
        for created in self.record.created.iter().rev() {
            let _ = std::fs::remove_dir(created);
        }
        Ok(())
    }

    /// Kills and removes on the calling thread.
    fn destroy(&mut self) {
        self.nodes.iter().for_each(Node::send_kill);
        self.nodes.iter().for_each(Node::wait_gone_blocking);
        let _ = self.remove_folders();
        let _ = remove_own_files(&self.home.folder(&self.record.name));
        self.owner = None;
        self.home.remove_if_empty();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.armed {
            self.destroy();
        }
    }
}

/// Whether a folder is one that a launcher has made for a node. A record names the folders before
/// they are made, so somebody else's may be there instead; ours has a config, or nothing but the
/// beginning of one.
fn is_ours(dir: &Path) -> bool {
    let begun = |entry: std::fs::DirEntry| is_temporary(&entry.file_name());
    let only_begun = || {
        std::fs::read_dir(dir).is_ok_and(|mut entries| entries.all(|entry| entry.is_ok_and(begun)))
    };
    dir.join(CONFIG_FILE).is_file() || only_begun()
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
