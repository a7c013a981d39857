//! What every way to boot needs: the request, its deadline, a watch on the servers, and the climb.

use std::future::Future;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::{Event, Request};
use crate::cluster::Cluster;
use crate::config::boot_values::Method;
use crate::error::{Error, NotReady};
use crate::ladder::{Rung, Standing};
use crate::machine::wait::{Deadline, until};
use crate::node::{Node, Session};
use crate::probe::prober::Climb;
use crate::server::Server;
use crate::state::Lock;

/// How often it is looked whether a server has died.
const DEATH_WATCH: Duration = Duration::from_millis(20);

/// What a boot needs to know.
pub(crate) struct BringUp<'a> {
    /// What is asked for.
    pub(crate) request: &'a Request<'a>,
    /// The right to write the record.
    pub(crate) lock: &'a Lock,
    /// What is run.
    pub(crate) server: &'a Server,
    /// Where times count from.
    pub(crate) since: Instant,
}

impl BringUp<'_> {
    /// When time is up.
    pub(super) fn deadline(&self) -> Deadline {
        Deadline::after(self.request.patience().saturating_sub(self.since.elapsed()))
    }

    /// Works until it is done, a server dies, or turns out not to have a command that is needed.
    pub(super) async fn guarded<T>(
        &self,
        cluster: &Cluster,
        method: Method,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let result = tokio::select! {
            biased;
            result = work => result,
            Ok(died) = death(cluster) => return Err(died),
            missing = self.missing_command(cluster, method) => return Err(missing),
        };
        // A node that died says more than the connection that broke.
        result.map_err(|error| died(cluster).unwrap_or(error))
    }

    /// Asks the first node for the commands that this way needs, all of whose servers are configured alike. Ends if
    /// it does not have one of them.
    async fn missing_command(&self, cluster: &Cluster, method: Method) -> Error {
        let asked = async {
            let Some(node) = cluster.nodes_with_data().next() else {
                return Ok(());
            };
            let mut orders = Session::open(node, self.deadline()).await?;
            orders.give(&["INFO", "replication"]).await?;
            if self.request.options.topology.is_cluster() {
                orders.give(&["CLUSTER", "INFO"]).await?;
                orders.give(&["CLUSTER", "NODES"]).await?;
                orders.give(&["CLUSTER", "SLOTS"]).await?;
            }
            // What it was started with is set once more.
            if let [key, value, ..] = cluster.boot_arguments(method).as_slice() {
                let key = key.trim_start_matches('-');
                orders.give(&["CONFIG", "SET", key, value]).await?;
            }
            Ok::<_, Error>(())
        };
        match asked.await {
            Err(error) if error.missing_command().is_some() => error,
            _ => std::future::pending().await,
        }
    }

    pub(super) async fn climb(&self, cluster: &Cluster, rung: Rung) -> Result<Climb, Error> {
        let observe = |standings: &[Standing]| {
            self.tell(&Event::Looked {
                standings,
                elapsed: self.since.elapsed(),
            });
        };
        let roles = (rung > Rung::Listening).then(|| {
            cluster
                .nodes()
                .iter()
                .map(|node| node.plan().role)
                .collect()
        });
        let climbed = cluster
            .climb_watched(rung, roles, self.since, self.request.patience(), observe)
            .await;
        climbed.map_err(|error| match error {
            // On the way to the rung that was asked for.
            Error::NotReady(late) => Error::NotReady(Box::new(NotReady {
                wanted: self.request.rung,
                ..*late
            })),
            other => other,
        })
    }

    pub(super) fn tell(&self, event: &Event<'_>) {
        (self.request.observer)(event);
    }
}

/// Waits for a server to die.
pub(super) async fn death(cluster: &Cluster) -> Result<Error, ()> {
    until(Deadline::after(Duration::MAX), DEATH_WATCH, || {
        let died = died(cluster);
        std::future::ready(died.map_or(ControlFlow::Continue(()), ControlFlow::Break))
    })
    .await
}

/// Why a server that was started does not run, if one does not.
pub(super) fn died(cluster: &Cluster) -> Option<Error> {
    let mut started = cluster.nodes().iter().filter(|node| node.was_started());
    started.find_map(Node::died)
}
