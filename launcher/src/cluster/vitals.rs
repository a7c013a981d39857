//! How nodes fare, in figures: keys, offsets, memory.

use std::time::Duration;

use crate::cluster::Cluster;
use crate::machine::wait::Deadline;
use crate::node::Endpoint;
use crate::wire::view::Vitals;

impl Cluster {
    /// How every node fares at this moment, in the order of [`Cluster::nodes`]; `None` for those that do
    /// not say so within `patience`.
    pub async fn vitals(&self, patience: Duration) -> Vec<Option<Vitals>> {
        let deadline = Deadline::after(patience);
        self.ask_all(|node| ask(node.endpoint(), deadline)).await
    }
}

async fn ask(endpoint: Endpoint, deadline: Deadline) -> Option<Vitals> {
    let mut connection = endpoint.connect(deadline).await.ok()?;
    let info = connection.call(&["INFO"], deadline).await.ok()?;
    Vitals::of(&info)
}
