//! The library for programs that have no asynchronous runtime: the same cluster, each verb of which
//! returns when it is done.
//!
//! ```no_run
//! use shardlab::{Cluster, Signal};
//!
//! let cluster = Cluster::builder().node_timeout(std::time::Duration::from_secs(1)).start_blocking()?;
//! println!("{:?}", cluster.urls());
//! cluster.kill(&["n3"], Signal::KILL)?;
//! cluster.node("n3")?.start()?;
//! # Ok::<(), shardlab::Error>(())
//! ```
//!
//! # One cluster for many tests
//!
//! A static one is started by the first test that wants it and is gone when the test program ends, however
//! it ends: its servers die with the program, and its folder is removed at exit, or by the next
//! command if the program was killed.
//!
//! ```no_run
//! use std::sync::LazyLock;
//!
//! use shardlab::{Cluster, blocking};
//!
//! static CLUSTER: LazyLock<blocking::Cluster> =
//!     LazyLock::new(|| Cluster::builder().start_blocking().expect("a cluster starts"));
//!
//! #[test]
//! fn a_client_finds_every_node() {
//!     assert_eq!(CLUSTER.addresses().len(), 6);
//! }
//! ```
//!
//! Tests that share a cluster keep their keys apart (by a prefix or a hash tag of their own), and leave its
//! roles and nodes as they found them; those that break nodes start one of their own.

use std::future::Future;
use std::ops::Deref;
use std::path::Path;
use std::time::Duration;

use tokio::runtime::{Handle, Runtime};

use crate::archive::Saved;
use crate::cluster::Effect;
use crate::error::Error;
use crate::failover::{Failover, Request};
use crate::ladder::Rung;
use crate::machine::signal::Signal;
use crate::machine::wait::Deadline;
use crate::probe::prober::Climb;
use crate::reshape::check::Finding;
use crate::reshape::fix::Fixed;
use crate::reshape::members::{Addition, Removal, Scale};
use crate::reshape::plan::{Rebalance, Reshard};
use crate::reshape::{MoveOptions, Moved};
use crate::start::builder::Builder;
use crate::state::{Home, Name};
use crate::wire::resp::Frame;

impl Builder<'_> {
    /// As [`Builder::start`], for a program without an asynchronous runtime.
    ///
    /// # Errors
    /// As [`Builder::start`]; [`Error::Unsupported`] if it is called from asynchronous code.
    pub fn start_blocking(self) -> Result<Cluster, Error> {
        let runtime = runtime()?;
        let cluster = block_on(&runtime, self.start())??;
        Ok(Cluster { cluster, runtime })
    }
}

/// A [`crate::Cluster`] whose methods block until they are done. What needs no waiting, such as
/// [`addresses`](crate::Cluster::addresses) and [`urls`](crate::Cluster::urls), is that of
/// [`crate::Cluster`]. It may be shared between threads.
///
/// Every method returns [`Error::Unsupported`] if it is called from asynchronous code.
#[derive(Debug)]
pub struct Cluster {
    // Dropped first: what it needs to end its nodes is no runtime.
    cluster: crate::Cluster,
    runtime: Waiter,
}

/// A runtime that may be dropped anywhere, even by asynchronous code.
#[derive(Debug)]
struct Waiter(Option<Runtime>);

impl Drop for Waiter {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Deref for Cluster {
    type Target = crate::Cluster;

    fn deref(&self) -> &crate::Cluster {
        &self.cluster
    }
}

/// A [`crate::Node`] whose methods block until they are done.
#[derive(Debug, Clone, Copy)]
pub struct Node<'a> {
    node: &'a crate::Node,
    runtime: &'a Waiter,
}

impl Deref for Node<'_> {
    type Target = crate::Node;

    fn deref(&self) -> &crate::Node {
        self.node
    }
}

impl Cluster {
    /// As [`crate::Cluster::open`].
    ///
    /// # Errors
    /// As [`crate::Cluster::open`].
    pub fn open(home: &Home, name: &Name) -> Result<Self, Error> {
        Ok(Self {
            cluster: crate::Cluster::open(home, name)?,
            runtime: runtime()?,
        })
    }

    /// As [`crate::Cluster::node`].
    ///
    /// # Errors
    /// As [`crate::Cluster::node`].
    pub fn node(&self, wanted: &str) -> Result<Node<'_>, Error> {
        Ok(Node {
            node: self.cluster.node(wanted)?,
            runtime: &self.runtime,
        })
    }

    /// As [`crate::Cluster::call`].
    ///
    /// # Errors
    /// As [`crate::Cluster::call`].
    pub fn call<A: AsRef<[u8]>>(&self, node: &str, command: &[A]) -> Result<Frame, Error> {
        block_on(&self.runtime, self.cluster.call(node, command))?
    }

    /// As [`crate::Cluster::kill`].
    ///
    /// # Errors
    /// As [`crate::Cluster::kill`].
    pub fn kill(&self, nodes: &[&str], signal: Signal) -> Result<Vec<(String, Effect)>, Error> {
        block_on(&self.runtime, self.cluster.kill(nodes, signal))?
    }

    /// Freezes nodes until [`Cluster::resume`]; all of them if `nodes` is empty. As
    /// [`crate::Cluster::pause`], but dropping the result does not resume them.
    ///
    /// # Errors
    /// As [`crate::Cluster::pause`].
    pub fn pause(&self, nodes: &[&str]) -> Result<(), Error> {
        block_on(&self.runtime, async {
            self.cluster.pause(nodes).await?.keep();
            Ok(())
        })?
    }

    /// As [`crate::Cluster::resume`].
    ///
    /// # Errors
    /// As [`crate::Cluster::resume`].
    pub fn resume(&self, nodes: &[&str]) -> Result<Vec<String>, Error> {
        block_on(&self.runtime, self.cluster.resume(nodes))?
    }

    /// As [`crate::Cluster::stop`].
    ///
    /// # Errors
    /// As [`crate::Cluster::stop`].
    pub fn stop(&mut self, nodes: &[&str]) -> Result<Vec<String>, Error> {
        block_on(&self.runtime, self.cluster.stop(nodes))?
    }

    /// As [`crate::Cluster::start`].
    ///
    /// # Errors
    /// As [`crate::Cluster::start`].
    pub fn start(&mut self, nodes: &[&str]) -> Result<Vec<String>, Error> {
        block_on(&self.runtime, self.cluster.start(nodes))?
    }

    /// As [`crate::Cluster::restart`].
    ///
    /// # Errors
    /// As [`crate::Cluster::restart`].
    pub fn restart(&mut self, nodes: &[&str]) -> Result<Vec<String>, Error> {
        block_on(&self.runtime, self.cluster.restart(nodes))?
    }

    /// As [`crate::Cluster::restart_rolling`].
    ///
    /// # Errors
    /// As [`crate::Cluster::restart_rolling`].
    pub fn restart_rolling(&mut self, nodes: &[&str]) -> Result<Vec<String>, Error> {
        block_on(&self.runtime, self.cluster.restart_rolling(nodes))?
    }

    /// As [`crate::Cluster::wipe`].
    ///
    /// # Errors
    /// As [`crate::Cluster::wipe`].
    pub fn wipe(&mut self, nodes: &[&str]) -> Result<Vec<String>, Error> {
        block_on(&self.runtime, self.cluster.wipe(nodes))?
    }

    /// As [`crate::Cluster::wait_for`].
    ///
    /// # Errors
    /// As [`crate::Cluster::wait_for`].
    pub fn wait_for(&self, rung: Rung, timeout: Duration) -> Result<Climb, Error> {
        block_on(&self.runtime, self.cluster.wait_for(rung, timeout))?
    }

    /// As [`crate::Cluster::failover`], without events.
    ///
    /// # Errors
    /// As [`crate::Cluster::failover`].
    pub fn failover(&self, node: &str, request: Request) -> Result<Failover, Error> {
        block_on(&self.runtime, self.cluster.failover(node, request, |_| {}))?
    }

    /// As [`crate::Cluster::add_node`].
    ///
    /// # Errors
    /// As [`crate::Cluster::add_node`].
    pub fn add_node(&mut self, addition: &Addition) -> Result<String, Error> {
        block_on(&self.runtime, self.cluster.add_node(addition))?
    }

    /// As [`crate::Cluster::del_node`].
    ///
    /// # Errors
    /// As [`crate::Cluster::del_node`].
    pub fn del_node(&mut self, removal: &Removal) -> Result<(), Error> {
        block_on(&self.runtime, self.cluster.del_node(removal))?
    }

    /// As [`crate::Cluster::scale`].
    ///
    /// # Errors
    /// As [`crate::Cluster::scale`].
    pub fn scale(&mut self, scale: Scale) -> Result<(), Error> {
        block_on(&self.runtime, self.cluster.scale(scale))?
    }

    /// As [`crate::Cluster::reshard`].
    ///
    /// # Errors
    /// As [`crate::Cluster::reshard`].
    pub fn reshard(&self, wish: &Reshard, options: MoveOptions) -> Result<Moved, Error> {
        block_on(&self.runtime, self.cluster.reshard(wish, options, |_| {}))?
    }

    /// As [`crate::Cluster::rebalance`].
    ///
    /// # Errors
    /// As [`crate::Cluster::rebalance`].
    pub fn rebalance(&self, wish: &Rebalance, options: MoveOptions) -> Result<Moved, Error> {
        block_on(&self.runtime, self.cluster.rebalance(wish, options, |_| {}))?
    }

    /// As [`crate::Cluster::check`], within `timeout`.
    ///
    /// # Errors
    /// It is called from asynchronous code.
    pub fn check(&self, timeout: Duration) -> Result<Vec<Finding>, Error> {
        block_on(&self.runtime, self.cluster.check(Deadline::after(timeout)))
    }

    /// As [`crate::Cluster::fix`].
    ///
    /// # Errors
    /// As [`crate::Cluster::fix`].
    pub fn fix(&mut self) -> Result<Fixed, Error> {
        block_on(&self.runtime, self.cluster.fix())?
    }

    /// As [`crate::Cluster::save`].
    ///
    /// # Errors
    /// As [`crate::Cluster::save`].
    pub fn save(&self, path: &Path, force: bool) -> Result<Saved, Error> {
        block_on(&self.runtime, self.cluster.save(path, force))?
    }
}

impl Node<'_> {
    /// As [`crate::Node::start`].
    ///
    /// # Errors
    /// As [`crate::Node::start`].
    pub fn start(&self) -> Result<(), Error> {
        block_on(self.runtime, self.node.start())?
    }

    /// As [`crate::Node::stop`].
    ///
    /// # Errors
    /// As [`crate::Node::stop`].
    pub fn stop(&self, timeout: Duration) -> Result<(), Error> {
        block_on(self.runtime, self.node.stop(timeout))?
    }

    /// As [`crate::Node::kill`].
    ///
    /// # Errors
    /// As [`crate::Node::kill`].
    pub fn kill(&self) -> Result<(), Error> {
        block_on(self.runtime, self.node.kill())?
    }

    /// As [`crate::Node::restart`].
    ///
    /// # Errors
    /// As [`crate::Node::restart`].
    pub fn restart(&self) -> Result<(), Error> {
        block_on(self.runtime, self.node.restart())?
    }

    /// As [`crate::Node::call`].
    ///
    /// # Errors
    /// As [`crate::Node::call`].
    pub fn call<A: AsRef<[u8]>>(&self, command: &[A]) -> Result<Frame, Error> {
        block_on(self.runtime, self.node.call(command))?
    }
}

fn runtime() -> Result<Waiter, Error> {
    refuse_asynchronous()?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map(|runtime| Waiter(Some(runtime)))
        .map_err(|cause| {
            Error::Unsupported(format!("the system provides no poller for sockets: {cause}").into())
        })
}

/// What the future gives.
///
/// # Errors
/// The thread runs asynchronous code, which must not wait: tokio would panic.
fn block_on<F: Future>(Waiter(runtime): &Waiter, future: F) -> Result<F::Output, Error> {
    refuse_asynchronous()?;
    match runtime {
        Some(runtime) => Ok(runtime.block_on(future)),
        None => Err(Error::Unsupported("the cluster is being dropped".into())),
    }
}

fn refuse_asynchronous() -> Result<(), Error> {
    if Handle::try_current().is_ok() {
        return Err(Error::Unsupported(
            "`shardlab::blocking` cannot wait in asynchronous code; use `shardlab::Cluster` there"
                .into(),
        ));
    }
    Ok(())
}
