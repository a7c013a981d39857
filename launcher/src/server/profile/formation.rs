//! How nodes of a server become a cluster: orders to each of them, or a program. Pure.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::sign::Sign;
use super::template::{Place, Template};

/// How nodes become a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Formation {
    /// Whether the ids of nodes are made by shardlab, 40 hex digits each; otherwise they are asked for by
    /// CLUSTER MYID.
    #[serde(default)]
    pub(crate) made_ids: bool,
    /// Orders, one after the other: each goes to all nodes that it is for before the next one does.
    #[serde(default)]
    pub(crate) orders: Vec<Order>,
    /// A line for each node, of which `{nodes}` consists; without, it is a JSON array of objects.
    node_line: Option<Template>,
    /// A program that is run, after the orders, with its arguments.
    #[serde(default)]
    program: Vec<Template>,
}

/// A command to nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Order {
    /// The words of the command. `{slots}` and `{ranges}` alone make a word of each slot, and of each
    /// bound.
    pub(crate) say: Vec<Template>,
    /// Who gets it.
    #[serde(default)]
    to: To,
    /// Whether it is given once for each of some others.
    of_each: Option<OfEach>,
    /// What the node says once it has obeyed; the next command is given then.
    until: Option<Until>,
}

/// For which others an order is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum OfEach {
    /// All others.
    Other,
    /// Those that come later in the order of nodes: each pair once.
    Later,
}

/// What a node says once it has obeyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Until {
    /// What it is asked.
    ask: Vec<Template>,
    /// What is in its answer then.
    has: Template,
}

/// A command for one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    /// The node's index.
    pub(crate) node: usize,
    /// What it is told.
    pub(crate) words: Vec<String>,
    /// What it says once it has obeyed.
    pub(crate) until: Option<Sign>,
}

/// Who gets an order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum To {
    #[default]
    All,
    Masters,
    Replicas,
    First,
}

/// A node that is to become part of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewNode {
    /// Its name.
    pub(crate) name: String,
    /// Its id.
    pub(crate) id: String,
    /// Where it listens.
    pub(crate) host: String,
    /// For clients.
    pub(crate) port: u16,
    /// For other nodes.
    pub(crate) bus: Option<u16>,
    /// The index of the node that it is to copy.
    pub(crate) master: Option<usize>,
    /// The first and the last of each range of slots that it is to serve.
    pub(crate) slots: Vec<(u16, u16)>,
}

impl Formation {
    /// Looks for what cannot be, and for places that stand for nothing where they are.
    pub(super) fn check(&self) -> Result<(), String> {
        let asks = |order: &Order| {
            order
                .until
                .as_ref()
                .is_none_or(|until| !until.ask.is_empty())
        };
        if self
            .orders
            .iter()
            .any(|order| order.say.is_empty() || !asks(order))
        {
            return Err("`say` and `ask` of an order are commands of at least one word".to_owned());
        }
        let nodes = examples();
        for order in &self.orders {
            let filled = self.commands(order, &nodes);
            filled.map_err(|problem| format!("`cluster.orders`: {problem}"))?;
        }
        let filled = self.program(&nodes);
        filled.map_err(|problem| format!("`cluster.program`: {problem}"))?;
        Ok(())
    }

    /// Has the program looked for in this folder, if it is named by a relative path.
    pub(super) fn found_from(&mut self, folder: &str) {
        if let Some(program) = self.program.first_mut() {
            program.found_from(folder);
        }
    }

    /// Whether somebody is told which node is whose master.
    pub(super) fn names_masters(&self) -> bool {
        self.tells(&["role", "master", "master-id", "master-host", "master-port"])
            || self.orders.iter().any(|order| order.to == To::Replicas)
    }

    /// Whether somebody is told the id of a node.
    pub(crate) fn tells_ids(&self) -> bool {
        self.tells(&["id", "master-id", "other-id"])
    }

    /// Whether one of these places is in an order, or in what `{nodes}` stands for.
    fn tells(&self, places: &[&str]) -> bool {
        let orders = self.orders.iter().flat_map(|order| {
            let until = order.until.iter();
            let until = until.flat_map(|until| until.ask.iter().chain([&until.has]));
            order.say.iter().chain(until)
        });
        let words: Vec<_> = orders.chain(&self.program).collect();
        let has = |word: &Template| places.iter().any(|place| word.has(place));
        let nodes = words.iter().any(|word| word.has("nodes"));
        words.iter().any(|word| has(word)) || nodes && self.node_line.as_ref().is_none_or(has)
    }

    /// The commands of an order, in their order.
    pub(crate) fn commands(
        &self,
        order: &Order,
        members: &[NewNode],
    ) -> Result<Vec<Command>, String> {
        let mut commands = Vec::new();
        for (node, member) in members.iter().enumerate() {
            let is_for = match order.to {
                To::All => true,
                To::Masters => member.master.is_none(),
                To::Replicas => member.master.is_some(),
                To::First => node == 0,
            };
            // A master without slots has nothing to be given.
            let has_slots = !member.slots.is_empty() || !order.takes_slots();
            if !is_for || !has_slots {
                continue;
            }
            let others = members.iter().enumerate();
            let others: Vec<_> = match order.of_each {
                None => vec![None],
                Some(OfEach::Other) => others
                    .filter(|(other, _)| *other != node)
                    .map(|(_, other)| Some(other))
                    .collect(),
                Some(OfEach::Later) => others
                    .skip(node + 1)
                    .map(|(_, other)| Some(other))
                    .collect(),
            };
            for other in others {
                let words = |words| self.words(words, members, member, other);
                let until = order.until.as_ref().map(|until| {
                    let has =
                        self.words(std::slice::from_ref(&until.has), members, member, other)?;
                    Ok::<_, String>(Sign {
                        ask: words(&until.ask)?,
                        has: has.concat(),
                    })
                });
                commands.push(Command {
                    node,
                    words: words(&order.say)?,
                    until: until.transpose()?,
                });
            }
        }
        Ok(commands)
    }

    /// The program and its arguments.
    pub(crate) fn program(&self, members: &[NewNode]) -> Result<Vec<String>, String> {
        let nodes = self.nodes(members)?;
        let words = self
            .program
            .iter()
            .map(|word| word.fill(|name| (name == "nodes").then(|| Place::Text(nodes.clone()))));
        words.collect()
    }

    fn words(
        &self,
        say: &[Template],
        members: &[NewNode],
        member: &NewNode,
        other: Option<&NewNode>,
    ) -> Result<Vec<String>, String> {
        let nodes = self.nodes(members)?;
        let mut words = Vec::new();
        for word in say {
            match word.only() {
                Some("slots") => words.extend(
                    member
                        .slots
                        .iter()
                        .flat_map(|(first, last)| *first..=*last)
                        .map(|slot| slot.to_string()),
                ),
                Some("ranges") => words.extend(
                    member
                        .slots
                        .iter()
                        .flat_map(|(first, last)| [*first, *last])
                        .map(|slot| slot.to_string()),
                ),
                _ => words.push(word.fill(|name| match name {
                    "nodes" => Some(Place::Text(nodes.clone())),
                    _ => place(name, members, member, other),
                })?),
            }
        }
        Ok(words)
    }

    fn nodes(&self, members: &[NewNode]) -> Result<String, String> {
        let Some(line) = &self.node_line else {
            let nodes: Vec<_> = members
                .iter()
                .map(|member| as_json(members, member))
                .collect();
            return Ok(json!(nodes).to_string());
        };
        let lines = members
            .iter()
            .map(|member| line.fill(|name| place(name, members, member, None)));
        // A master without slots has none at the end of its line.
        let lines: Result<Vec<_>, String> = lines.collect();
        Ok(lines?
            .iter()
            .map(|line| line.trim_end())
            .collect::<Vec<_>>()
            .join("\n"))
    }
}

impl Order {
    fn takes_slots(&self) -> bool {
        let mut places = self.say.iter().filter_map(Template::only);
        places.any(|place| matches!(place, "slots" | "ranges"))
    }
}

/// Two masters and a replica: every order is for one of them, and has another one.
fn examples() -> [NewNode; 3] {
    [None, None, Some(0)].map(|master| NewNode {
        name: String::new(),
        id: String::new(),
        host: String::new(),
        port: 0,
        bus: Some(0),
        master,
        slots: vec![(0, 0)],
    })
}

fn place(
    name: &str,
    members: &[NewNode],
    member: &NewNode,
    other: Option<&NewNode>,
) -> Option<Place> {
    let master = member.master.and_then(|master| members.get(master));
    let text = |text: &str| Some(Place::Text(text.to_owned()));
    let number = |number: u16| Some(Place::Number(number.into()));
    match name {
        "name" => text(&member.name),
        "number" => {
            let index = members.iter().position(|other| other == member)?;
            number(u16::try_from(index + 1).ok()?)
        }
        "id" => text(&member.id),
        "host" => text(&member.host),
        "port" => number(member.port),
        "bus" => number(member.bus?),
        "role" => text(role(member)),
        "master-host" => text(master.map_or("-", |master| &master.host)),
        "master-port" => number(master?.port),
        "master" => text(master.map_or("-", |master| &master.name)),
        "master-id" => text(master.map_or("-", |master| &master.id)),
        "slots" => text(&ranges(member)),
        "other-id" => text(&other?.id),
        "other-host" => text(&other?.host),
        "other-port" => number(other?.port),
        "other-bus" => number(other?.bus?),
        _ => None,
    }
}

fn role(member: &NewNode) -> &'static str {
    if member.master.is_some() {
        "slave"
    } else {
        "master"
    }
}

/// `0-5460 6000`, as in CLUSTER NODES.
fn ranges(member: &NewNode) -> String {
    let range = |(first, last): &(u16, u16)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        }
    };
    member.slots.iter().map(range).collect::<Vec<_>>().join(" ")
}

fn as_json(members: &[NewNode], member: &NewNode) -> serde_json::Value {
    let master = member.master.and_then(|master| members.get(master));
    json!({
        "name": member.name,
        "id": member.id,
        "host": member.host,
        "port": member.port,
        "bus": member.bus,
        "master": master.map(|master| &master.name),
        "slots": member.slots,
    })
}
