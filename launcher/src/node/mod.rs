//! One node: its folder, its process, its address.

mod error;
mod found;
mod identity;
mod memory;
mod orders;
mod ping;
mod signals;
mod spawn;

use std::fs::{self, OpenOptions};
use std::net::{IpAddr, SocketAddr};
use std::ops::ControlFlow;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::signal::Signal;

use found::servers_in;
use spawn::Spawner;

use crate::client::{ClientError, Connection, REPLY_TIMEOUT};
use crate::config::{LOG_FILE, config_file};
use crate::error::{Error, IoContext as _};
use crate::plan::{NodePlan, Role, reachable};
use crate::process::ProcessId;
use crate::reshape::members::MemberError;
use crate::resp::Frame;
use crate::state::{NodeRecord, Stage};
use crate::wait::{self, Deadline};

pub use error::NodeError;
pub(crate) use identity::is_id_prefix;
pub use spawn::{describe, die_with_parent};

/// How long a process may take to disappear after SIGKILL. It takes milliseconds; a machine that
/// swaps may take its time.
const KILL_TIMEOUT: Duration = Duration::from_secs(20);
/// How many of the last log lines an error shows.
const LAST_WORDS: usize = 8;

/// How to start a server.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program, absolute.
    pub program: PathBuf,
    /// The name it is started under, where the program looks at it.
    pub argv0: Option<String>,
    /// Whether the server dies with this process.
    pub bound: bool,
}

/// Where and how to reach a node.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The node's name.
    pub name: String,
    /// Where it listens for clients.
    pub address: SocketAddr,
    /// What it wants to hear first.
    pub password: Option<Arc<str>>,
}

impl Endpoint {
    /// Connects and logs in.
    ///
    /// # Errors
    /// Nobody listens, the password is refused, or time runs out.
    pub async fn connect(&self, deadline: Deadline) -> Result<Connection, ClientError> {
        Connection::open_with(self.address, self.password.as_deref(), deadline).await
    }
}

/// A node of a cluster.
#[derive(Debug)]
pub struct Node {
    plan: NodePlan,
    dir: PathBuf,
    launch: Arc<Launch>,
    host: IpAddr,
    password: Option<Arc<str>>,
    /// Where it listens, if it is not ours.
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
        self.running().process.clone().filter(ProcessId::is_alive)
    }

    /// Whether it is worth asking: its process runs, or it is not ours and nobody knows.
    pub fn may_answer(&self) -> bool {
        !self.is_ours() || self.process().is_some()
    }

    /// Opens a connection of the caller's own.
    ///
    /// # Errors
    /// [`Error::Client`], after five seconds at the latest.
    pub async fn connect(&self) -> Result<Connection, Error> {
        self.endpoint()
            .connect(Deadline::after(REPLY_TIMEOUT))
            .await
            .map_err(|source| self.failed(source))
    }

    /// Sends one command on a fresh connection and gives the reply, which may be an error reply.
    ///
    /// # Errors
    /// [`Error::Client`], after ten seconds at the latest.
    pub async fn call<A: AsRef<[u8]>>(&self, command: &[A]) -> Result<Frame, Error> {
        let mut connection = self.connect().await?;
        connection
            .call(command, Deadline::after(REPLY_TIMEOUT))
            .await
            .map_err(|source| self.failed(source))
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
            _ => Err(Error::Reply {
                node: self.plan.name.clone(),
                command: "ROLE".to_owned(),
                reply: crate::resp::escape(&reply.raw),
            }),
        }
    }

    /// The last lines of the node's log.
    pub fn log_tail(&self, lines: usize) -> Vec<String> {
        let text = fs::read(self.log_path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let all: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        all.iter()
            .skip(all.len().saturating_sub(lines))
            .map(|line| (*line).to_owned())
            .collect()
    }

    /// Where the log is.
    pub fn log_path(&self) -> PathBuf {
        self.dir.join(LOG_FILE)
    }

    /// Where its config is.
    pub fn config_path(&self) -> PathBuf {
        self.dir.join(config_file(self.plan.role))
    }

    /// Starts the server; does nothing if it runs. It may not listen yet when this returns.
    ///
    /// # Errors
    /// The log cannot be written, or the program not be executed.
    pub fn start(&self) -> Result<(), Error> {
        self.spawn(&[])
    }

    /// Ends the server with SIGTERM, keeping its data, and waits until it is gone. The signal is
    /// sent again and again: a server refuses it while it writes its first append-only file
    /// ("Writing initial AOF, can't exit", `prepareForShutdown`, server.c).
    ///
    /// # Errors
    /// [`Error::WillNotEnd`] after the time given. The node is not ours.
    pub async fn stop(&self, timeout: Duration) -> Result<(), Error> {
        self.refuse_foreign()?;
        // A stopped process keeps a SIGTERM for later.
        let _ = self.send(Signal::SIGCONT);
        let deadline = Deadline::after(timeout);
        let mut rounds = 0_u32;
        wait::until(deadline, Duration::from_millis(5), || {
            if rounds.is_multiple_of(20) {
                let _ = self.send(Signal::SIGTERM);
            }
            rounds += 1;
            std::future::ready(self.gone())
        })
        .await
        .map_err(|pid| self.will_not_end(pid, "SIGTERM", timeout))
    }

    /// Ends the server with SIGKILL and waits until it is gone. Does nothing if it does not run.
    ///
    /// # Errors
    /// [`Error::WillNotEnd`]: the kernel does not let go of it. The node is not ours.
    pub async fn kill(&self) -> Result<(), Error> {
        self.refuse_foreign()?;
        self.send_kill();
        self.wait_gone("SIGKILL", KILL_TIMEOUT).await
    }

    /// Waits until the server is gone, after a signal that ends it.
    ///
    /// # Errors
    /// [`Error::WillNotEnd`] after the time given.
    pub async fn wait_gone(&self, signal: &'static str, timeout: Duration) -> Result<(), Error> {
        wait::until(Deadline::after(timeout), Duration::from_millis(2), || {
            std::future::ready(self.gone())
        })
        .await
        .map_err(|pid| self.will_not_end(pid, signal, timeout))
    }

    /// Kills the server (SIGKILL) and starts it again with the data that it had on disk.
    ///
    /// # Errors
    /// As [`Node::kill`] and [`Node::start`].
    pub async fn restart(&self) -> Result<(), Error> {
        self.kill().await?;
        self.start()
    }

    /// Starts the server with more arguments behind its config file.
    pub(crate) fn spawn(&self, arguments: &[String]) -> Result<(), Error> {
        self.refuse_foreign()?;
        if self.process().is_some() {
            return Ok(());
        }
        let log_path = self.log_path();
        let log = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&log_path)
            .doing("write", &log_path)?;
        let errors = log.try_clone().doing("write", &log_path)?;
        // `checkForSentinelMode`, server.c: the same program, told what to be.
        let mode = (self.plan.role == Role::Sentinel).then_some("--sentinel");
        let mut command = Command::new(&self.launch.program);
        if let Some(argv0) = &self.launch.argv0 {
            command.arg0(argv0);
        }
        command
            .arg(self.config_path())
            .args(mode)
            .args(arguments)
            // A later command finds the server by the folder it works in.
            .current_dir(&self.dir)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            // Ctrl-C at the terminal is for the launcher and for CMD.
            .process_group(0);
        if self.launch.bound {
            die_with_parent(&mut command, Signal::SIGKILL);
        }
        let child = Spawner::spawn(command).doing("start", &self.launch.program)?;
        let process = ProcessId::of(child.id().cast_signed());
        let mut running = self.running();
        // The child before it, if it has died by itself, is a zombie until it is waited for.
        if let Some(child) = running.child.as_mut() {
            let _ = child.try_wait();
        }
        *running = Running {
            process,
            child: Some(child),
            replaced: false,
        };
        Ok(())
    }

    /// Kills the server, has `prepare` change what it will find, and starts it anew. Meanwhile it
    /// does not count as dead.
    pub(crate) async fn replace(
        &self,
        arguments: &[String],
        prepare: impl FnOnce() -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.running().replaced = true;
        self.kill().await?;
        prepare()?;
        self.spawn(arguments)
    }

    /// Looks for the server in the node's folder if its process was not written down.
    pub(crate) fn adopt(&self) {
        if self.process().is_none() {
            self.running().process = self.servers().into_iter().next();
        }
    }

    /// The node as it stands in `cluster.json`.
    pub(crate) fn record(&self) -> NodeRecord {
        NodeRecord {
            plan: self.plan.clone(),
            dir: self.dir.clone(),
            process: self.process(),
            foreign: self.foreign,
            stage: self.stage.clone(),
        }
    }

    /// The error of a server that ended by itself; `None` while it runs.
    pub(crate) fn died(&self) -> Option<Error> {
        if !self.is_ours() || self.process().is_some() || self.running().replaced {
            return None;
        }
        let ended = match self.running().child.as_mut().map(Child::try_wait) {
            Some(Ok(Some(status))) => format!("ended {}", describe(status)),
            Some(Ok(None)) => return None,
            _ => "does not run".to_owned(),
        };
        Some(Error::Died {
            node: self.plan.name.clone(),
            port: self.plan.port,
            ended,
            log: self.log_tail(LAST_WORDS),
            log_path: self.log_path(),
        })
    }

    /// Sends SIGKILL to all that works in the node's folder, without waiting.
    pub(crate) fn send_kill(&self) {
        self.send_kill_to_own();
        for process in self.servers() {
            let _ = process.signal(Signal::SIGKILL);
        }
    }

    /// Sends SIGKILL to the server that was started here, whatever else works in the node's folder.
    pub(crate) fn send_kill_to_own(&self) {
        if let Some(process) = self.process() {
            // Gone meanwhile is as good.
            let _ = process.signal_group(Signal::SIGKILL);
        }
    }

    /// Waits on the calling thread until the server is gone after [`Node::send_kill`].
    pub(crate) fn wait_gone_blocking(&self) {
        let deadline = Deadline::after(KILL_TIMEOUT);
        let _ = wait::until_blocking(deadline, Duration::from_millis(1), || self.gone());
    }

    fn gone(&self) -> ControlFlow<(), i32> {
        // A child stays a zombie until it is waited for.
        if let Some(child) = self.running().child.as_mut() {
            let _ = child.try_wait();
        }
        let left = self.process().or_else(|| self.servers().into_iter().next());
        left.map_or(ControlFlow::Break(()), |process| {
            ControlFlow::Continue(process.pid)
        })
    }

    /// The servers that work in the node's folder; none if it is not ours.
    fn servers(&self) -> Vec<ProcessId> {
        if self.is_ours() {
            servers_in(&self.dir, &self.launch.program)
        } else {
            Vec::new()
        }
    }

    pub(crate) fn refuse_foreign(&self) -> Result<(), Error> {
        match self.foreign {
            None => Ok(()),
            Some(address) => Err(MemberError::Foreign {
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
        Error::Client {
            node: self.plan.name.clone(),
            source,
        }
    }

    fn will_not_end(&self, pid: i32, signal: &'static str, waited: Duration) -> Error {
        Error::WillNotEnd {
            node: self.plan.name.clone(),
            port: self.plan.port,
            pid,
            signal,
            waited,
        }
    }
}
