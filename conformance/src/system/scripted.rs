//! A fake target that answers as it is told: it tests the runner without a server.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::BytesMut;
use shardlab::machine::wait::Deadline;
use shardlab::wire::client::ClientError;
use shardlab::wire::resp::{Decoder, Protocol};

use crate::commands::requests;
use crate::pattern::Server;
use crate::transcript::ast::{NodeName, Version};

use super::{Deed, Link, NOWHERE, NodeFacts, NodeTimeout, Target};

/// What a scripted node does on a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reaction {
    /// Bytes come back.
    Bytes(Vec<u8>),
    /// The connection is closed.
    Close,
}

/// Nodes n1, n2, n3 at 127.0.0.1:7001 to 7003, and what they answer.
#[derive(Debug)]
pub(crate) struct Scripted {
    server: Server,
    nodes: HashMap<NodeName, NodeFacts>,
    script: Arc<Mutex<Script>>,
}

#[derive(Debug, Default)]
struct Script {
    /// By node and command: reactions in order, of which the last stays.
    reactions: HashMap<String, VecDeque<Reaction>>,
    /// Nodes that nobody can connect to.
    refusing: Vec<NodeName>,
    deeds: Vec<String>,
    opened: usize,
}

impl Scripted {
    /// A target that answers nothing.
    pub(crate) fn new() -> Self {
        let facts = |number: u16| {
            let name = NodeName::parse(&format!("n{number}")).unwrap();
            let facts = NodeFacts {
                name,
                address: ([127, 0, 0, 1], 7000 + number).into(),
                endpoint: SocketAddr::from(([127, 0, 0, 1], 7000 + number)).into(),
                bus_port: Some(17000 + number),
                id: Some(number.to_string().repeat(40)),
            };
            (name, facts)
        };
        Self {
            server: Server {
                product: "redis".into(),
                version: Version {
                    numbers: [7, 0, 15],
                },
            },
            nodes: (1..=3).map(facts).collect(),
            script: Arc::default(),
        }
    }

    /// `n1` answers a command with bytes; told again, with these the next time, the last for ever.
    pub(crate) fn on(self, node: &str, command: &str, reply: &str) -> Self {
        self.react(node, command, Reaction::Bytes(reply.into()))
    }

    /// `n1` closes the connection on a command.
    pub(crate) fn closes(self, node: &str, command: &str) -> Self {
        self.react(node, command, Reaction::Close)
    }

    /// Nobody can connect to `n1`, until it is started.
    pub(crate) fn refuses(self, node: &str) -> Self {
        let name = NodeName::parse(node).unwrap();
        self.script.lock().unwrap().refusing.push(name);
        self
    }

    /// What has been done to the nodes.
    pub(crate) fn deeds(&self) -> Vec<String> {
        self.script.lock().unwrap().deeds.clone()
    }

    /// How many connections have been opened.
    pub(crate) fn opened(&self) -> usize {
        self.script.lock().unwrap().opened
    }

    fn react(self, node: &str, command: &str, reaction: Reaction) -> Self {
        let key = format!("{node} {command}");
        let mut script = self.script.lock().unwrap();
        script.reactions.entry(key).or_default().push_back(reaction);
        drop(script);
        self
    }
}

impl Target for Scripted {
    type Link = ScriptedLink;

    fn server(&self) -> Option<&Server> {
        Some(&self.server)
    }

    fn node_timeout(&self) -> NodeTimeout {
        NodeTimeout {
            period: Duration::from_millis(10),
            origin: "as scripted",
        }
    }

    fn nodes(&self) -> Vec<NodeName> {
        self.nodes.keys().copied().collect()
    }

    fn node(&self, name: NodeName) -> Option<&NodeFacts> {
        self.nodes.get(&name)
    }

    async fn connect(&self, node: NodeName, _: Deadline) -> Result<ScriptedLink, ClientError> {
        let mut script = self.script.lock().unwrap();
        if script.refusing.contains(&node) {
            return Err(ClientError::Connect {
                address: NOWHERE,
                source: io::ErrorKind::ConnectionRefused.into(),
            });
        }
        script.opened += 1;
        Ok(ScriptedLink {
            node: node.to_string(),
            script: Arc::clone(&self.script),
            decoder: Decoder::new(Protocol::Resp2),
            buffer: BytesMut::new(),
            closed: false,
        })
    }

    async fn act(&self, deed: Deed, node: NodeName) -> Result<(), String> {
        let mut script = self.script.lock().unwrap();
        script.deeds.push(format!("{deed:?} {node}"));
        match deed {
            Deed::Kill(_) | Deed::Stop => script.refusing.push(node),
            Deed::Start => script.refusing.retain(|other| *other != node),
            Deed::Pause | Deed::Resume => {}
        }
        Ok(())
    }
}

/// A connection to a scripted node. What has not been sent by it when it is read from never comes.
#[derive(Debug)]
pub(crate) struct ScriptedLink {
    node: String,
    script: Arc<Mutex<Script>>,
    decoder: Decoder,
    buffer: BytesMut,
    closed: bool,
}

impl ScriptedLink {
    fn nothing(&self) -> ClientError {
        let (address, unread) = (NOWHERE, self.buffer.len());
        if self.closed {
            ClientError::Closed { address, unread }
        } else {
            ClientError::Timeout { address, unread }
        }
    }
}

impl Link for ScriptedLink {
    async fn send(&mut self, bytes: &[u8], _: Deadline) -> Result<(), ClientError> {
        for words in requests(bytes) {
            let words: Vec<_> = words
                .iter()
                .map(|word| String::from_utf8_lossy(word))
                .collect();
            let key = format!("{} {}", self.node, words.join(" "));
            let mut script = self.script.lock().unwrap();
            let reactions = script.reactions.entry(key).or_default();
            let reaction = match reactions.len() {
                0 | 1 => reactions.front().cloned(),
                _ => reactions.pop_front(),
            };
            match reaction {
                Some(Reaction::Bytes(bytes)) => self.buffer.extend_from_slice(&bytes),
                Some(Reaction::Close) => self.closed = true,
                None => {}
            }
        }
        Ok(())
    }

    async fn read(&mut self, _: Deadline) -> Result<shardlab::wire::resp::Frame, ClientError> {
        match self.decoder.decode(&mut self.buffer) {
            Ok(Some(frame)) => Ok(frame),
            Ok(None) => Err(self.nothing()),
            Err(source) => Err(ClientError::Protocol {
                address: NOWHERE,
                source,
            }),
        }
    }

    async fn read_bytes(&mut self, limit: usize, _: Deadline) -> Result<BytesMut, ClientError> {
        match self.buffer.len().min(limit) {
            0 => Err(self.nothing()),
            length => Ok(self.buffer.split_to(length)),
        }
    }

    fn set_protocol(&mut self, protocol: Protocol) {
        self.decoder.set_protocol(protocol);
    }
}
