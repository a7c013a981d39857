//! Asking all nodes for what a check needs.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::finding::Finding;
use super::inspection::{
    Detail, Inspection, Journaled, Migration, Passing, Seat, ServerProcess, Unfinished,
};
use crate::cluster::Cluster;
use crate::error::Error;
use crate::machine::wait::{Deadline, next_round};
use crate::node::{Endpoint, Node, Session};
use crate::probe::ask_all;
use crate::probe::survey::{Account, Survey};
use crate::reshape::mover::jobs::{Job, State, jobs};
use crate::reshape::{Equipment, Journal};
use crate::state::{Stage, is_locked};
use crate::wire::resp::Frame;
use crate::wire::slots::{Slot, SlotRange, SlotRanges};
use crate::wire::view::{self, ClusterState, Link, NodeLine};

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
        loop {
            let at_work = is_locked(&self.folder());
            let (mut inspection, findings) = self.settled(SETTLING, deadline).await;
            if !at_work || findings.is_empty() || deadline.passed() {
                return findings;
            }
            // What a command has left undone is known only if it is still at work.
            if is_locked(&self.folder()) {
                inspection.at_work = true;
                return super::check(&inspection);
            }
        }
    }

    /// The same, with what it is made from and with a time of its own for news to spread.
    pub(crate) async fn settled(
        &self,
        settling: Duration,
        deadline: Deadline,
    ) -> (Inspection, Vec<Finding>) {
        let settled = deadline.at_most(settling);
        loop {
            let began = Instant::now();
            let inspection = self.inspect(deadline).await;
            let findings = super::check(&inspection);
            // What does not pass keeps others from passing; then there is nothing to wait for.
            let passing = !findings.is_empty() && findings.iter().all(Finding::may_pass);
            if !passing || settled.passed() {
                return (inspection, findings);
            }
            // What looks at every slot leaves the nodes, and others on this machine, time to get on.
            next_round(LOOK_EVERY.max(began.elapsed()), settled).await;
        }
    }

    /// What a check is made from, all nodes asked at once. A node that does not answer all that it is
    /// asked counts as silent: what it has not told is not known.
    pub async fn inspect(&self, deadline: Deadline) -> Inspection {
        let (mut survey, passing) = self.without_passing(&self.survey(deadline).await);
        let speakers = self.nodes().iter().filter_map(|node| {
            let (endpoint, ours) = (node.endpoint(), node.is_ours());
            let myself = survey.node(node.name())?.clone();
            Some(async move {
                let detail = detail(&endpoint, ours, &myself, deadline).await;
                (endpoint.name, detail)
            })
        });
        let mut details = BTreeMap::new();
        for (node, detail) in ask_all(speakers).await {
            match detail {
                Ok(detail) => drop(details.insert(node, detail)),
                Err(why) => survey.silence(&node, why),
            }
        }
        Inspection {
            survey,
            seats: self.nodes().iter().map(seat).collect(),
            details,
            unfinished: self.unfinished(),
            passing,
            at_work: false,
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

    /// The command that moves slots and has not come to its end.
    fn unfinished(&self) -> Journaled {
        let journal = match Journal::read(&self.folder()) {
            Ok(None) => return Journaled::Nothing,
            Ok(Some(journal)) => journal,
            Err(error) => return Journaled::Unreadable(error.to_string()),
        };
        let slots = journal
            .moves
            .iter()
            .flat_map(|part| part.slots.ranges().iter().copied());
        Journaled::Command(Unfinished {
            slots: slots.collect(),
            intent: journal.intent,
        })
    }
}

fn seat(node: &Node) -> Seat {
    Seat {
        node: node.name().to_owned(),
        port: node.plan().port,
        shard: node.plan().shard,
        process: if !node.is_ours() {
            ServerProcess::Unknown
        } else if node.process().is_none() {
            ServerProcess::Ended
        } else if node.is_paused() {
            ServerProcess::Paused
        } else {
            ServerProcess::Running
        },
    }
}

async fn detail(
    endpoint: &Endpoint,
    ours: bool,
    myself: &NodeLine,
    deadline: Deadline,
) -> Result<Detail, String> {
    let mut connection = endpoint
        .connect(deadline)
        .await
        .map_err(|error| error.to_string())?;
    let questions: [&[&str]; 3] = [
        &["CLUSTER", "INFO"],
        &["INFO", "replication"],
        &["CLUSTER", "GETSLOTMIGRATIONS"],
    ];
    let replies = connection.pipeline(&questions, deadline).await;
    let replies = replies.map_err(|error| error.to_string())?;
    let [info, replication, migrations] = replies.as_slice() else {
        return Err("it gave too few answers".to_owned());
    };
    // A replica shows its master's migrations and holds its master's keys.
    let is_master = myself.is_master();
    let equipment = if is_master {
        let mut equipment = Equipment::ask(&mut connection, deadline).await?;
        if !ours {
            // What somebody else has started has the settings that they gave it.
            equipment.settings.clear();
        }
        Some(equipment)
    } else {
        None
    };
    Ok(Detail {
        equipment,
        state: Some(ClusterState::in_info(info).ok_or_else(|| strange("CLUSTER INFO", info))?),
        link: if is_master {
            None
        } else {
            let link = Link::in_info(replication);
            Some(link.ok_or_else(|| strange("INFO replication", replication))?)
        },
        // -1, if it has never had any.
        offset: view::info_field(replication, "slave_repl_offset")
            .and_then(|offset| offset.parse().ok()),
        keys: if is_master {
            keys(endpoint, myself, deadline)
                .await
                .map_err(|error| refusal(&error))?
        } else {
            BTreeMap::new()
        },
        migrations: if is_master {
            under_way(migrations).ok_or_else(|| strange("CLUSTER GETSLOTMIGRATIONS", migrations))?
        } else {
            Vec::new()
        },
    })
}

/// Why there is no answer, of a node that is named anyhow.
fn refusal(error: &Error) -> String {
    match error {
        Error::Reply { command, reply, .. } => format!("`{command}`: {reply}"),
        Error::Client { source, .. } => source.to_string(),
        error => error.to_string(),
    }
}

/// Why a reply is not an answer.
fn strange(question: &str, reply: &Frame) -> String {
    match reply.as_error() {
        Some(error) => format!("`{question}`: {}", crate::wire::resp::escape(error)),
        None => format!("its {question} cannot be understood"),
    }
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
    let own: SlotRanges = myself.slots.clone();
    let mut keys = count_keys(&mut session, &databases, &own).await?;
    // A server that counts more than there can be is not ours to trust, nor to stumble over.
    let sum = |counts: &mut dyn Iterator<Item = u64>| counts.fold(0, u64::saturating_add);
    if sum(&mut keys.values().copied()) < sum(&mut databases.values().copied()) {
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

/// The migrations of the servers that have not come to an end; `None` if a node does not say. One
/// without atomic migration does not know the question ("Unknown subcommand" since Redis 5.0, "unknown
/// subcommand" since 7.0).
fn under_way(reply: &Frame) -> Option<Vec<Migration>> {
    let unknown = |error: &[u8]| String::from_utf8_lossy(error).contains("nknown subcommand");
    if reply.as_error().is_some_and(unknown) {
        return Some(Vec::new());
    }
    let jobs = jobs(reply)?;
    let working = jobs.iter().filter(|job| job.state == State::Working);
    working.map(migration).collect()
}

fn migration(job: &Job) -> Option<Migration> {
    let ranges = job.slots.split_ascii_whitespace();
    let slots: Result<SlotRanges, _> = ranges.map(str::parse::<SlotRange>).collect();
    Some(Migration {
        slots: slots.ok()?,
        export: job.export,
    })
}
