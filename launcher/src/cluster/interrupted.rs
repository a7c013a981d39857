//! The settings that a failover changes for its time, set right after one that was killed.

use super::Cluster;
use crate::error::Error;
use crate::machine::wait::{Deadline, retry};
use crate::node::{NO_WRITES, Node, PREFERRED, Temporary};
use crate::plan::Topology;

impl Cluster {
    /// Lets servers accept writes again that a command that was killed during a failover has kept from it,
    /// since whichever of them becomes the master must, and gives replicas that Sentinel was to prefer
    /// their priority back. One that was just started is waited for.
    ///
    /// # Errors
    /// One that runs does not answer.
    pub(crate) async fn set_failover_right(&self, deadline: Deadline) -> Result<(), Error> {
        let options = &self.record().options;
        if !options.topology.has_one_master() {
            return Ok(());
        }
        let watched = options.topology == Topology::Sentinel;
        for node in self
            .nodes_with_data()
            .filter(|node| node.may_answer() && !node.is_paused())
        {
            let overrides = NO_WRITES.iter().chain(PREFERRED.iter().filter(|_| watched));
            let overrides: Vec<_> = overrides.copied().collect();
            let settings = &options.settings;
            let set_right = || async {
                match Temporary::set_right(node.endpoint(), &overrides, settings, watched).await {
                    // The ladder tells of a server that has died.
                    Err(_) if node.process().is_none() => Ok(()),
                    done => done,
                }
            };
            let set = retry(deadline, set_right).await;
            set.map_err(|source| node.failed(source))?;
        }
        Ok(())
    }
}

/// Whether a graceful failover keeps the node from accepting writes, or was killed while it did.
pub(super) async fn keeps_from_writing(node: &Node) -> bool {
    for setting in &NO_WRITES {
        let got = node.call(&["CONFIG", "GET", setting.key]).await;
        if !got.is_ok_and(|got| setting.is_in_force(&got)) {
            return false;
        }
    }
    true
}
