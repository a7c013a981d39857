//! Whether somebody's cluster is changing just now.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use shardlab::machine::wait::Deadline;
use shardlab::wire::client::ClientError;
use shardlab::wire::resp::Frame;
use shardlab::wire::slots::Slot;
use shardlab::wire::view::nodes;

use super::found::Found;
use super::login::Access;
use super::members::from_nodes;
use super::reach::at_each;

impl Found {
    /// The slots that masters mark as on their way, each of its own only. Who does not answer marks none.
    pub async fn open_slots(&self, patience: Duration) -> BTreeSet<Slot> {
        let masters: Vec<_> = self
            .nodes
            .iter()
            .filter_map(|(_, nodes)| nodes.first())
            .collect();
        let access = self.access.clone();
        let answers = at_each(&masters, patience, move |node, deadline| {
            let access = access.clone();
            async move { ask_nodes(node.address, &node.endpoint.host, &access, deadline).await }
        });
        let answers = answers.await;
        let lines = answers.iter().flatten().filter_map(nodes).flatten();
        lines
            .flat_map(|line| line.open)
            .map(|mark| mark.slot)
            .collect()
    }

    /// Whether who has told of the cluster tells of other nodes now, or of other slots and roles.
    pub async fn has_changed(&self, patience: Duration) -> bool {
        let Some(before) = &self.members else {
            return false;
        };
        let deadline = Deadline::after(patience);
        let told = ask_nodes(self.asked, &self.asked_as, &self.access, deadline).await;
        let now = told.ok().as_ref().and_then(from_nodes);
        now.is_some_and(|now| now.groups != *before)
    }
}

async fn ask_nodes(
    address: SocketAddr,
    host: &str,
    access: &Access,
    deadline: Deadline,
) -> Result<Frame, ClientError> {
    let mut connection = access.log_in(address, host, deadline).await?;
    connection.call(&["CLUSTER", "NODES"], deadline).await
}
