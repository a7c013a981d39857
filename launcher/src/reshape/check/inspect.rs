//! Asking all nodes for what a check needs.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::task::JoinSet;

use super::finding::Finding;
use super::inspection::{Detail, Inspection, Migration, Passing, Seat, Unfinished};
use crate::cluster::Cluster;
use crate::error::Error;
use crate::node::{Endpoint, Node, Session};
use crate::reshape::Journal;
use crate::reshape::mover::jobs::{Job, State, jobs};
use crate::slots::{Slot, SlotRange, SlotRanges};
use crate::state::Stage;
use crate::survey::{Account, Survey};
use crate::view::{self, NodeLine};
use crate::wait::{Deadline, next_round};

/// How long news may take to spread before it counts as a finding: gossip reaches every node within
/// a second or two.
const SETTLING: Duration = Duration::from_secs(3);
/// Between two looks at news that spreads.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How many slots are counted in one write.
const BATCH: usize = 2048;

impl Cluster {
    /// Everything that is wrong with the cluster's shape; nothing, if it is sound.
    ///
    /// What may be news that has not spread yet is a finding only if it is still so after three
    /// seconds. A node that does not answer by the deadline is a finding, not an error.
    pub async fn check(&self, deadline: Deadline) -> Vec<Finding> {
        self.settled(SETTLING, deadline).await.1
    }

    /// The same, with what it is made from and with a time of its own for news to spread.
    pub(crate) async fn settled(
        &self,
        settling: Duration,
        deadline: Deadline,
    ) -> (Inspection, Vec<Finding>) {
        let settled = deadline.at_most(settling);
        loop {
            let inspection = self.inspect(deadline).await;
            let findings = super::check(&inspection);
            // What does not pass keeps others from passing; then there is nothing to wait for.
            let passing = !findings.is_empty() && findings.iter().all(Finding::may_pass);
            if !passing || settled.passed() {
                return (inspection, findings);
            }
            next_round(LOOK_EVERY, settled).await;
        }
    }

    /// What a check is made from, all nodes asked at once.
    pub async fn inspect(&self, deadline: Deadline) -> Inspection {
        let (survey, passing) = self.without_passing(&self.survey(deadline).await);
        let mut asking: JoinSet<Option<(String, Detail)>> = JoinSet::new();
        for node in self.nodes() {
            if let Some(myself) = survey.node(node.name()) {
                let (endpoint, myself) = (node.endpoint(), myself.clone());
                asking.spawn(async move {
                    let detail = detail(&endpoint, &myself, deadline).await.ok()?;
                    Some((endpoint.name, detail))
                });
            }
        }
        let details = asking.join_all().await.into_iter().flatten().collect();
        Inspection {
            survey,
            seats: self.nodes().iter().map(seat).collect(),
            details,
            unfinished: self.unfinished(),
            passing,
        }
    }

    /// Takes the nodes out that come or go. Those that own slots count as long as they do.
    fn without_passing(&self, survey: &Survey) -> (Survey, Vec<Passing>) {
        let comes_or_goes = |node: &&Node| !node.stage().is_member();
        let owns = |node: &&Node| {
            survey
                .node(node.name())
                .is_some_and(|line| !line.slots.is_empty())
        };
        let passing: Vec<_> = self
            .nodes()
            .iter()
            .filter(comes_or_goes)
            .filter(|node| !owns(node))
            .map(|node| Passing {
                node: node.name().to_owned(),
                leaves: *node.stage() == Stage::Leaving,
            })
            .collect();
        let stays =
            |account: &&Account| !passing.iter().any(|passing| passing.node == account.node);
        let accounts = survey.accounts().iter().filter(stays).cloned();
        (Survey::new(accounts.collect()), passing)
    }

    /// The command that moves slots and was interrupted; one whose journal cannot be read is told of
    /// by whoever would go on with it.
    fn unfinished(&self) -> Option<Unfinished> {
        let journal = Journal::read(&self.folder()).ok()??;
        let slots = journal
            .moves
            .iter()
            .flat_map(|part| part.slots.ranges().iter().copied());
        Some(Unfinished {
            slots: slots.collect(),
            command: journal.command,
        })
    }
}

fn seat(node: &Node) -> Seat {
    Seat {
        node: node.name().to_owned(),
        port: node.plan().port,
        shard: node.plan().shard,
        paused: node.is_paused(),
    }
}

async fn detail(
    endpoint: &Endpoint,
    myself: &NodeLine,
    deadline: Deadline,
) -> Result<Detail, Error> {
    let failed = |source| endpoint.failed(source);
    let mut connection = endpoint.connect(deadline).await.map_err(failed)?;
    let commands: [&[&str]; 3] = [
        &["CLUSTER", "INFO"],
        &["INFO", "replication"],
        // An error where there is no atomic migration.
        &["CLUSTER", "GETSLOTMIGRATIONS"],
    ];
    let replies = connection
        .pipeline(&commands, deadline)
        .await
        .map_err(failed)?;
    let [info, replication, migrations] = replies.as_slice() else {
        return Ok(Detail::default());
    };
    let field = |reply, name| view::info_field(reply, name).map(ToOwned::to_owned);
    let jobs = jobs(migrations).unwrap_or_default();
    Ok(Detail {
        state: field(info, "cluster_state"),
        link: field(replication, "master_link_status"),
        keys: if myself.has("master") {
            keys(endpoint, myself, deadline).await?
        } else {
            BTreeMap::new()
        },
        // A replica shows its master's.
        migrations: jobs
            .iter()
            .filter(|_| myself.has("master"))
            .filter_map(migration)
            .collect(),
    })
}

/// The keys of each slot, in all databases; slots without keys are left out. Where a node has no more keys
/// than its own slots hold, which is almost always, nobody else's are counted.
async fn keys(
    endpoint: &Endpoint,
    myself: &NodeLine,
    deadline: Deadline,
) -> Result<BTreeMap<Slot, u64>, Error> {
    let mut session = Session::to(endpoint.clone(), deadline).await?;
    let mut databases = session.databases().await?;
    databases.retain(|_, size| *size > 0);
    let own: SlotRanges = myself.slots.iter().copied().collect();
    let mut keys = count_keys(&mut session, &databases, &own).await?;
    if keys.values().sum::<u64>() < databases.values().sum() {
        let mut foreign = SlotRanges::from_iter([SlotRange::ALL]);
        own.ranges().iter().for_each(|range| foreign.remove(*range));
        keys.extend(count_keys(&mut session, &databases, &foreign).await?);
    }
    Ok(keys)
}

async fn count_keys(
    session: &mut Session,
    databases: &BTreeMap<u32, u64>,
    slots: &SlotRanges,
) -> Result<BTreeMap<Slot, u64>, Error> {
    let slots: Vec<Slot> = slots.slots().collect();
    let mut keys = BTreeMap::new();
    for batch in slots.chunks(BATCH) {
        let counts = session.count_keys(databases.keys().copied(), batch).await?;
        let counted = batch.iter().copied().zip(counts);
        keys.extend(counted.filter(|(_, count)| *count > 0));
    }
    Ok(keys)
}

/// A migration of the servers, unless it has come to an end.
fn migration(job: &Job) -> Option<Migration> {
    let ranges = job.slots.split_ascii_whitespace();
    (job.state == State::Working).then(|| Migration {
        slots: ranges
            .filter_map(|range| range.parse::<SlotRange>().ok())
            .collect(),
        export: job.export,
    })
}
