//! Asking all nodes for their accounts.

use super::survey::{Account, Survey};
use crate::cluster::Cluster;
use crate::node::Endpoint;
use crate::view;
use crate::wait::Deadline;

impl Cluster {
    /// What every node says at this moment, all asked at once. A node that does not answer by the
    /// deadline is in the survey, with the reason.
    pub async fn survey(&self, deadline: Deadline) -> Survey {
        let accounts = self.ask_all(|endpoint| account(endpoint, deadline));
        Survey::new(accounts.await)
    }
}

async fn account(endpoint: Endpoint, deadline: Deadline) -> Account {
    let says = async {
        let mut connection = endpoint.connect(deadline).await?;
        connection.call(&["CLUSTER", "NODES"], deadline).await
    };
    let says = says.await.map_err(|error| error.to_string());
    let says = says.and_then(|reply| match reply.as_error() {
        Some(error) => Err(crate::resp::escape(error)),
        None => view::nodes(&reply)
            .filter(|lines| lines.iter().any(|line| line.has("myself")))
            .ok_or_else(|| "its CLUSTER NODES cannot be understood".to_owned()),
    });
    Account {
        node: endpoint.name,
        says,
    }
}
