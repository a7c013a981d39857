//! Which nodes a cluster has, from whichever of its commands tells. Pure.

use std::collections::HashMap;

use shardlab::wire::resp::{Frame, Value};
use shardlab::wire::slots::{Slot, SlotRange, SlotRanges};
use shardlab::wire::view::{self, Flag, NodeId, NodeLine};

/// A node as others tell of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct DiscoveredNode {
    pub(super) id: String,
    /// Empty where a node does not know its own yet.
    pub(super) ip: String,
    /// Where clients are sent, if that is somewhere else.
    pub(super) host: Option<String>,
    pub(super) port: u16,
    pub(super) bus: Option<u16>,
}

/// A master, what it owns, and its replicas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) master: DiscoveredNode,
    pub(super) slots: SlotRanges,
    pub(super) replicas: Vec<DiscoveredNode>,
}

/// Nodes that are alive, masters in the order of their slots.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Members {
    pub(super) groups: Vec<Group>,
    /// Why this is not all that there is to tell, or not for long.
    pub(super) unrest: Option<String>,
}

impl Members {
    fn sorted(mut groups: Vec<Group>, unrest: Option<String>) -> Self {
        for group in &mut groups {
            group
                .replicas
                .sort_by(|left, right| (&left.ip, left.port).cmp(&(&right.ip, right.port)));
        }
        let first = |group: &Group| group.slots.ranges().first().map(|range| range.start());
        groups.sort_by_key(|group| {
            (
                first(group).is_none(),
                first(group),
                group.master.id.clone(),
            )
        });
        Self { groups, unrest }
    }

    /// How many slots have a master.
    pub(super) fn served(&self) -> usize {
        let each = self.groups.iter();
        each.map(|group| usize::from(group.slots.count())).sum()
    }

    /// How many nodes there are.
    pub(super) fn count(&self) -> usize {
        let each = self.groups.iter();
        each.map(|group| 1 + group.replicas.len()).sum()
    }

    /// Takes over where clients are sent, from CLUSTER SLOTS; an empty host is where they are already.
    /// Of nodes that it does not list nothing is told.
    pub(super) fn learn_hosts(&mut self, slots: &Frame) {
        let entries = slots.as_array().unwrap_or_default().iter();
        let nodes = entries.flat_map(|entry| entry.as_array().unwrap_or_default().iter().skip(2));
        self.learn(nodes.filter_map(|node| {
            let [host, _, id, ..] = node.as_array()? else {
                return None;
            };
            Some((text(id)?, endpoint(host)?))
        }));
    }

    /// The same from CLUSTER SHARDS, which lists masters without slots, too.
    pub(super) fn learn_endpoints(&mut self, shards: &Frame) {
        let shards = shards.as_array().unwrap_or_default().iter();
        let nodes = shards.filter_map(|shard| field(shard, "nodes")?.as_array());
        self.learn(nodes.flatten().filter_map(|node| {
            let host = endpoint(field(node, "endpoint")?)?;
            Some((text(field(node, "id")?)?, host))
        }));
    }

    fn learn(&mut self, hosts: impl Iterator<Item = (String, String)>) {
        let hosts: HashMap<_, _> = hosts.collect();
        for group in &mut self.groups {
            for member in std::iter::once(&mut group.master).chain(&mut group.replicas) {
                if let Some(host) = hosts.get(&member.id) {
                    member.host = Some(host.clone());
                }
            }
        }
    }

    /// Whether of some nodes it is not known where clients are sent.
    pub(super) fn lacks_hosts(&self) -> bool {
        let mut members = self
            .groups
            .iter()
            .flat_map(|group| std::iter::once(&group.master).chain(&group.replicas));
        members.any(|member| member.host.is_none())
    }
}

/// A host as clients are told it; a null is none.
fn endpoint(host: &Frame) -> Option<String> {
    if host.is_null() {
        return Some(String::new());
    }
    text(host)
}

/// From CLUSTER NODES.
pub(super) fn from_nodes(reply: &Frame) -> Option<Members> {
    let lines = view::nodes(reply)?;
    let lost = |line: &&NodeLine| !line.is_met() || line.has(Flag::Failed);
    let unrest = if let Some(lost) = lines.iter().find(lost) {
        Some(format!(
            "the node {} is not a member yet, or is said to have failed",
            lost.address.client()
        ))
    } else if lines.iter().any(|line| !line.open.is_empty()) {
        Some("slots are being moved".to_owned())
    } else {
        None
    };
    let alive = || lines.iter().filter(|line| !lost(line));
    let mut replicas: HashMap<&NodeId, Vec<DiscoveredNode>> = HashMap::new();
    for line in alive() {
        if let Some(master) = &line.master {
            replicas.entry(master).or_default().push(from_line(line)?);
        }
    }
    let groups = alive().filter(|line| line.is_master()).map(|master| {
        Some(Group {
            master: from_line(master)?,
            slots: master.slots.clone(),
            replicas: replicas.remove(&master.id).unwrap_or_default(),
        })
    });
    Some(Members::sorted(groups.collect::<Option<_>>()?, unrest))
}

fn from_line(line: &NodeLine) -> Option<DiscoveredNode> {
    Some(DiscoveredNode {
        id: line.id.to_string(),
        ip: line.address.host().to_owned(),
        host: None,
        port: line.address.port()?,
        bus: line.address.bus_port(),
    })
}

/// From CLUSTER SHARDS.
pub(super) fn from_shards(reply: &Frame) -> Option<Members> {
    let groups = reply.as_array()?.iter().map(|shard| {
        let mut slots = SlotRanges::default();
        for pair in field(shard, "slots")?.as_array()?.chunks(2) {
            let [first, last] = pair else { return None };
            slots.insert(range(first, last)?);
        }
        let mut group = Group {
            slots,
            ..Group::default()
        };
        let mut has_master = false;
        for node in field(shard, "nodes")?.as_array()? {
            let told = |name: &str| field(node, name).and_then(text);
            let ip = told("ip").unwrap_or_default();
            let member = DiscoveredNode {
                id: told("id")?,
                host: field(node, "endpoint").and_then(endpoint),
                ip,
                port: port_of(node)?,
                bus: None,
            };
            if told("health").is_some_and(|health| health == "fail") {
                continue;
            }
            match told("role")?.as_str() {
                "master" => {
                    group.master = member;
                    has_master = true;
                }
                _ => group.replicas.push(member),
            }
        }
        has_master.then_some(group)
    });
    let groups: Vec<_> = groups.collect::<Option<_>>()?;
    Some(Members::sorted(groups, None))
}

/// The port of a node in CLUSTER SHARDS: the one without TLS if it has both.
fn port_of(node: &Frame) -> Option<u16> {
    let port = field(node, "port").or_else(|| field(node, "tls-port"))?;
    u16::try_from(port.as_integer()?).ok()
}

/// From CLUSTER SLOTS.
pub(super) fn from_slots(reply: &Frame) -> Option<Members> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places = HashMap::new();
    for entry in reply.as_array()? {
        let [first, last, master, replicas @ ..] = entry.as_array()? else {
            return None;
        };
        let range = range(first, last)?;
        let master = from_slot_node(master)?;
        let place = *places.entry(master.clone()).or_insert(groups.len());
        if let Some(group) = groups.get_mut(place) {
            group.slots.insert(range);
            continue;
        }
        let mut slots = SlotRanges::default();
        slots.insert(range);
        groups.push(Group {
            master,
            slots,
            replicas: replicas.iter().map(from_slot_node).collect::<Option<_>>()?,
        });
    }
    Some(Members::sorted(groups, None))
}

/// `1) "127.0.0.1" 2) (integer) 7001 3) "id"`
fn from_slot_node(node: &Frame) -> Option<DiscoveredNode> {
    let [host, port, more @ ..] = node.as_array()? else {
        return None;
    };
    let told = more.get(1).and_then(|metadata| field(metadata, "ip"));
    Some(DiscoveredNode {
        id: more.first().and_then(text).unwrap_or_default(),
        ip: told
            .and_then(text)
            .or_else(|| text(host))
            .unwrap_or_default(),
        host: endpoint(host),
        port: u16::try_from(port.as_integer()?).ok()?,
        bus: None,
    })
}

fn range(first: &Frame, last: &Frame) -> Option<SlotRange> {
    let slot = |frame: &Frame| Slot::new(u16::try_from(frame.as_integer()?).ok()?);
    SlotRange::new(slot(first)?, slot(last)?)
}

fn text(frame: &Frame) -> Option<String> {
    String::from_utf8(frame.as_text()?.to_vec()).ok()
}

/// A value of a map, which is an array of keys and values in RESP2.
fn field<'a>(frame: &'a Frame, name: &str) -> Option<&'a Frame> {
    let is_it = |key: &Frame| key.as_text() == Some(name.as_bytes());
    if let Value::Map(pairs) = frame.plain() {
        return pairs
            .iter()
            .find(|(key, _)| is_it(key))
            .map(|(_, value)| value);
    }
    let pairs = frame.as_array()?.chunks(2);
    let mut pairs = pairs.filter_map(|pair| Some((pair.first()?, pair.get(1)?)));
    pairs.find(|(key, _)| is_it(key)).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: impl Into<String>) -> Frame {
        Frame::from_value(Value::BulkString(text.into().into()))
    }

    fn integer(number: i64) -> Frame {
        Frame::from_value(Value::Integer(number))
    }

    fn array(items: Vec<Frame>) -> Frame {
        Frame::from_value(Value::Array(items))
    }

    const NODES: &str = "\
        m2 10.0.0.2:7002@17002,two.example master - 0 0 2 connected 8192-16383\n\
        r1 10.0.0.3:7003@17003 slave m1 0 0 1 connected\n\
        m1 :7001@9001 myself,master - 0 0 1 connected 0-4095 4096 4097-8191\n";

    fn shape(members: &Members) -> String {
        let each = members.groups.iter().map(|group| {
            format!(
                "{} {} +{}",
                group.master.id,
                group.slots,
                group.replicas.len()
            )
        });
        each.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn all_three_commands_tell_the_same() {
        let nodes = from_nodes(&bulk(NODES)).unwrap();
        let node = |host: &str, port, id: &str| array(vec![bulk(host), integer(port), bulk(id)]);
        let slots = array(vec![
            array(vec![
                integer(8192),
                integer(16383),
                node("10.0.0.2", 7002, "m2"),
            ]),
            array(vec![
                integer(0),
                integer(8191),
                node("10.0.0.1", 7001, "m1"),
                node("10.0.0.3", 7003, "r1"),
            ]),
        ]);
        let member = |id: &str, port, role: &str| {
            let fields = [
                bulk("id"),
                bulk(id),
                bulk("port"),
                integer(port),
                bulk("ip"),
                bulk("10.0.0.1"),
                bulk("role"),
                bulk(role),
            ];
            array(fields.to_vec())
        };
        let shard = |first, last, nodes| {
            array(vec![
                bulk("slots"),
                array(vec![integer(first), integer(last)]),
                bulk("nodes"),
                array(nodes),
            ])
        };
        let shards = array(vec![
            shard(8192, 16383, vec![member("m2", 7002, "master")]),
            shard(
                0,
                8191,
                vec![member("r1", 7003, "replica"), member("m1", 7001, "master")],
            ),
        ]);
        let expected = "m1 0-8191 +1, m2 8192-16383 +0";
        for members in [
            nodes,
            from_slots(&slots).unwrap(),
            from_shards(&shards).unwrap(),
        ] {
            assert_eq!(shape(&members), expected);
            assert_eq!((members.served(), members.unrest), (16384, None));
        }
    }

    #[test]
    fn a_node_is_where_its_line_says() {
        let mut members = from_nodes(&bulk(NODES)).unwrap();
        let [one, two] = members.groups.as_slice() else {
            panic!("{members:?}");
        };
        assert_eq!((one.master.ip.as_str(), one.master.bus), ("", Some(9001)));
        assert_eq!(
            (two.master.ip.as_str(), two.master.port),
            ("10.0.0.2", 7002)
        );
        let host = array(vec![bulk("two.example"), integer(7002), bulk("m2")]);
        members.learn_hosts(&array(vec![array(vec![
            integer(8192),
            integer(16383),
            host,
        ])]));
        let hosts: Vec<_> = members
            .groups
            .iter()
            .map(|group| group.master.host.as_deref())
            .collect();
        assert_eq!(hosts, [None, Some("two.example")]);
    }

    #[test]
    fn where_clients_are_sent_is_told_by_slots_and_shards() {
        let mut members = from_nodes(&bulk(NODES)).unwrap();
        let hosts = |members: &Members| {
            let each = members.groups.iter().flat_map(|group| {
                let nodes = std::iter::once(&group.master).chain(&group.replicas);
                nodes.map(|node| node.host.clone().unwrap_or_else(|| "-".to_owned()))
            });
            each.collect::<Vec<_>>().join(" ")
        };
        // A null is where the client is already.
        let null = Frame::from_value(Value::NullBulkString);
        let node = |host, id: &str| array(vec![host, integer(7001), bulk(id)]);
        let slots = array(vec![array(vec![
            integer(0),
            integer(8191),
            node(null, "m1"),
            node(bulk("r1.example"), "r1"),
        ])]);
        members.learn_hosts(&slots);
        assert_eq!(hosts(&members), " r1.example -");
        assert!(members.lacks_hosts());
        let told = [bulk("id"), bulk("m2"), bulk("endpoint"), bulk("?")];
        let nodes = array(vec![array(told.to_vec())]);
        members.learn_endpoints(&array(vec![array(vec![bulk("nodes"), nodes])]));
        assert_eq!(hosts(&members), " r1.example ?");
        assert!(!members.lacks_hosts());
    }

    #[test]
    fn a_node_that_has_failed_is_not_named() {
        let failed = NODES.replace("slave", "slave,fail");
        let members = from_nodes(&bulk(failed)).unwrap();
        assert_eq!(shape(&members), "m1 0-8191 +0, m2 8192-16383 +0");
        assert_eq!(
            members.unrest.unwrap(),
            "the node 10.0.0.3:7003 is not a member yet, or is said to have failed"
        );
        let moving = NODES.replace("4097-8191", "4097-8191 [4096->-m2]");
        assert!(from_nodes(&bulk(moving)).unwrap().unrest.is_some());
    }

    #[test]
    fn other_answers_tell_nothing() {
        for other in [bulk("x"), integer(1), array(vec![integer(1)])] {
            assert_eq!(from_nodes(&other), None);
            assert_eq!(from_slots(&other), None);
            assert_eq!(from_shards(&other), None);
        }
    }
}
