//! A node's server from its first instruction to its last: started, replaced, ended, found dead.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal::SIGKILL;

use super::aside::put_back;
use super::found::{is_leader, is_locked, is_server, lock, servers_in};
use super::spawn::{Spawner, describe, die_with_parent};
use super::{Node, NodeError, Running};
use crate::config::{self, PID_FILE};
use crate::error::{Error, IoContext as _};
use crate::machine::process::{Place, ProcessId};
use crate::machine::signal::Signal;
use crate::machine::wait::{self, Deadline};
use crate::plan::Role;
use crate::state::read_regular;

/// How long a process may take to disappear after SIGKILL. It takes milliseconds; a machine that
/// swaps may take its time.
const KILL_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a server may take to read its data and serve.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a server may be on its way in or out without being seen: between fork and exec, and
/// between its last instruction and its last file.
const UNSEEN_TIMEOUT: Duration = Duration::from_secs(2);
/// How many of the last log lines an error shows.
const LAST_WORDS: usize = 8;

impl Node {
    /// Starts the server with the data that it had, if it is not running, and waits until it has read
    /// them and serves: PING is answered. What the other nodes make of it is waited for by
    /// [`Cluster::wait_for`](crate::Cluster::wait_for).
    ///
    /// # Errors
    /// As [`Node::start_without_waiting`]; the server ends, or does not serve within 30 seconds.
    pub async fn start(&self) -> Result<(), Error> {
        self.start_without_waiting()?;
        self.answer_ping(Deadline::after(START_TIMEOUT)).await
    }

    /// Starts the server, if it is not running. It does not listen yet when this returns.
    ///
    /// # Errors
    /// The log cannot be written, or the program not be executed. The node is not ours.
    pub fn start_without_waiting(&self) -> Result<(), Error> {
        self.spawn(&[])
    }

    /// Ends the server with SIGTERM, keeping its data, and waits until it is gone. The signal is
    /// sent again and again: a server refuses it while it writes its first append-only file
    /// ("Writing initial AOF, can't exit", `prepareForShutdown`, server.c).
    ///
    /// # Errors
    /// [`Error::WillNotEnd`] after the time given. [`NodeError::Elsewhere`]. The node is not ours.
    pub async fn stop(&self, timeout: Duration) -> Result<(), Error> {
        self.refuse_foreign()?;
        self.refuse_unseen()?;
        // A stopped process keeps a SIGTERM for later.
        let _ = self.send(Signal::CONT);
        let deadline = Deadline::after(timeout);
        let mut rounds = 0_u32;
        wait::until(deadline, Duration::from_millis(5), || {
            if rounds.is_multiple_of(20) {
                let _ = self.send(self.launch.stop);
            }
            rounds += 1;
            std::future::ready(self.gone())
        })
        .await
        .map_err(|pid| self.will_not_end(pid, self.launch.stop, timeout))
    }

    /// Ends the server with SIGKILL and waits until it is gone. Does nothing if it does not run.
    ///
    /// # Errors
    /// [`Error::WillNotEnd`]: the kernel does not let go of it. [`NodeError::Elsewhere`]. The node
    /// is not ours.
    pub async fn kill(&self) -> Result<(), Error> {
        self.refuse_foreign()?;
        self.refuse_unseen()?;
        self.send_kill();
        self.wait_gone(Signal::KILL, KILL_TIMEOUT).await
    }

    /// Waits until the server is gone, after a signal that ends it.
    ///
    /// # Errors
    /// [`Error::WillNotEnd`] after the time given.
    pub async fn wait_gone(&self, signal: Signal, timeout: Duration) -> Result<(), Error> {
        wait::until(Deadline::after(timeout), Duration::from_millis(2), || {
            std::future::ready(self.gone())
        })
        .await
        .map_err(|pid| self.will_not_end(pid, signal, timeout))
    }

    /// Kills the server (SIGKILL), starts it again with the data that it had on disk, and waits until it serves.
    ///
    /// # Errors
    /// As [`Node::kill`] and [`Node::start`].
    pub async fn restart(&self) -> Result<(), Error> {
        self.kill().await?;
        self.start().await
    }

    /// Starts the server with more arguments behind its config file.
    pub(crate) fn spawn(&self, arguments: &[String]) -> Result<(), Error> {
        self.refuse_foreign()?;
        if self.process().is_some() {
            return Ok(());
        }
        self.refuse_damaged()?;
        let log_path = self.log_path();
        let log = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&log_path)
            .doing("write", &log_path)?;
        if !lock(&log) {
            self.adopt();
            if self.process().is_some() {
                // Somebody else has started it.
                return Ok(());
            }
            // The server was killed alone; its snapshot will never be whole.
            for forked in self.servers() {
                let _ = forked.signal(SIGKILL);
            }
            if !lock(&log) {
                return Err(self.elsewhere());
            }
        }
        self.forget_pid()?;
        put_back(&self.dir)?;
        let errors = log.try_clone().doing("write", &log_path)?;
        // `checkForSentinelMode`, server.c: the same program, told what to be.
        let mode = (self.plan.role == Role::Sentinel).then_some("--sentinel");
        let mut command = Command::new(&self.launch.program);
        if let Some(argv0) = &self.launch.argv0 {
            command.arg0(argv0);
        }
        if self.launch.profiled {
            let path = self.config_path();
            let conf = read_regular(&path).doing("read", &path)?;
            let own = config::arguments(&String::from_utf8_lossy(&conf));
            command.args(own.iter().map(|word| OsStr::from_bytes(word)));
        } else {
            command.arg(self.config_path()).args(mode).args(arguments);
        }
        command
            // A later command finds the server by the folder it works in.
            .current_dir(&self.dir)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            // Ctrl-C at the terminal is for the launcher and for CMD.
            .process_group(0);
        if self.launch.bound {
            die_with_parent(&mut command, SIGKILL);
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

    /// Looks for the server in the node's folder if its process was not written down, or what was
    /// written down is somebody else's.
    pub(crate) fn adopt(&self) {
        let known = self.process();
        let is_own = |process: &ProcessId| is_server(process, &self.dir, &self.launch.program);
        if known.as_ref().is_some_and(is_own) {
            return;
        }
        let mut found = self.servers().into_iter();
        let found = found.find(|process| is_leader(process, &self.dir));
        if known.is_some() || found.is_some() {
            self.running().process = found;
        }
    }

    /// Whether this process has started it.
    pub(crate) fn was_started(&self) -> bool {
        self.running().child.is_some()
    }

    /// The error of a server that ended by itself; `None` while it runs.
    pub(crate) fn died(&self) -> Option<Error> {
        if !self.is_ours() || self.process().is_some() || self.running().replaced {
            return None;
        }
        let ended = match self.running().child.as_mut().map(Child::try_wait) {
            Some(Ok(Some(status))) => format!("ended {}", describe(status)),
            Some(Ok(None)) => return None,
            _ => "is not running".to_owned(),
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
            let _ = process.signal(SIGKILL);
        }
    }

    /// Sends SIGKILL to the server that was started here, whatever else works in the node's folder.
    pub(crate) fn send_kill_to_own(&self) {
        if let Some(process) = self.process() {
            // Gone meanwhile is as good.
            let _ = process.signal_group(SIGKILL);
        }
    }

    /// Waits on the calling thread until the server is gone after [`Node::send_kill`].
    pub(crate) fn wait_gone_blocking(&self) {
        let deadline = Deadline::after(KILL_TIMEOUT);
        let _ = wait::until_blocking(deadline, Duration::from_millis(1), || self.gone());
    }

    /// Whether a server lives in the node's folder whose process cannot be seen from here: it is in
    /// another container, or there is no `/proc`.
    pub fn is_unseen(&self) -> bool {
        self.is_ours()
            && self.process().is_none()
            && is_locked(&self.dir)
            && self.servers().is_empty()
    }

    /// Refuses a node whose server lives where it can be neither signalled nor replaced.
    ///
    /// # Errors
    /// [`NodeError::Elsewhere`].
    pub(crate) fn refuse_unseen(&self) -> Result<(), Error> {
        let look = || {
            if self.is_unseen() {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        };
        let deadline = Deadline::after(UNSEEN_TIMEOUT);
        wait::until_blocking(deadline, Duration::from_millis(1), look)
            .map_err(|()| self.elsewhere())
    }

    pub(super) fn elsewhere(&self) -> Error {
        let process = self.running().process.clone();
        Error::from(NodeError::Elsewhere {
            node: self.plan.name.clone(),
            port: self.plan.port,
            place: process
                .and_then(|process| process.place)
                .filter(|place| Place::here().is_some() && !place.is_here()),
        })
    }

    /// Removes the pid file of the server before: it is how the next one is found without `/proc`.
    fn forget_pid(&self) -> Result<(), Error> {
        let path = self.dir.join(PID_FILE);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).doing("remove", &path)
            }
            _ => Ok(()),
        }
    }

    /// The pid that is left; `None` of a server that cannot be seen.
    fn gone(&self) -> ControlFlow<(), Option<i32>> {
        // A child stays a zombie until it is waited for.
        if let Some(child) = self.running().child.as_mut() {
            let _ = child.try_wait();
        }
        let left = self.process().or_else(|| self.servers().into_iter().next());
        match left {
            Some(process) => ControlFlow::Continue(Some(process.pid)),
            None if self.is_ours() && is_locked(&self.dir) => ControlFlow::Continue(None),
            None => ControlFlow::Break(()),
        }
    }

    /// The servers that work in the node's folder, and what they have forked; none if it is not ours.
    pub(super) fn servers(&self) -> Vec<ProcessId> {
        if self.is_ours() {
            servers_in(&self.dir, &self.launch.program)
        } else {
            Vec::new()
        }
    }

    fn will_not_end(&self, pid: Option<i32>, signal: Signal, waited: Duration) -> Error {
        let Some(pid) = pid else {
            return self.elsewhere();
        };
        Error::WillNotEnd {
            node: self.plan.name.clone(),
            port: self.plan.port,
            pid,
            signal,
            waited,
        }
    }
}
