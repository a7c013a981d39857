//! The user's own program that ends, freezes and starts the processes of nodes: `CMD ACTION HOST:PORT`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use shardlab::machine::text::excerpt;
use thiserror::Error;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use crate::transcript::ast::Signal;

use super::{Deed, NodeFacts};

/// The variable that tells the program the id of the node.
const NODE_ID: &str = "SHARDLAB_NODE_ID";

/// What is read of what a program says, in bytes, and for how long once it has ended: what it has started may
/// hold its streams open.
const SAID: u64 = 16 * 1024;
const REST: Duration = Duration::from_millis(200);

/// A command line that is no program.
#[derive(Debug, Error)]
pub enum ControlError {
    /// Nothing is in it.
    #[error("`--control` names no program")]
    Empty,
    /// A quotation has no end.
    #[error("`--control {0}`: a quotation mark has no partner")]
    Unquoted(String),
}

/// A program that controls processes, and what it has done so far.
#[derive(Debug)]
pub struct Control {
    words: Vec<String>,
    /// For the program to end, and for the node to be as it should.
    pub(super) patience: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// Nodes whose processes do not run, and whether they are only frozen.
    pub(super) down: BTreeMap<SocketAddr, Down>,
    /// What went wrong in this case.
    pub(super) trouble: Option<String>,
}

/// Why a process does not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Down {
    Frozen,
    Ended,
}

impl Control {
    /// Splits a command line into words as a shell does; there is no shell.
    ///
    /// # Errors
    /// It is empty, or a quotation mark has no partner.
    pub fn parse(text: &str, patience: Duration) -> Result<Self, ControlError> {
        let words = shlex::split(text).ok_or_else(|| ControlError::Unquoted(text.to_owned()))?;
        if words.is_empty() {
            return Err(ControlError::Empty);
        }
        Ok(Self {
            words,
            patience,
            state: Mutex::default(),
        })
    }

    /// The command line.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    pub(super) fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the program, of which success is expected.
    pub(super) async fn run(&self, deed: Deed, node: &NodeFacts) -> Result<(), String> {
        let (action, signal) = action(deed);
        let place = place(node);
        let shown = || {
            let words = [action, place.as_str()].into_iter().chain(signal);
            let words = self.words.iter().map(String::as_str).chain(words);
            words.collect::<Vec<_>>().join(" ")
        };
        let Some((program, arguments)) = self.words.split_first() else {
            return Ok(());
        };
        let mut child = Command::new(program)
            .args(arguments)
            .args([action, place.as_str()])
            .args(signal)
            .env(NODE_ID, node.id.as_deref().unwrap_or_default())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // Ctrl-C is for us: what has begun is put back.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("`{}` cannot be started: {error}", shown()))?;
        let stderr = child.stderr.take();
        let mut said = Vec::new();
        let mut reading = Box::pin(async {
            if let Some(mut stderr) = stderr {
                // What cannot be read is not said.
                let _ = (&mut stderr).take(SAID).read_to_end(&mut said).await;
                // It says the rest to nobody, but to an open pipe that is never full.
                let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
            }
        });
        let ending = async {
            tokio::select! {
                status = child.wait() => (status, false),
                () = &mut reading => (child.wait().await, true),
            }
        };
        let Ok((status, read)) = tokio::time::timeout(self.patience, ending).await else {
            let seconds = self.patience.as_secs();
            return Err(format!("`{}` has not ended in {seconds} s", shown()));
        };
        if !read {
            let _ = tokio::time::timeout(REST, &mut reading).await; // a daemon may hold it open
        }
        drop(reading);
        let status = status.map_err(|error| format!("`{}`: {error}", shown()))?;
        if status.success() {
            return Ok(());
        }
        let said = said.trim_ascii();
        let said = if said.is_empty() {
            String::new()
        } else {
            format!(": {}", excerpt(said, 200, 0))
        };
        Err(format!("`{}` failed ({status}){said}", shown()))
    }
}

/// `HOST:PORT`, as the nodes know each other.
pub(super) fn place(node: &NodeFacts) -> String {
    let (ip, port) = (&node.endpoint.ip, node.endpoint.port);
    if ip.contains(':') {
        format!("[{ip}]:{port}")
    } else {
        format!("{ip}:{port}")
    }
}

/// The words for a deed.
pub(super) fn action(deed: Deed) -> (&'static str, Option<&'static str>) {
    match deed {
        Deed::Kill(signal) => {
            let known = Signal::ALL.iter().find(|(known, ..)| *known == signal);
            ("kill", known.map(|(_, _, name)| *name))
        }
        Deed::Pause => ("pause", None),
        Deed::Resume => ("resume", None),
        Deed::Stop => ("stop", None),
        Deed::Start => ("start", None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node() -> NodeFacts {
        let address: SocketAddr = "127.0.0.1:7001".parse().unwrap();
        NodeFacts {
            name: crate::transcript::ast::NodeName::parse("n1").unwrap(),
            address,
            endpoint: address.into(),
            bus_port: None,
            id: Some("an-id".to_owned()),
        }
    }

    /// What comes of a program; `sh` gets what follows it as `$0`, `$1` …
    fn run(script: &str, deed: Deed, patience: Duration) -> Result<(), String> {
        let words = shlex::try_join(["sh", "-c", script]).unwrap();
        let control = Control::parse(&words, patience).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        runtime.block_on(control.run(deed, &node()))
    }

    #[test]
    fn a_program_is_told_what_to_do_with_which_node() {
        let minute = Duration::from_secs(60);
        let kill = r#"test "$0 $1 $2 $SHARDLAB_NODE_ID" = "kill 127.0.0.1:7001 KILL an-id""#;
        assert_eq!(run(kill, Deed::Kill(Signal::Kill), minute), Ok(()));
        let start = r#"test "$0 $1 $#" = "start 127.0.0.1:7001 1""#;
        assert_eq!(run(start, Deed::Start, minute), Ok(()));
        // Whatever it says besides, and however much.
        let talk = "head -c 100000 /dev/zero >&2";
        assert_eq!(run(talk, Deed::Start, minute), Ok(()));
        // What it leaves running may keep its streams.
        assert_eq!(run("sleep 9 &", Deed::Start, minute), Ok(()));
    }

    #[test]
    fn what_fails_or_hangs_says_so() {
        let said = run(
            "echo no such node >&2; exit 3",
            Deed::Stop,
            Duration::from_secs(60),
        );
        let said = said.unwrap_err();
        assert!(
            said.contains("stop 127.0.0.1:7001` failed (exit status: 3): no such node"),
            "{said}"
        );
        let said = run("sleep 9", Deed::Pause, Duration::from_millis(50)).unwrap_err();
        assert!(said.contains("has not ended"), "{said}");
        let patience = Duration::from_secs(1);
        let error = |text| Control::parse(text, patience).unwrap_err().to_string();
        assert_eq!(error(" "), "`--control` names no program");
        assert_eq!(
            error("a 'b"),
            "`--control a 'b`: a quotation mark has no partner"
        );
    }
}
