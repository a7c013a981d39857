//! One node: its folder, its process, its address.

mod aside;
mod damage;
mod found;
mod identity;
mod keys;
mod lifecycle;
mod log;
mod memory;
mod orders;
mod ping;
mod reply;
mod session;
mod signals;
mod spawn;
mod temporary;
mod transient;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::config::{LOG_FILE, config_file};
use crate::error::Error;
use crate::machine::process::{ProcessId, tells_of_processes};
use crate::machine::signal::Signal;
use crate::machine::wait::Deadline;
use crate::plan::{NodePlan, Role, reachable};
use crate::state::{NodeRecord, Stage};
use crate::wire::client::{ClientError, Connection, REPLY_TIMEOUT};
use crate::wire::resp::{Frame, Limits};

pub use crate::error::node::NodeError;

pub(crate) use aside::{put_aside, put_back};
pub(crate) use damage::{Damage, Part};
pub use found::{FoundServer, servers};
pub(crate) use identity::is_id_prefix;
pub use log::Log;
pub use reply::Patience;
pub(crate) use session::Session;
pub use spawn::{describe, die_with_parent};
pub(crate) use temporary::{NO_WRITES, PREFERRED, Temporaries, Temporary};

/// How to start a server.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program, absolute.
    pub program: PathBuf,
    /// The name it is started under, where the program looks at it.
    pub argv0: Option<String>,
    /// Whether the server dies with this process.
    pub bound: bool,
    /// Whether its command line is in its node.conf, since it does not take Redis's configuration.
    pub profiled: bool,
    /// The signal that asks it to end.
    pub stop: Signal,
}

/// Where and how to reach a node.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The node's name.
    pub name: String,
    /// Where it listens for clients.
    pub address: SocketAddr,
    /// The password, if it has one.
    pub password: Option<Arc<str>>,
}

impl Endpoint {
    /// Connects and logs in.
    ///
    /// # Errors
    /// Nothing listens there, the password is refused, or time runs out.
    pub async fn connect(&self, deadline: Deadline) -> Result<Connection, ClientError> {
        Connection::open_with(self.address, self.password.as_deref(), deadline).await
    }

    pub(crate) fn failed(&self, source: ClientError) -> Error {
        Error::Client {
            node: self.name.clone(),
            source,
        }
    }
}

/// A node of a cluster.
///
/// ```
/// use shardlab::Cluster;
///
/// let cluster = Cluster::builder().masters(1).replicas(0).start_blocking()?;
/// let n1 = cluster.node("n1")?;
/// n1.kill()?; // SIGKILL
/// n1.start()?; // it serves again
/// assert_eq!(n1.call(&["PING"])?.as_text(), Some(&b"PONG"[..]));
/// # Ok::<(), shardlab::Error>(())
/// ```
#[derive(Debug)]
pub struct Node {
    plan: NodePlan,
    dir: PathBuf,
    launch: Arc<Launch>,
    host: IpAddr,
    password: Option<Arc<str>>,
    /// Its address, if it is not ours.
    foreign: Option<SocketAddr>,
    stage: Stage,
    running: Mutex<Running>,
}

#[derive(Debug, Default)]
struct Running {
    process: Option<ProcessId>,
    /// Present if the process is our child; then its exit status can be had and must be fetched.
    child: Option<Child>,
    /// It is being killed on purpose, to be started anew.
    replaced: bool,
}

impl Node {
    pub(crate) fn new(
        record: &NodeRecord,
        launch: Arc<Launch>,
        bind: &[IpAddr],
        password: Option<Arc<str>>,
    ) -> Self {
        let running = Running {
            // Whatever a record says: what is not ours has no process that we could signal.
            process: record.process.clone().filter(|_| record.foreign.is_none()),
            child: None,
            replaced: false,
        };
        let (plan, dir) = (record.plan.clone(), record.dir.clone());
        Self {
            plan,
            dir,
            launch,
            host: record.foreign.map_or_else(|| reachable(bind), |at| at.ip()),
            password,
            foreign: record.foreign,
            stage: record.stage.clone(),
            running: Mutex::new(running),
        }
    }

    /// `n1`, `r1`, …
    pub fn name(&self) -> &str {
        &self.plan.name
    }

    /// What it was planned as: role at birth, shard, ports, slots.
    pub fn plan(&self) -> &NodePlan {
        &self.plan
    }

    /// Whether Shardlab has started it. A node that is not ours was running when it was added: it
    /// is talked to, and never started, signalled or removed.
    pub fn is_ours(&self) -> bool {
        self.foreign.is_none()
    }

    /// Whether it is about to join or to leave the cluster.
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    pub(crate) fn set_stage(&mut self, stage: Stage) {
        self.stage = stage;
    }

    /// The folder with its config, its log and its data; none is there if the node is not ours.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where it listens for clients.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.host, self.plan.port)
    }

    /// The cluster bus port; none without cluster mode.
    pub fn bus_port(&self) -> Option<u16> {
        self.plan.bus_port
    }

    /// Address, name and password in one, to hand around.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint {
            name: self.plan.name.clone(),
            address: self.address(),
            password: self.password.clone(),
        }
    }

    /// The process, if it runs; none is known of a node that is not ours.
    pub fn process(&self) -> Option<ProcessId> {
        let known = self.running().process.clone().filter(ProcessId::is_alive);
        if tells_of_processes() {
            return known;
        }
        // The one that the server itself has written down goes before the one that was started once.
        let own = self.servers().into_iter().next();
        own.or_else(|| known.filter(|_| found::is_locked(&self.dir)))
    }

    /// Whether it is worth asking: its server runs, seen or not, or it is not ours and nobody knows.
    pub fn may_answer(&self) -> bool {
        !self.is_ours() || self.process().is_some() || self.is_unseen()
    }

    /// Opens a connection of the caller's own, for replies of any size: up to [`Limits::default`].
    ///
    /// # Errors
    /// [`Error::Client`], after five seconds at the latest.
    pub async fn connect(&self) -> Result<Connection, Error> {
        let endpoint = self.endpoint();
        let connecting = endpoint.connect(Deadline::after(REPLY_TIMEOUT));
        let connection = connecting.await.map_err(|source| self.failed(source))?;
        Ok(connection.with_limits(Limits::default()))
    }

    /// Sends one command on a fresh connection and gives the reply, which may be an error reply.
    ///
    /// # Errors
    /// [`Error::Client`], after five seconds at the latest; [`Node::ask`] waits longer.
    pub async fn call<A: AsRef<[u8]>>(&self, command: &[A]) -> Result<Frame, Error> {
        self.ask(command, Deadline::after(REPLY_TIMEOUT).into())
            .await
    }

    /// What the node is now, by its own word (ROLE, Redis 2.8.12 and later).
    ///
    /// # Errors
    /// [`Error::Client`], and [`Error::Reply`] while it loads its data.
    pub async fn role(&self) -> Result<Role, Error> {
        let reply = self.call(&["ROLE"]).await?;
        let word = reply.as_array().and_then(<[Frame]>::first);
        match word.and_then(Frame::as_text) {
            Some(b"master") => Ok(Role::Master),
            Some(b"slave") => Ok(Role::Replica),
            Some(b"sentinel") => Ok(Role::Sentinel),
            _ => Err(self.answered("ROLE", &reply.raw)),
        }
    }

    /// Where the log is.
    pub fn log_path(&self) -> PathBuf {
        self.dir.join(LOG_FILE)
    }

    /// Where its config is.
    pub fn config_path(&self) -> PathBuf {
        self.dir.join(config_file(self.plan.role))
    }

    /// The node as it stands in `cluster.json`.
    pub(crate) fn record(&self) -> NodeRecord {
        NodeRecord {
            plan: self.plan.clone(),
            dir: self.dir.clone(),
            process: self.process().or_else(|| self.unseen()),
            foreign: self.foreign,
            stage: self.stage.clone(),
        }
    }

    /// What is remembered of a server that cannot be seen from here.
    fn unseen(&self) -> Option<ProcessId> {
        let remembered = self.running().process.clone();
        remembered.filter(|_| self.is_unseen())
    }

    pub(crate) fn refuse_foreign(&self) -> Result<(), Error> {
        match self.foreign {
            None => Ok(()),
            Some(address) => Err(NodeError::Foreign {
                node: self.plan.name.clone(),
                address,
            }
            .into()),
        }
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn failed(&self, source: ClientError) -> Error {
        self.endpoint().failed(source)
    }
}
