//! What each node says of all of them.

use std::time::Duration;

use super::Cluster;
use crate::machine::wait::Deadline;
use crate::node::Endpoint;
use crate::probe::ask_all;
use crate::probe::survey::{Account, Survey};
use crate::wire::view::{self, NodeLine};

/// How long a node that is paused is waited for: it may go on at any moment, but hardly now.
const PAUSED_TIMEOUT: Duration = Duration::from_secs(1);

impl Cluster {
    /// What every node says at this moment, all asked at once. A node that does not answer by the
    /// deadline, or within a second if it is paused, is in the survey, with the reason.
    pub async fn survey(&self, deadline: Deadline) -> Survey {
        let accounts = ask_all(self.nodes().iter().map(|node| {
            let (endpoint, paused) = (node.endpoint(), node.is_paused());
            async move {
                if !paused {
                    return account(endpoint, deadline).await;
                }
                let mut account = account(endpoint, deadline.at_most(PAUSED_TIMEOUT)).await;
                if account.says.is_err() {
                    account.says = Err("it is paused".to_owned());
                }
                account
            }
        }));
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
        Some(error) => Err(crate::wire::resp::escape(error)),
        None => view::nodes(&reply)
            .filter(|lines| lines.iter().any(NodeLine::is_myself))
            .ok_or_else(|| "its CLUSTER NODES cannot be understood".to_owned()),
    });
    Account {
        node: endpoint.name,
        says,
    }
}
