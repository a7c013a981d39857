//! Asking all nodes at once, and what each says of all of them.

use std::future::Future;

use tokio::task::JoinSet;

use super::Cluster;
use crate::node::{Endpoint, Node};
use crate::survey::{Account, Survey};
use crate::view;
use crate::wait::Deadline;

impl Cluster {
    /// What every node says at this moment, all asked at once. A node that does not answer by the
    /// deadline is in the survey, with the reason.
    pub async fn survey(&self, deadline: Deadline) -> Survey {
        let accounts = self.ask_all(|endpoint| account(endpoint, deadline));
        Survey::new(accounts.await)
    }

    /// What each node gives, all asked at once, in the order of [`Cluster::nodes`]. The slowest one
    /// decides how long it takes.
    pub(crate) async fn ask_all<T, F>(&self, ask: impl Fn(Endpoint) -> F) -> Vec<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let mut asking = JoinSet::new();
        for (index, endpoint) in self.nodes().iter().map(Node::endpoint).enumerate() {
            let answer = ask(endpoint);
            asking.spawn(async move { (index, answer.await) });
        }
        let mut answers = asking.join_all().await;
        answers.sort_by_key(|(index, _)| *index);
        answers.into_iter().map(|(_, answer)| answer).collect()
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
