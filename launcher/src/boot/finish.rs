//! The commands boot, and the end of a seeded boot that takes longer than usual: all nodes are asked, told
//! what they lack, and asked again, until whoever waits for the cluster has seen it whole.
//!
//! Slots are assigned in the first round: a master that starts without slots may not turn OK within its
//! first two seconds (`CLUSTER_WRITABLE_DELAY`, `clusterUpdateState`, `cluster_legacy.c`), and one that
//! gets them later waits again. Epochs are set before the nodes meet, so that none collide.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::introduce::introduce;
use super::needs::{Need, needs};
use crate::cluster::Cluster;
use crate::config::boot_values::Method;
use crate::error::Error;
use crate::machine::wait::{Deadline, next_round};
use crate::node::{Endpoint, Node, Session};
use crate::plan::NodePlan;
use crate::server::Identity;
use crate::wire::client::{ClientError, REPLY_TIMEOUT};
use crate::wire::slots::SlotRanges;

/// How often the nodes are asked, and how much less often for each of them.
const EVERY: Duration = Duration::from_millis(10);
const EVERY_PER_NODE: Duration = Duration::from_millis(2);

/// After how long a node that is not known yet is met again, from the side that lacks the other. A handshake
/// ends after the node timeout, at least a second (`clusterCron`), whether or not the other side has
/// finished its own: servers before Valkey 8.1 never begin it again. Gossip takes longer among many nodes.
const MEET_AGAIN: Duration = Duration::from_millis(1500);
const MEET_AGAIN_PER_NODE: Duration = Duration::from_millis(50);
/// How many others a node meets at once when gossip was too slow.
const AT_ONCE: usize = 16;

/// After how long the node timeout is raised, if it is shorter, and replicas are no longer waited for to be
/// ready before they take over: on a machine that is so busy, nodes suspect each other all the time.
const CALM_AFTER: Duration = Duration::from_secs(3);
const CALM_AFTER_PER_NODE: Duration = Duration::from_millis(100);

/// How long a node may take to obey: what it was told is asked for in the next round.
const OBEYS_WITHIN: Duration = Duration::from_secs(2);

/// Gives the nodes the orders that they need, until it is dropped. A node that is silent is told later, and
/// what a node refuses for the moment it is told again. Where replicas must be [introduced](introduce),
/// `usual` is the node timeout that they have otherwise, in milliseconds.
///
/// # Errors
/// A server does not have a command that is needed.
pub(super) async fn finish(
    cluster: &Cluster,
    method: Method,
    usual: Option<u128>,
    deadline: Deadline,
) -> Result<Infallible, Error> {
    let nodes = cluster.nodes();
    let plans: Vec<NodePlan> = nodes.iter().map(|node| node.plan().clone()).collect();
    let count = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
    let calm = Deadline::after(CALM_AFTER + CALM_AFTER_PER_NODE * count);
    let calming = cluster.calming_command(method);
    let mut meetings = Meetings::new(MEET_AGAIN + MEET_AGAIN_PER_NODE * count);
    let mut prober = cluster.prober();
    while !deadline.passed() {
        let round = prober.round(deadline.at_most(REPLY_TIMEOUT)).await;
        let mut needs = needs(&plans, &round, calm.passed());
        if let (true, Some(usual)) = (needs.is_empty(), usual) {
            introduce_all(nodes, usual, deadline).await?;
        }
        meetings.keep_due(&mut needs);
        let mut orders: BTreeMap<usize, Vec<Vec<String>>> = BTreeMap::new();
        if let (true, Some(command)) = (calm.passed(), &calming) {
            orders.extend((0..nodes.len()).map(|index| (index, vec![command.clone()])));
        }
        for (index, need) in &needs {
            let order = command(need, nodes, &cluster.record().server);
            orders.entry(*index).or_default().extend(order);
        }
        give(nodes, orders).await?;
        next_round(EVERY.max(EVERY_PER_NODE * count), deadline).await;
    }
    // Time is up: the ladder says who was late.
    std::future::pending().await
}

/// When who was told to meet whom.
struct Meetings {
    began: Instant,
    again: Duration,
    told: BTreeMap<(usize, usize), Instant>,
}

impl Meetings {
    fn new(again: Duration) -> Self {
        Self {
            began: Instant::now(),
            again,
            told: BTreeMap::new(),
        }
    }

    /// Leaves those meetings that are due, and notes them. The first node meets everybody at once; that
    /// should do, and whoever does not know another one after a while meets it as well.
    fn keep_due(&mut self, needs: &mut Vec<(usize, Need)>) {
        let mut others: BTreeMap<usize, usize> = BTreeMap::new();
        needs.retain(|(node, need)| {
            let Need::Meet(other) = need else { return true };
            let pair = (*node, *other);
            let since = self.told.get(&pair).or((*node > 0).then_some(&self.began));
            if since.is_some_and(|at| at.elapsed() < self.again) {
                return false;
            }
            let count = others.entry(*node).or_default();
            *count += 1;
            if *node > 0 && *count > AT_ONCE {
                return false;
            }
            self.told.insert(pair, Instant::now());
            true
        });
    }
}

fn command(need: &Need, nodes: &[Node], server: &Identity) -> Option<Vec<String>> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Some(match need {
        Need::Epoch(epoch) => words(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch.to_string()]),
        Need::Raise => words(&["CLUSTER", "BUMPEPOCH"]),
        Need::Slots(slots) => add_slots(slots, server.addslotsrange()),
        Need::Meet(other) => nodes.get(*other)?.meet_command(),
        Need::TakeOver => words(&["CLUSTER", "FAILOVER", "TAKEOVER"]),
        Need::Follow(id) => words(&["CLUSTER", "REPLICATE", id]),
        Need::Forget(id) => words(&["CLUSTER", "FORGET", id]),
        Need::Acknowledge(replicas) => words(&["WAIT", &replicas.to_string(), "1"]),
    })
}

fn add_slots(slots: &SlotRanges, by_range: bool) -> Vec<String> {
    let mut command = vec!["CLUSTER".to_owned()];
    if by_range {
        command.push("ADDSLOTSRANGE".to_owned());
        let bounds = slots
            .ranges()
            .iter()
            .flat_map(|range| [range.start(), range.end()]);
        command.extend(bounds.map(|slot| slot.number().to_string()));
    } else {
        command.push("ADDSLOTS".to_owned());
        command.extend(slots.slots().map(|slot| slot.number().to_string()));
    }
    command
}

/// Sends each node its commands, all nodes at the same time.
///
/// # Errors
/// A server does not have one of the commands.
async fn give(nodes: &[Node], orders: BTreeMap<usize, Vec<Vec<String>>>) -> Result<(), Error> {
    let mut giving = JoinSet::new();
    for (index, commands) in orders {
        if let Some(node) = nodes.get(index) {
            let endpoint = node.endpoint();
            giving.spawn(async move { (index, refused(endpoint, commands).await) });
        }
    }
    while let Some(given) = giving.join_next().await {
        // What was not answered is asked for in the next round.
        let Ok((index, Ok(refused))) = given else {
            continue;
        };
        let node = nodes.get(index);
        for (command, reply) in refused {
            let error = node.map(|node| node.answered(&command, &reply));
            if let Some(error) = error.filter(|error| error.missing_command().is_some()) {
                return Err(error);
            }
        }
    }
    Ok(())
}

/// Sends commands; gives those that were refused, with the reply. What is refused for a moment is asked for in
/// the next round, if it is still needed.
async fn refused(
    endpoint: Endpoint,
    commands: Vec<Vec<String>>,
) -> Result<Vec<(String, Vec<u8>)>, ClientError> {
    let mut session = Session::unconnected(endpoint);
    let all: Vec<&[String]> = commands.iter().map(Vec::as_slice).collect();
    let replies = session
        .pipeline(&all, Deadline::after(OBEYS_WITHIN))
        .await?;
    let answered = commands.iter().zip(replies);
    let refused = answered.filter_map(|(command, reply)| {
        let shown: Vec<&str> = command.iter().take(3).map(String::as_str).collect();
        Some((shown.join(" "), reply.as_error()?.to_vec()))
    });
    Ok(refused.collect())
}

/// Introduces the replicas of a large cluster, as far as the nodes answer.
async fn introduce_all(nodes: &[Node], usual: u128, deadline: Deadline) -> Result<(), Error> {
    let introduced = async {
        let mut all = Vec::with_capacity(nodes.len());
        for node in nodes {
            all.push(Session::open(node, deadline).await?);
        }
        introduce(nodes, &mut all, &usual.to_string(), deadline).await
    };
    match introduced.await {
        Err(error) if error.missing_command().is_some() => Err(error),
        _ => Ok(()),
    }
}
