//! A cluster as it is to be: which nodes know each other, who owns which slot, who replicates whom, and
//! what their settings are. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use shardlab::wire::slots::{Slot, SlotRanges};
use shardlab::wire::view::{ClusterState, Direction, Link, NodeId, NodeLine};

use crate::transcript::ast::NodeName;

use super::view::{Settings, View, Views};

/// More slots than this are not looked at in one round.
const MOST_SLOTS: usize = 256;

/// The longest time for which nodes are believed to refuse one that was forgotten.
const MOST_FORGETTING: Duration = Duration::from_secs(600);

/// Where nodes are, as they know each other.
pub(super) type Places = BTreeMap<NodeName, Place>;

/// A node that others are told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) id: NodeId,
    pub(super) ip: String,
    pub(super) port: u16,
    pub(super) bus: Option<u16>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.ip, self.port)
    }
}

/// A cluster as it is to be.
#[derive(Debug, Clone)]
pub(crate) struct Picture {
    nodes: BTreeMap<NodeName, Portrait>,
}

#[derive(Debug, Clone)]
struct Portrait {
    place: Place,
    role: Role,
    settings: Option<Settings>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Role {
    Master(SlotRanges),
    Replica(NodeId),
}

/// Something that is not as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// In words.
    pub(super) differs: String,
    /// What helps.
    pub(super) mend: Mend,
    /// What is to be right before: faults of a lower stage are mended first.
    stage: u8,
}

/// What puts something back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mend {
    /// Nodes that tell each other.
    Wait,
    /// The node's process has to run.
    Wake(NodeName),
    /// A command for one node.
    Tell(NodeName, Vec<String>),
    /// A slot goes back to its owner.
    Return(Return),
}

/// A slot that goes back to its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Return {
    pub(super) slot: Slot,
    /// Whose it is.
    pub(super) home: NodeName,
    /// Whether that one says so, too.
    pub(super) is_home: bool,
    /// Who else says that it is his, or takes it over.
    pub(super) from: Vec<NodeName>,
    /// Masters that take somebody else for the owner.
    pub(super) misled: Vec<NodeName>,
}

impl Picture {
    /// The cluster as it is.
    ///
    /// # Errors
    /// It is not at rest, or a node does not say enough.
    pub(super) fn of(views: &Views, places: &Places) -> Result<Self, String> {
        let mut nodes = BTreeMap::new();
        for (name, place) in places {
            let view = match views.get(name) {
                Some(Ok(view)) => view,
                Some(Err(reason)) => return Err(format!("{place}: {reason}")),
                None => return Err(format!("{place} was not asked")),
            };
            let own = view.own().filter(|own| own.id == place.id);
            let own = own.ok_or_else(|| format!("{place} does not say which node it is"))?;
            let role = match &own.master {
                Some(master) => Role::Replica(master.clone()),
                None => Role::Master(own.slots.clone()),
            };
            let portrait = Portrait {
                place: place.clone(),
                role,
                settings: view.settings.clone(),
            };
            nodes.insert(*name, portrait);
        }
        let picture = Self { nodes };
        match picture.faults(views).into_iter().next() {
            None => Ok(picture),
            Some(fault) => Err(fault.differs),
        }
    }

    /// The value that a setting has on all nodes, if it has the same on all, and they tell.
    pub(crate) fn setting(&self, name: &str) -> Option<&str> {
        let mut values = self.nodes.values().map(|node| {
            let settings = node.settings.as_ref();
            settings.and_then(|settings| settings.get(name))
        });
        let first = values.next()??;
        values
            .all(|value| value == Some(first))
            .then_some(first.as_str())
    }

    /// The masters that own slots.
    pub(super) fn masters(&self) -> impl Iterator<Item = NodeName> {
        let owns = |node: &Portrait| matches!(&node.role, Role::Master(slots) if !slots.is_empty());
        let masters = self.nodes.iter().filter(move |(_, node)| owns(node));
        masters.map(|(name, _)| *name)
    }

    pub(super) fn place(&self, name: NodeName) -> Option<&Place> {
        self.nodes.get(&name).map(|node| &node.place)
    }

    /// Where each node is.
    pub(super) fn places(&self) -> Places {
        let places = self.nodes.iter();
        places
            .map(|(name, node)| (*name, node.place.clone()))
            .collect()
    }

    /// For how long nodes refuse to hear of one that was forgotten, and tell others to forget it, too: a setting
    /// of Valkey, and `CLUSTER_BLACKLIST_TTL` of Redis.
    pub(super) fn forgetting(&self) -> Duration {
        let seconds = self.setting("cluster-blacklist-ttl");
        let seconds = seconds.and_then(|seconds| seconds.parse().ok());
        Duration::from_secs(seconds.unwrap_or(60)).min(MOST_FORGETTING)
    }

    /// What differs, in the order in which it can be put back.
    pub(super) fn faults(&self, views: &Views) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (name, node) in &self.nodes {
            match views.get(name) {
                Some(Ok(view)) => self.faults_of(*name, node, view, views, &mut faults),
                Some(Err(reason)) => faults.push(Fault {
                    differs: format!("{} does not answer: {reason}", node.place),
                    mend: Mend::Wake(*name),
                    stage: 0,
                }),
                None => {}
            }
        }
        faults.extend(self.slots(views));
        faults.sort_by_key(|fault| fault.stage);
        faults
    }

    /// The faults that are to be mended before the others.
    pub(super) fn first(faults: &[Fault]) -> impl Iterator<Item = &Fault> {
        let stage = faults.iter().map(|fault| fault.stage).min();
        faults
            .iter()
            .filter(move |fault| Some(fault.stage) == stage)
    }

    fn faults_of(
        &self,
        name: NodeName,
        node: &Portrait,
        view: &View,
        views: &Views,
        faults: &mut Vec<Fault>,
    ) {
        let place = &node.place;
        let mut add = |stage, differs, mend| {
            faults.push(Fault {
                differs,
                mend,
                stage,
            });
        };
        for other in self.nodes.values() {
            let there = &other.place;
            match view.of_node(&there.id) {
                Some(line) if line.is_met() => {
                    if !line.is_myself() && !line.is_present() {
                        let differs = format!("{place} has no connection to {there}");
                        add(2, differs, Mend::Wait);
                    }
                    let is_so = match &other.role {
                        Role::Master(_) => line.is_master(),
                        Role::Replica(master) => line.replicates(master),
                    };
                    if !is_so {
                        let differs = format!("{place} does not know the role of {there} yet");
                        add(5, differs, Mend::Wait);
                    }
                }
                _ => {
                    let mut words = vec!["CLUSTER".to_owned(), "MEET".to_owned()];
                    words.extend([there.ip.clone(), there.port.to_string()]);
                    words.extend(there.bus.map(|bus| bus.to_string()));
                    let differs = format!("{place} does not know {there}");
                    add(1, differs, Mend::Tell(name, words));
                }
            }
        }
        let known = |line: &&NodeLine| self.nodes.values().any(|node| node.place.id == line.id);
        for line in view.lines.iter().filter(|line| !known(line)) {
            let address = line.address.client();
            let differs = format!("{place} knows another node, {} at {address}", line.id);
            add(1, differs, Mend::Wait);
        }
        if let Some(own) = view.own()
            && let Some((differs, mend)) = self.role(name, node, own, views)
        {
            add(3, differs, mend);
        }
        if view.state != Some(ClusterState::Ok) {
            add(
                5,
                format!("{place} says that the cluster is down"),
                Mend::Wait,
            );
        }
        match &node.role {
            Role::Replica(_) if view.link != Some(Link::Up) => {
                add(5, format!("{place} has lost its master"), Mend::Wait);
            }
            Role::Master(_) if view.online < self.replicas(&place.id) => {
                add(5, format!("a replica of {place} is missing"), Mend::Wait);
            }
            _ => {}
        }
        match (&node.settings, &view.settings) {
            (Some(wanted), Some(settings)) => {
                for (setting, value) in wanted {
                    if settings.get(setting) != Some(value) {
                        let words = ["CONFIG", "SET", setting, value].map(str::to_owned);
                        let differs =
                            format!("the setting `{setting}` of {place} has another value");
                        add(6, differs, Mend::Tell(name, words.to_vec()));
                    }
                }
            }
            (Some(_), None) => {
                let differs = format!("{place} does not tell its settings");
                add(6, differs, Mend::Wait);
            }
            (None, _) => {}
        }
    }

    fn replicas(&self, master: &NodeId) -> usize {
        let roles = self.nodes.values().map(|node| &node.role);
        roles
            .filter(|role| matches!(role, Role::Replica(id) if id == master))
            .count()
    }

    /// What is wrong with the role of a node.
    fn role(
        &self,
        name: NodeName,
        node: &Portrait,
        own: &NodeLine,
        views: &Views,
    ) -> Option<(String, Mend)> {
        let place = &node.place;
        let cluster = |words: &[&str]| {
            let words = ["CLUSTER"].iter().chain(words);
            Mend::Tell(name, words.map(|word| (*word).to_owned()).collect())
        };
        let Role::Replica(wanted) = &node.role else {
            own.master.as_ref()?;
            let differs = format!("{place} is a replica, and was a master");
            return Some((differs, cluster(&["FAILOVER"])));
        };
        if own.master.as_ref() == Some(wanted) {
            return None;
        }
        let master = self.nodes.iter().find(|(_, node)| node.place.id == *wanted);
        let (master, there) = master.map(|(name, node)| (*name, &node.place))?;
        let view = views.get(&master).and_then(|view| view.as_ref().ok());
        let is_master = view.and_then(View::own).is_some_and(NodeLine::is_master);
        // What it owns goes away first.
        if is_master && !own.slots.is_empty() {
            return None;
        }
        let mend = if is_master {
            cluster(&["REPLICATE", wanted])
        } else {
            Mend::Wait
        };
        Some((format!("{place} does not replicate {there}"), mend))
    }

    /// Slots that are open, or not where they belong.
    fn slots(&self, views: &Views) -> Vec<Fault> {
        let seen = || {
            let nodes = self.nodes.iter();
            nodes.filter_map(|(name, node)| {
                let view = views.get(name)?.as_ref().ok()?;
                Some((*name, node, view, view.own()?))
            })
        };
        let mut slots = BTreeSet::new();
        for (_, _, view, own) in seen() {
            slots.extend(own.open.iter().map(|mark| mark.slot));
            for (_, other, ..) in seen() {
                let line = view.of_node(&other.place.id);
                let told = line.map(|line| &line.slots);
                let none = SlotRanges::default();
                let (wanted, told) = (other.role.slots(&none), told.unwrap_or(&none));
                if wanted != told {
                    slots.extend(wanted.slots().filter(|slot| !told.contains(*slot)));
                    slots.extend(told.slots().filter(|slot| !wanted.contains(*slot)));
                }
            }
        }
        let faults = slots.into_iter().take(MOST_SLOTS).filter_map(|slot| {
            let none = SlotRanges::default();
            let home = self.nodes.iter();
            let mut home = home.filter(|(_, node)| node.role.slots(&none).contains(slot));
            let (home, owner) = home.next()?;
            let takes = |own: &NodeLine| {
                let mut marks = own.open.iter();
                marks.any(|mark| mark.slot == slot && mark.direction == Direction::Importing)
            };
            let from = seen().filter(|(name, _, _, own)| {
                name != home && own.is_master() && (own.owns(slot) || takes(own))
            });
            let misled = seen().filter(|(name, _, view, own)| {
                let line = view.of_node(&owner.place.id);
                name != home && own.is_master() && !line.is_some_and(|line| line.owns(slot))
            });
            Some(Fault {
                differs: format!("slot {slot} does not belong to {} alone", owner.place),
                mend: Mend::Return(Return {
                    slot,
                    home: *home,
                    is_home: seen().any(|(name, _, _, own)| name == *home && own.owns(slot)),
                    from: from.map(|(name, ..)| name).collect(),
                    misled: misled.map(|(name, ..)| name).collect(),
                }),
                stage: 4,
            })
        });
        faults.collect()
    }

    /// What a user can do about a fault.
    pub(super) fn by_hand(&self, fault: &Fault) -> Option<String> {
        let place = |name: &NodeName| self.nodes.get(name).map(|node| &node.place);
        match &fault.mend {
            Mend::Wait => None,
            Mend::Wake(node) => Some(format!("start {}", place(node)?)),
            Mend::Tell(node, words) => {
                // A value may be a password.
                let words = match words.as_slice() {
                    [config, set, setting, _] if config == "CONFIG" => {
                        format!("{config} {set} {setting} …")
                    }
                    words => words.join(" "),
                };
                Some(format!("send `{words}` to {}", place(node)?))
            }
            Mend::Return(Return { slot, home, .. }) => {
                let home = place(home)?;
                Some(format!(
                    "bring the keys of slot {slot} to {home} with MIGRATE, then send `CLUSTER SETSLOT {slot} STABLE` and \
                     `CLUSTER SETSLOT {slot} NODE {}` to each master",
                    home.id
                ))
            }
        }
    }
}

impl Fault {
    /// Whether a node was forgotten.
    pub(super) fn is_of_membership(&self) -> bool {
        self.stage == 1
    }
}

impl Role {
    fn slots<'a>(&'a self, none: &'a SlotRanges) -> &'a SlotRanges {
        match self {
            Self::Master(slots) => slots,
            Self::Replica(_) => none,
        }
    }
}
