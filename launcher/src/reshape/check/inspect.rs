//! Asking all nodes for what a check needs.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::task::JoinSet;

use super::finding::Finding;
use super::inspection::{Detail, Inspection, Migration, Seat};
use crate::client::{ClientError, Connection};
use crate::cluster::Cluster;
use crate::node::{Endpoint, Node};
use crate::resp::Frame;
use crate::slots::{Slot, SlotRange, SlotRanges};
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
        let settled = deadline.at_most(SETTLING);
        loop {
            let findings = super::check(&self.inspect(deadline).await);
            if settled.passed() || !findings.iter().any(Finding::may_pass) {
                return findings;
            }
            // What does not pass keeps others from passing; there is nothing to wait for.
            if findings.iter().any(|finding| !finding.may_pass()) {
                return findings;
            }
            next_round(LOOK_EVERY, settled).await;
        }
    }

    /// What a check is made from, all nodes asked at once.
    pub async fn inspect(&self, deadline: Deadline) -> Inspection {
        let survey = self.survey(deadline).await;
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
        }
    }
}

fn seat(node: &Node) -> Seat {
    Seat {
        node: node.name().to_owned(),
        port: node.plan().port,
        shard: node.plan().shard,
    }
}

async fn detail(
    endpoint: &Endpoint,
    myself: &NodeLine,
    deadline: Deadline,
) -> Result<Detail, ClientError> {
    let mut connection = endpoint.connect(deadline).await?;
    let commands: [&[&str]; 3] = [
        &["CLUSTER", "INFO"],
        &["INFO", "replication"],
        // An error where there is no atomic migration.
        &["CLUSTER", "GETSLOTMIGRATIONS"],
    ];
    let replies = connection.pipeline(&commands, deadline).await?;
    let [info, replication, migrations] = replies.as_slice() else {
        return Ok(Detail::default());
    };
    let field = |reply, name| view::info_field(reply, name).map(ToOwned::to_owned);
    let jobs = migrations.as_array().unwrap_or_default();
    Ok(Detail {
        state: field(info, "cluster_state"),
        link: field(replication, "master_link_status"),
        keys: if myself.has("master") {
            keys(&mut connection, myself, deadline).await?
        } else {
            BTreeMap::new()
        },
        migrations: jobs.iter().filter_map(migration).collect(),
    })
}

/// The keys of each slot. Where a node has no more keys than its own slots hold, which is almost
/// always, nobody else's are counted.
async fn keys(
    connection: &mut Connection,
    myself: &NodeLine,
    deadline: Deadline,
) -> Result<BTreeMap<Slot, u64>, ClientError> {
    let size = connection.call(&["DBSIZE"], deadline).await?;
    let size = count(&size);
    if size == 0 {
        return Ok(BTreeMap::new());
    }
    let own: SlotRanges = myself.slots.iter().copied().collect();
    let mut keys = count_keys(connection, &own, deadline).await?;
    if keys.values().sum::<u64>() < size {
        let mut foreign = SlotRanges::from_iter([SlotRange::ALL]);
        own.ranges().iter().for_each(|range| foreign.remove(*range));
        keys.extend(count_keys(connection, &foreign, deadline).await?);
    }
    Ok(keys)
}

/// CLUSTER COUNTKEYSINSLOT of each slot; those without keys are left out.
pub(crate) async fn count_keys(
    connection: &mut Connection,
    slots: &SlotRanges,
    deadline: Deadline,
) -> Result<BTreeMap<Slot, u64>, ClientError> {
    let slots: Vec<Slot> = slots.slots().collect();
    let mut keys = BTreeMap::new();
    for batch in slots.chunks(BATCH) {
        let commands: Vec<[String; 3]> = batch
            .iter()
            .map(|slot| ["CLUSTER", "COUNTKEYSINSLOT", &slot.to_string()].map(ToOwned::to_owned))
            .collect();
        let commands: Vec<&[String]> = commands.iter().map(<[String; 3]>::as_slice).collect();
        let replies = connection.pipeline(&commands, deadline).await?;
        let counted = batch
            .iter()
            .zip(&replies)
            .map(|(slot, reply)| (*slot, count(reply)));
        keys.extend(counted.filter(|(_, count)| *count > 0));
    }
    Ok(keys)
}

fn count(reply: &Frame) -> u64 {
    reply
        .as_integer()
        .and_then(|count| u64::try_from(count).ok())
        .unwrap_or(0)
}

/// One entry of CLUSTER GETSLOTMIGRATIONS, field by field; `None` if it has come to an end
/// (`clusterCommandGetSlotMigrations` and `slotMigrationJobStateToString`, `cluster_migrateslots.c`, Valkey 9.0).
fn migration(entry: &Frame) -> Option<Migration> {
    let fields = entry.as_array()?;
    let field = |name: &str| {
        let mut pairs = fields.chunks_exact(2);
        let pair = pairs.find(|pair| {
            let key = pair.first().and_then(Frame::as_text);
            key == Some(name.as_bytes())
        });
        std::str::from_utf8(pair?.get(1)?.as_text()?).ok()
    };
    let state = field("state")?;
    if ["success", "failed", "cancelled"].contains(&state) {
        return None;
    }
    let ranges = field("slot_ranges")?;
    let ranges = ranges.split(|c: char| c == ',' || c.is_ascii_whitespace());
    Some(Migration {
        slots: ranges
            .filter_map(|range| range.parse::<SlotRange>().ok())
            .collect(),
        export: field("operation")?.eq_ignore_ascii_case("EXPORT"),
        state: state.to_owned(),
    })
}
