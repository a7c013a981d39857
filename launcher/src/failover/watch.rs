//! Listening to all nodes at once, each on a connection of its own that is kept: a node that is silent
//! holds up nobody.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{AbortHandle, JoinSet};

use super::shard::Shard;
use super::timeline::Sight;
use super::{FailoverError, Timeline};
use crate::client::{ClientError, Connection, REPLY_TIMEOUT};
use crate::node::Endpoint;
use crate::view::{self, NodeLine};
use crate::wait::{Deadline, next_round};

/// How often a node is asked, at the least; CLUSTER NODES costs it a tenth of a millisecond, and more
/// the more nodes there are.
const EVERY: Duration = Duration::from_millis(5);
const EVERY_PER_NODE: Duration = Duration::from_millis(1);

/// What comes in while a shard fails over.
#[derive(Debug)]
pub(super) enum Heard {
    /// A node says something else than before.
    Saw(Sight),
    /// The replica is being told to take over, once more.
    Ordered,
    /// It does not obey.
    Refused(FailoverError),
    /// The new master has accepted a write.
    Written,
}

/// By which those tell who watch, give orders and write.
pub(super) type Teller = UnboundedSender<Heard>;

/// All who watch; dropped, they end.
#[derive(Debug)]
pub(super) struct Watch {
    tasks: JoinSet<()>,
    teller: Teller,
    heard: UnboundedReceiver<Heard>,
}

impl Watch {
    /// Begins to listen to the nodes that are `heard`.
    pub(super) fn begin(
        endpoints: &[Endpoint],
        heard: &[bool],
        shard: &Arc<Shard>,
        ids: &Arc<[Option<String>]>,
    ) -> Self {
        let (teller, receiver) = unbounded_channel();
        let mut watch = Self {
            tasks: JoinSet::new(),
            teller,
            heard: receiver,
        };
        let nodes = u32::try_from(endpoints.len()).unwrap_or(u32::MAX);
        let every = EVERY.max(EVERY_PER_NODE.saturating_mul(nodes));
        for (node, endpoint) in endpoints.iter().enumerate() {
            if heard.get(node) == Some(&true) {
                let (endpoint, shard, ids) = (endpoint.clone(), Arc::clone(shard), Arc::clone(ids));
                watch.also(|teller| listen(node, endpoint, shard, ids, every, teller));
            }
        }
        watch
    }

    /// Lets somebody else tell, until the handle is used or the watch dropped.
    pub(super) fn also<F>(&mut self, work: impl FnOnce(Teller) -> F) -> AbortHandle
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tasks.spawn(work(self.teller.clone()))
    }

    /// The next thing that is heard; `None` when time is up.
    pub(super) async fn next(&mut self, deadline: Deadline) -> Option<Heard> {
        let next = tokio::time::timeout_at(deadline.instant(), self.heard.recv());
        next.await.ok().flatten()
    }

    /// Waits until everybody who is listened to has said how things stand before the act, and
    /// gives that to the timeline; for those who do not it is not waited longer than for a reply.
    pub(super) async fn warm_up(&mut self, nodes: usize, timeline: &mut Timeline) {
        let deadline = Deadline::after(REPLY_TIMEOUT);
        let mut speakers = BTreeSet::new();
        while speakers.len() < nodes {
            match self.next(deadline).await {
                Some(Heard::Saw(sight)) => {
                    speakers.insert(sight.node);
                    timeline.see(Duration::ZERO, &sight);
                }
                Some(_) => {}
                None => return,
            }
        }
    }
}

async fn listen(
    node: usize,
    endpoint: Endpoint,
    shard: Arc<Shard>,
    ids: Arc<[Option<String>]>,
    every: Duration,
    teller: Teller,
) {
    let mut connection = None;
    let mut last = None;
    loop {
        let deadline = Deadline::after(REPLY_TIMEOUT);
        let said = ask(&endpoint, &mut connection, deadline).await;
        // Whoever cannot be understood at this moment, as while it loads its data, says nothing.
        if let Ok(Some(lines)) = said {
            let sight = shard.sight(node, &lines, &ids);
            if last != Some(sight) {
                last = Some(sight);
                if teller.send(Heard::Saw(sight)).is_err() {
                    return;
                }
            }
        } else {
            connection = None;
        }
        next_round(every, Deadline::after(every)).await;
    }
}

async fn ask(
    endpoint: &Endpoint,
    connection: &mut Option<Connection>,
    deadline: Deadline,
) -> Result<Option<Vec<NodeLine>>, ClientError> {
    let open = match connection {
        Some(open) => open,
        None => connection.insert(endpoint.connect(deadline).await?),
    };
    let reply = open.call(&["CLUSTER", "NODES"], deadline).await?;
    Ok(view::nodes(&reply))
}
