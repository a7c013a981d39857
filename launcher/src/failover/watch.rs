//! Listening to all nodes at once, each on a connection of its own that is kept: a node that is silent
//! holds up nobody.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{AbortHandle, JoinSet};

use super::set::Set;
use super::shard::Shard;
use super::timeline::NodeView;
use super::{FailoverError, Timeline};
use crate::machine::wait::{Deadline, pause};
use crate::node::{Endpoint, Session};
use crate::probe::questions::Questions;
use crate::wire::client::REPLY_TIMEOUT;
use crate::wire::view::{self, NodeId};

/// How often a node is asked, at the least; CLUSTER NODES costs it a tenth of a millisecond, and more
/// the more nodes there are.
const EVERY: Duration = Duration::from_millis(5);
const EVERY_PER_NODE: Duration = Duration::from_millis(1);

/// What is being watched.
#[derive(Debug, Clone)]
pub(super) enum Scene {
    /// A shard of a cluster, and the ids of all nodes.
    Shard(Arc<Shard>, Arc<[Option<NodeId>]>),
    /// A set with one master, and what its nodes are asked.
    Set(Arc<Set>, Arc<[Questions]>),
}

impl Scene {
    /// Asks the node at this place what it thinks. Whoever cannot be understood at this moment, as while it
    /// loads its data, says nothing.
    async fn ask(&self, node: usize, session: &mut Session) -> Option<NodeView> {
        let deadline = Deadline::after(REPLY_TIMEOUT);
        match self {
            Self::Shard(shard, ids) => {
                let reply = session.call(&["CLUSTER", "NODES"], deadline).await;
                let lines = view::nodes(&reply.ok()?)?;
                Some(shard.view(node, &lines, ids))
            }
            Self::Set(set, questions) => {
                let questions = questions.get(node).unwrap_or(&Questions::Server);
                let answers = questions.ask(session, deadline).await.ok()?;
                Some(set.view(node, &answers))
            }
        }
    }
}

/// What comes in while a shard fails over.
#[derive(Debug)]
pub(super) enum Heard {
    /// A node says something else than before.
    Saw(NodeView),
    /// The replica is being told to take over, once more.
    Ordered,
    /// It does not obey.
    Refused(FailoverError),
    /// The node at this place has accepted a write.
    Written(usize),
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
    pub(super) fn begin(endpoints: &[Endpoint], heard: &[bool], scene: &Scene) -> Self {
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
                let (endpoint, scene) = (endpoint.clone(), scene.clone());
                watch.also(|teller| listen(node, endpoint, scene, every, teller));
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
                Some(Heard::Saw(view)) => {
                    speakers.insert(view.node);
                    timeline.see(Duration::ZERO, &view);
                }
                Some(_) => {}
                None => return,
            }
        }
    }
}

async fn listen(node: usize, endpoint: Endpoint, scene: Scene, every: Duration, teller: Teller) {
    let mut session = Session::unconnected(endpoint);
    let mut before = None;
    loop {
        let view = scene.ask(node, &mut session).await;
        if let Some(view) = view.filter(|_| view != before) {
            before = Some(view);
            if teller.send(Heard::Saw(view)).is_err() {
                return;
            }
        }
        pause(every).await;
    }
}
