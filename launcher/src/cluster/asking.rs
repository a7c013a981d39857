//! Asking all nodes at once.

use std::future::Future;

use tokio::task::JoinSet;

use super::Cluster;
use crate::node::{Endpoint, Node};

impl Cluster {
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
