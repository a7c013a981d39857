//! Signals to a node's server.

use nix::errno::Errno;

use super::{Node, NodeError};
use crate::error::Error;
use crate::machine::signal::Signal;

impl Node {
    /// Whether its server stands still after [`Node::pause`].
    pub fn is_paused(&self) -> bool {
        self.process().is_some_and(|process| process.is_stopped())
    }

    /// Sends a signal to the server; does not wait for what it does.
    ///
    /// # Errors
    /// [`NodeError::NotRunning`]; [`Error::Io`], if the system refuses. The node is not ours.
    pub fn signal(&self, signal: Signal) -> Result<(), Error> {
        self.refuse_foreign()?;
        self.send(signal).map_err(|errno| match errno {
            Errno::ESRCH => self.not_running(),
            errno => Error::Io {
                action: "signal the server in",
                path: self.dir.clone(),
                source: errno.into(),
            },
        })
    }

    /// Freezes the server (SIGSTOP): it keeps its connections and answers nobody.
    ///
    /// # Errors
    /// The node does not run.
    pub fn pause(&self) -> Result<(), Error> {
        self.signal(Signal::STOP)
    }

    /// Lets a frozen server go on (SIGCONT).
    ///
    /// # Errors
    /// The node does not run.
    pub fn resume(&self) -> Result<(), Error> {
        self.signal(Signal::CONT)
    }

    /// Refuses a node that has no process which could be signalled.
    ///
    /// # Errors
    /// It is not ours; [`NodeError::NotRunning`].
    pub(crate) fn must_run(&self) -> Result<(), Error> {
        self.refuse_foreign()?;
        match self.process() {
            Some(_) => Ok(()),
            None => Err(self.not_running()),
        }
    }

    /// Refuses a node that stands still, for what would wait for its answer in vain.
    ///
    /// # Errors
    /// [`NodeError::Paused`].
    pub fn must_not_be_paused(&self) -> Result<(), Error> {
        if self.is_paused() {
            return Err(Error::from(NodeError::Paused {
                node: self.plan.name.clone(),
            }));
        }
        Ok(())
    }

    pub(crate) fn not_running(&self) -> Error {
        if self.is_unseen() {
            return self.elsewhere();
        }
        Error::from(NodeError::NotRunning {
            node: self.plan.name.clone(),
            port: self.plan.port,
        })
    }

    pub(super) fn send(&self, signal: Signal) -> Result<(), Errno> {
        self.process().ok_or(Errno::ESRCH)?.signal(signal.system())
    }
}
