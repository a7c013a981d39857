//! Keys in every database that a node has, where the server has more than one in a cluster, half of them
//! with a time to live: for tests and benchmarks of slots that move.

use std::collections::BTreeMap;
use std::time::Duration;

use shardlab::Cluster;
use shardlab::machine::wait::Deadline;
use shardlab::wire::resp::Frame;
use shardlab::wire::slots::{Slot, key_slot};
use shardlab::wire::view;

/// How long a pipeline may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// What makes a server have several databases in a cluster (Valkey since 9.0).
pub(crate) const SETTING: &str = "cluster-databases=16";
/// The databases that hold keys.
const SEVERAL: [u32; 3] = [0, 1, 7];
/// How long the keys with a time to live have at first, in milliseconds.
const LIFE: i64 = 86_400_000;

/// The keys `key:0`, `key:1`, … of each database.
#[derive(Debug, Clone)]
pub(crate) struct Databases {
    databases: Vec<u32>,
    keys: usize,
}

impl Databases {
    /// So many keys in each of the databases that this cluster has.
    pub(crate) async fn of(cluster: &Cluster, keys: usize) -> Result<Self, String> {
        let node = cluster.nodes().first().ok_or("no node")?;
        let reply = node.call(&["SELECT", "7"]).await;
        let several = reply.map_err(text)?.as_error().is_none();
        let databases = if several { &SEVERAL[..] } else { &SEVERAL[..1] };
        Ok(Self {
            databases: databases.to_vec(),
            keys,
        })
    }

    fn value(database: u32, number: usize) -> String {
        format!("{number} of database {database}")
    }

    fn lives(number: usize) -> bool {
        number.is_multiple_of(2)
    }

    /// Writes all of them, each to the node that owns its slot.
    pub(crate) async fn write(&self, cluster: &Cluster) -> Result<(), String> {
        let set = |database, number| {
            let mut words = vec!["SET".to_owned(), key(number), Self::value(database, number)];
            if Self::lives(number) {
                words.extend(["PX".to_owned(), LIFE.to_string()]);
            }
            words
        };
        self.each(cluster, set, |_, _, reply| reply.as_error().is_none())
            .await
    }

    /// Whether every key has its value and its time to live, and no node has a key more.
    pub(crate) async fn verify(&self, cluster: &Cluster) -> Result<(), String> {
        let get = |_, number| vec!["GET".to_owned(), key(number)];
        self.each(cluster, get, |database, number, reply| {
            reply.as_text() == Some(Self::value(database, number).as_bytes())
        })
        .await?;
        let ttl = |_, number| vec!["PTTL".to_owned(), key(number)];
        self.each(cluster, ttl, |_, number, reply| {
            let left = reply.as_integer().unwrap_or(-2);
            if Self::lives(number) {
                (1..=LIFE).contains(&left)
            } else {
                left == -1
            }
        })
        .await?;
        let mut sums: BTreeMap<u32, u64> = BTreeMap::new();
        let survey = cluster.survey(Deadline::after(PATIENCE)).await;
        for (node, _) in survey.masters() {
            let info = cluster.call(node, &["INFO", "keyspace"]).await;
            for (database, keys) in view::keyspace(&info.map_err(text)?) {
                *sums.entry(database).or_default() += keys;
            }
        }
        let wanted = u64::try_from(self.keys).map_err(text)?;
        let wanted = self.databases.iter().map(|database| (*database, wanted));
        if sums == wanted.collect() {
            Ok(())
        } else {
            Err(format!(
                "the masters have {sums:?} keys instead of {}",
                self.keys
            ))
        }
    }

    async fn each(
        &self,
        cluster: &Cluster,
        command: impl Fn(u32, usize) -> Vec<String>,
        good: impl Fn(u32, usize, &Frame) -> bool,
    ) -> Result<(), String> {
        let survey = cluster.survey(Deadline::after(PATIENCE)).await;
        let owner: Vec<Option<&str>> = (0..Slot::COUNT)
            .map(|slot| survey.owners(Slot::new(slot)?).next())
            .collect();
        let owner_of = |number: usize| {
            let slot = usize::from(key_slot(key(number).as_bytes()).number());
            owner.get(slot).copied().flatten()
        };
        for (node, _) in survey.masters() {
            let numbers: Vec<usize> = (0..self.keys)
                .filter(|number| owner_of(*number) == Some(node))
                .collect();
            let node = cluster.node(node).map_err(text)?;
            let mut connection = node.connect().await.map_err(text)?;
            for database in &self.databases {
                let select = vec!["SELECT".to_owned(), database.to_string()];
                let rest = numbers.iter().map(|number| command(*database, *number));
                let commands: Vec<_> = std::iter::once(select).chain(rest).collect();
                let commands: Vec<&[String]> = commands.iter().map(Vec::as_slice).collect();
                let replies = connection
                    .pipeline(&commands, Deadline::after(PATIENCE))
                    .await
                    .map_err(text)?;
                for (number, reply) in numbers.iter().zip(replies.iter().skip(1)) {
                    if !good(*database, *number, reply) {
                        let name = node.name();
                        let (key, value) = (key(*number), &reply.value);
                        return Err(format!("`{name}`, database {database}, {key}: {value:?}"));
                    }
                }
            }
        }
        match owner.iter().position(Option::is_none) {
            Some(slot) => Err(format!("slot {slot} has no owner")),
            None => Ok(()),
        }
    }
}

fn key(number: usize) -> String {
    format!("key:{number}")
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
