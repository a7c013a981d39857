//! Asking all nodes for their accounts.

use std::time::Duration;

use tokio::task::JoinSet;

use super::survey::{Account, Survey};
use crate::cluster::Cluster;
use crate::node::Endpoint;
use crate::view;
use crate::wait::Deadline;

/// How long a node that is paused is waited for: it may go on at any moment, but hardly now.
const PAUSED_TIMEOUT: Duration = Duration::from_secs(1);

impl Cluster {
    /// What every node says at this moment, all asked at once. A node that does not answer by the
    /// deadline, or within a second if it is paused, is in the survey, with the reason.
    pub async fn survey(&self, deadline: Deadline) -> Survey {
        let mut asking: JoinSet<(usize, Account)> = JoinSet::new();
        for (index, node) in self.nodes().iter().enumerate() {
            let endpoint = node.endpoint();
            let (paused, deadline) = if node.is_paused() {
                (true, deadline.at_most(PAUSED_TIMEOUT))
            } else {
                (false, deadline)
            };
            asking.spawn(async move {
                let mut account = account(endpoint, deadline).await;
                if paused && account.says.is_err() {
                    account.says = Err("it is paused".to_owned());
                }
                (index, account)
            });
        }
        let mut accounts = asking.join_all().await;
        accounts.sort_by_key(|(index, _)| *index);
        Survey::new(accounts.into_iter().map(|(_, account)| account).collect())
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
