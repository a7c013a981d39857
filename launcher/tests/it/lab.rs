//! A state folder of the test's own, and the program in it.

use std::ffi::OsStr;
use std::fmt::Debug;
use std::net::Ipv4Addr;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use shardlab::Cluster;
use shardlab::machine::wait::{Deadline, until_blocking};
use shardlab::start::builder::Builder;
use shardlab::state::Home;
use snapbox::cmd::Command;
use tempfile::TempDir;

/// How long anything may take before a test gives up: long, since it only exists to end a hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A state folder that is removed at the end, with whatever runs in it.
pub(crate) struct Lab {
    folder: TempDir,
    address: String,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            address: an_address().to_string(),
        }
    }

    /// The state folder; it exists only while there is a cluster.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// The loopback address of its clusters, which no other test uses.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// A builder that works in here.
    pub(crate) fn cluster(&self) -> Builder<'static> {
        Cluster::builder()
            .home(Home::at(self.home()))
            .timeout(PATIENCE)
    }

    /// The program, in here.
    pub(crate) fn shardlab<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        self.in_here(Command::new(env!("CARGO_BIN_EXE_shardlab")))
            .args(args)
    }

    /// A program that may start Shardlab, in here. What the tester's environment says of Shardlab
    /// does not count, but for the server.
    pub(crate) fn in_here(&self, program: Command) -> Command {
        program
            .env("SHARDLAB_HOME", self.home())
            .env_remove("SHARDLAB_NAME")
            .env_remove("SHARDLAB_PASSWORD")
    }

    /// The program on its own, in here; what it says is thrown away, but for a piped `stdout`.
    pub(crate) fn spawn<S: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
        stdout: Stdio,
    ) -> Child {
        std::process::Command::new(env!("CARGO_BIN_EXE_shardlab"))
            .args(args)
            .env("SHARDLAB_HOME", self.home())
            .env_remove("SHARDLAB_NAME")
            .env_remove("SHARDLAB_PASSWORD")
            .stdout(stdout)
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Starts the program and kills it once `moment` says so, or when it has ended by itself.
    pub(crate) fn kill_when(&self, args: &[&str], moment: impl Fn(&Self) -> bool) {
        let mut child = self.spawn(args, Stdio::null());
        wait_until("the moment to kill it comes", || {
            moment(self) || child.try_wait().unwrap().is_some()
        });
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// The cluster that is called `default`.
    pub(crate) fn open(&self) -> Cluster {
        Cluster::open(&Home::at(self.home()), &"default".parse().unwrap()).unwrap()
    }

    /// `up` on free ports of [`Self::address`]; gives the JSON that it prints.
    pub(crate) fn up(&self, args: &[&str]) -> serde_json::Value {
        let common = [
            "up",
            "--bind",
            &self.address,
            "--port",
            "auto",
            "--json",
            "--timeout",
            "120s",
        ];
        self.json(common.iter().chain(args))
    }

    /// Runs the program, which must succeed, and reads the JSON that it prints.
    pub(crate) fn json<S: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
    ) -> serde_json::Value {
        let output = self.shardlab(args).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{:?}: {errors}", output.status);
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Runs the program, which must refuse with this exit code, and gives what it says.
    #[track_caller]
    pub(crate) fn refused<S: AsRef<OsStr> + Debug>(&self, args: &[S], code: i32) -> String {
        let output = self.shardlab(args).output().unwrap();
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {errors}");
        let told = text(&output.stdout);
        assert_eq!(
            told, "",
            "{args:?}: a refusal prints nothing on standard output"
        );
        errors
    }

    /// Processes that work in here.
    pub(crate) fn processes(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir("/proc") else {
            return Vec::new();
        };
        let folder = self.folder.path().canonicalize().unwrap();
        let alive = |pid: &str| shardlab::machine::process::ProcessId::of(pid.parse().ok()?);
        entries
            .flatten()
            .filter(|entry| entry.file_name().to_str().and_then(alive).is_some())
            .filter_map(|entry| std::fs::read_link(entry.path().join("cwd")).ok())
            .filter(|cwd| cwd.starts_with(&folder))
            .collect()
    }

    /// Asserts that no process and no file is left.
    #[track_caller]
    pub(crate) fn assert_empty(&self) {
        let left: Vec<_> = std::fs::read_dir(self.folder.path())
            .unwrap()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        assert!(left.is_empty(), "left behind: {left:?}");
        self.assert_no_process();
    }

    /// Asserts that no process is left, giving those that have been told to go a moment to do so.
    #[track_caller]
    pub(crate) fn assert_no_process(&self) {
        let gone =
            until_blocking(
                Deadline::after(PATIENCE),
                Duration::from_millis(10),
                || match self.processes() {
                    left if left.is_empty() => ControlFlow::Break(()),
                    left => ControlFlow::Continue(left),
                },
            );
        assert_eq!(gone, Ok(()), "processes left behind");
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.shardlab(["down", "--all", "-q"]).output();
    }
}

/// A loopback address for one test. Tests run side by side, each in a state folder of its own: on one
/// address, one test's cluster could take the port of a node that another test has stopped.
fn an_address() -> Ipv4Addr {
    static NEXT: AtomicU8 = AtomicU8::new(0);
    if cfg!(target_os = "linux") {
        // Elsewhere 127.0.0.1 is the only one.
        let [.., high, low] = std::process::id().to_be_bytes();
        let host = NEXT.fetch_add(1, Ordering::Relaxed) % 254 + 1;
        Ipv4Addr::new(127, high.saturating_add(1), low, host)
    } else {
        Ipv4Addr::LOCALHOST
    }
}

/// Waits for something that a child process brings about.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let every = Duration::from_millis(1);
    let reached = until_blocking(Deadline::after(PATIENCE), every, || {
        if is_so() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert_eq!(reached, Ok(()), "{what}");
}

/// What a program has printed.
pub(crate) fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}
