//! A client that writes and reads all the time, follows MOVED and ASK, and remembers what must be
//! where: for tests and benchmarks of slots that move.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use shardlab::Cluster;
use shardlab::machine::wait::{Deadline, next_round};
use shardlab::node::{Endpoint, Node};
use shardlab::wire::client::Connection;
use shardlab::wire::resp::{Frame, Redirect, RedirectKind};
use shardlab::wire::slots::{Slot, key_slot};

/// How long a reply may take: a server that moves a large key may be silent for a while.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many redirects of one command are followed.
const MOST_REDIRECTS: usize = 16;
/// How many commands go in one pipeline when many keys are written or read.
const PIPELINE: usize = 1000;

/// The keys `key:0`, `key:1`, …, each with the number of times it was written.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    versions: Vec<u32>,
}

/// What became of the traffic.
#[derive(Debug)]
pub(crate) struct Report {
    /// Commands that were answered.
    pub(crate) commands: u64,
    /// The longest time that one took, redirects included.
    pub(crate) longest: Duration,
    /// What each key must hold now.
    pub(crate) keys: Keys,
}

/// A client at work on a thread of its own, until it is stopped.
pub(crate) struct Traffic {
    enough: Arc<AtomicBool>,
    thread: JoinHandle<Result<Report, String>>,
}

impl Keys {
    /// So many keys, written once.
    pub(crate) fn new(count: usize) -> Self {
        Self {
            versions: vec![0; count],
        }
    }

    fn key(number: usize) -> String {
        format!("key:{number}")
    }

    fn value(&self, number: usize) -> String {
        let version = self.versions.get(number).copied().unwrap_or(0);
        format!("value of {number} as of {version}")
    }

    /// Writes all of them, each to the node that owns its slot.
    pub(crate) async fn write(&self, cluster: &Cluster) -> Result<(), String> {
        let set = |number| vec!["SET".to_owned(), Self::key(number), self.value(number)];
        self.each(cluster, set, |_, reply| reply.as_error().is_none())
            .await
    }

    /// Whether every key has its value, and the nodes have no key more or less.
    pub(crate) async fn verify(&self, cluster: &Cluster) -> Result<(), String> {
        let get = |number| vec!["GET".to_owned(), Self::key(number)];
        self.each(cluster, get, |number, reply| {
            reply.as_text() == Some(self.value(number).as_bytes())
        })
        .await?;
        let survey = cluster.survey(Deadline::after(PATIENCE)).await;
        let mut sum = 0;
        for (node, _) in survey.masters() {
            let size = cluster.call(node, &["DBSIZE"]).await;
            let size = size.map_err(|error| error.to_string())?;
            sum += size.as_integer().unwrap_or(0);
        }
        if usize::try_from(sum) == Ok(self.versions.len()) {
            Ok(())
        } else {
            Err(format!(
                "there are {sum} keys instead of {}",
                self.versions.len()
            ))
        }
    }

    async fn each(
        &self,
        cluster: &Cluster,
        command: impl Fn(usize) -> Vec<String>,
        good: impl Fn(usize, &Frame) -> bool,
    ) -> Result<(), String> {
        let survey = cluster.survey(Deadline::after(PATIENCE)).await;
        let owner: Vec<Option<&str>> = (0..Slot::COUNT)
            .map(|slot| survey.owners(Slot::new(slot)?).next())
            .collect();
        for node in cluster.nodes() {
            let mine = |number: &usize| {
                let slot = key_slot(Self::key(*number).as_bytes()).number();
                owner.get(usize::from(slot)).copied().flatten() == Some(node.name())
            };
            let numbers: Vec<usize> = (0..self.versions.len()).filter(mine).collect();
            let mut connection = node.connect().await.map_err(|error| error.to_string())?;
            for some in numbers.chunks(PIPELINE) {
                let commands: Vec<_> = some.iter().map(|number| command(*number)).collect();
                let commands: Vec<&[String]> = commands.iter().map(Vec::as_slice).collect();
                let replies = connection
                    .pipeline(&commands, Deadline::after(PATIENCE))
                    .await;
                let replies = replies.map_err(|error| error.to_string())?;
                for (number, reply) in some.iter().zip(&replies) {
                    if !good(*number, reply) {
                        return Err(format!(
                            "{} of `{}` is {:?}, not {}",
                            Self::key(*number),
                            node.name(),
                            reply.value,
                            self.value(*number)
                        ));
                    }
                }
            }
        }
        if owner.contains(&None) {
            return Err("some slots have no owner".to_owned());
        }
        Ok(())
    }
}

impl Traffic {
    /// Begins: so many commands in each millisecond, one after the other.
    pub(crate) fn start(cluster: &Cluster, keys: Keys, per_millisecond: usize) -> Self {
        let nodes: Vec<Endpoint> = cluster.nodes().iter().map(Node::endpoint).collect();
        let enough = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&enough);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let runtime = runtime.map_err(|error| error.to_string())?;
            let mut client = Client::new(nodes, keys);
            runtime.block_on(async {
                while !stop.load(Ordering::Relaxed) {
                    for _ in 0..per_millisecond {
                        client.step().await?;
                    }
                    let pace = Duration::from_millis(1);
                    next_round(pace, Deadline::after(PATIENCE)).await;
                }
                Ok(client.report)
            })
        });
        Self { enough, thread }
    }

    /// Ends it; an error is the first wrong or failed answer.
    pub(crate) fn stop(self) -> Result<Report, String> {
        self.enough.store(true, Ordering::Relaxed);
        let joined = self.thread.join();
        joined.unwrap_or_else(|_| Err("the client panicked".to_owned()))
    }
}

struct Client {
    nodes: Vec<Endpoint>,
    connections: HashMap<SocketAddr, Connection>,
    /// Where each slot was last.
    owners: HashMap<Slot, SocketAddr>,
    report: Report,
    random: u64,
}

impl Client {
    fn new(nodes: Vec<Endpoint>, keys: Keys) -> Self {
        Self {
            nodes,
            connections: HashMap::new(),
            owners: HashMap::new(),
            report: Report {
                commands: 0,
                longest: Duration::ZERO,
                keys,
            },
            random: 0x9e37_79b9_7f4a_7c15,
        }
    }

    /// Reads a key, which must be as it was written last, or writes one.
    async fn step(&mut self) -> Result<(), String> {
        let since = Instant::now();
        // xorshift64: no need for more, and every run does the same.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let random = usize::try_from(self.random >> 2).unwrap_or(0);
        let count = self.report.keys.versions.len();
        match random % 8 {
            0 => {
                self.report.keys.versions.push(0);
                self.set(count).await?;
            }
            1..=3 => {
                let number = (random / 8) % count;
                if let Some(version) = self.report.keys.versions.get_mut(number) {
                    *version += 1;
                }
                self.set(number).await?;
            }
            _ => {
                let number = (random / 8) % count;
                let key = Keys::key(number);
                let reply = self.send(&key, &["GET", &key]).await?;
                let expected = self.report.keys.value(number);
                if reply.as_text() != Some(expected.as_bytes()) {
                    return Err(format!("{key} is {:?}, not {expected}", reply.value));
                }
            }
        }
        self.report.commands += 1;
        self.report.longest = self.report.longest.max(since.elapsed());
        Ok(())
    }

    async fn set(&mut self, number: usize) -> Result<(), String> {
        let (key, value) = (Keys::key(number), self.report.keys.value(number));
        let reply = self.send(&key, &["SET", &key, &value]).await?;
        match reply.as_text() {
            Some(b"OK") => Ok(()),
            _ => Err(format!("SET {key} was answered with {:?}", reply.value)),
        }
    }

    async fn send(&mut self, key: &str, command: &[&str]) -> Result<Frame, String> {
        let slot = key_slot(key.as_bytes());
        let first = self.nodes.first().map(|node| node.address);
        let mut address = self.owners.get(&slot).copied().or(first).ok_or("no node")?;
        let mut asking = false;
        for _ in 0..MOST_REDIRECTS {
            let reply = match self.ask(address, command, asking).await {
                // A node that was deleted, as every client finds out that has not been redirected yet.
                Err(_) if self.is_gone(address).await => {
                    address = self.nodes.first().ok_or("no node is left")?.address;
                    asking = false;
                    continue;
                }
                reply => reply?,
            };
            let Some(redirect) = Redirect::parse(&reply) else {
                return Ok(reply);
            };
            let port = redirect.port;
            address = SocketAddr::new(address.ip(), port);
            if self.nodes.iter().all(|node| node.address != address) {
                // A node that was added since.
                let known = self.nodes.first().ok_or("no node is left")?.clone();
                self.nodes.push(Endpoint { address, ..known });
            }
            asking = redirect.kind == RedirectKind::Ask;
            if !asking {
                self.owners.insert(slot, address);
            }
        }
        Err(format!("{command:?} was redirected {MOST_REDIRECTS} times"))
    }

    /// Whether nobody is there any more; then it is forgotten.
    async fn is_gone(&mut self, address: SocketAddr) -> bool {
        // A server that is being killed may still be connected to for a moment, but answers nobody.
        let deadline = Deadline::after(PATIENCE);
        let asked = async {
            let mut connection = Connection::open(address, deadline).await?;
            connection.call(&["PING"], deadline).await
        };
        let gone = asked.await.is_err();
        self.connections.remove(&address);
        if gone {
            self.nodes.retain(|node| node.address != address);
            self.owners.retain(|_, owner| *owner != address);
        }
        gone
    }

    async fn ask(
        &mut self,
        address: SocketAddr,
        command: &[&str],
        asking: bool,
    ) -> Result<Frame, String> {
        let deadline = Deadline::after(PATIENCE);
        if !self.connections.contains_key(&address) {
            let node = self.nodes.iter().find(|node| node.address == address);
            let node = node.ok_or("an address of nobody")?;
            let connection = node
                .connect(deadline)
                .await
                .map_err(|error| error.to_string())?;
            self.connections.insert(address, connection);
        }
        let connection = self.connections.get_mut(&address).ok_or("no connection")?;
        let asked = async {
            if asking {
                connection.call(&["ASKING"], deadline).await?;
            }
            connection.call(command, deadline).await
        };
        asked.await.map_err(|error| error.to_string())
    }
}
