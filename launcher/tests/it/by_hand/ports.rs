//! The ports of the document, and free ones that stand for them: on any machine, whatever runs there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Mutex;

use shardlab::plan::{BUS_OFFSET, Options, Plan};
use shardlab::state::Home;
use shardlab::state::ports::{ReservedPorts, choose};
use shardlab::wire::slots::Slot;

/// The first port of each run of ports that the document uses.
const FIRST: [u16; 4] = [6379, 7000, 8000, 27_000];
/// How many of each.
const COUNT: u16 = 10;
/// Where the document's clusters listen.
const LOOPBACK: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V6(Ipv6Addr::LOCALHOST),
];

/// Which real port stands for which; the real ones are kept from other tests meanwhile.
pub(crate) struct Ports {
    /// As written, and as it is.
    pairs: Vec<(u64, u64)>,
    _reserved: Vec<ReservedPorts>,
}

impl Ports {
    pub(crate) fn new() -> Self {
        /// Two stories that look for ports at a time would find the same ones.
        static CHOOSING: Mutex<()> = Mutex::new(());
        let _one_at_a_time = CHOOSING.lock().unwrap();
        let mut pairs = Vec::new();
        let mut reserved = Vec::new();
        for first in FIRST {
            let ports = run_of_ports();
            let nodes = Options {
                masters: ports.len(),
                replicas: vec![0],
                ..Options::default()
            };
            let plan = Plan::new(&nodes, &ports).unwrap();
            reserved.push(ReservedPorts::of(&plan, &LOOPBACK));
            for (written, real) in (first..).zip(ports) {
                pairs.push((written.into(), real.into()));
            }
        }
        Self {
            pairs,
            _reserved: reserved,
        }
    }

    /// A command as it can be run.
    pub(crate) fn real(&self, written: &str) -> String {
        replace(written, |number| {
            let pair = self.pairs.iter().find(|(written, _)| *written == number);
            pair.map(|(_, real)| *real)
        })
    }

    /// What a command has printed, as it would stand in the document, with its bus ports.
    pub(crate) fn written(&self, real: &str) -> String {
        replace(real, |number| {
            [0, BUS_OFFSET.into()].into_iter().find_map(|bus| {
                let pair = self.pairs.iter().find(|(_, real)| real + bus == number);
                pair.map(|(written, _)| written + bus)
            })
        })
    }
}

/// Free ports, one behind the other, and none that could be a slot.
fn run_of_ports() -> Vec<u16> {
    let nobody = Home::at("/nonexistent");
    loop {
        let ports = choose(usize::from(COUNT), 1, &LOOPBACK, &nobody).unwrap();
        let is_run = ports.windows(2).all(|pair| pair[0] + 1 == pair[1]);
        if is_run && ports[0] > Slot::LAST.number() {
            return ports;
        }
    }
}

/// Replaces numbers that stand for themselves; digits within a word, such as an id, do not.
fn replace(text: &str, other: impl Fn(u64) -> Option<u64>) -> String {
    let mut replaced = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let (word, tail) = rest.split_at(end);
        match word.parse().ok().and_then(&other) {
            Some(number) => replaced.push_str(&number.to_string()),
            None => replaced.push_str(word),
        }
        let mut chars = tail.chars();
        replaced.extend(chars.next());
        rest = chars.as_str();
    }
    replaced
}
