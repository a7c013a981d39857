//! What people read of a cluster: the headline, a line for each node, who lags behind, what to do next.

use shardlab::Rung;
use shardlab::ladder::{Standing, groups};
use shardlab::plan::{Role, Topology};
use shardlab::state::Stage;

use crate::commands::lab::name_option;

use super::{ClusterReport, State, columns};

impl ClusterReport {
    /// What runs, how far it is, and on what.
    pub(in crate::commands) fn headline(&self) -> String {
        let ready = match (self.rung, self.state) {
            (Some(Rung::Ready), _) => ", ready".to_owned(),
            (Some(rung), _) => format!(", not ready ({rung})"),
            (None, State::Running | State::Degraded) => ", not ready".to_owned(),
            (None, _) => String::new(),
        };
        let what = match self.topology {
            Topology::Cluster => String::new(),
            other => format!("{other}, "),
        };
        format!(
            "cluster `{}`: {what}{}{ready}, {} {}",
            self.cluster, self.state, self.server.product, self.server.version
        )
    }

    /// The lines that people read: what runs, how to connect, and for each node where it stands.
    pub(in crate::commands) fn text(&self) -> String {
        let mut text = self.headline();
        text.push('\n');
        let figures = self.nodes.iter().any(|node| node.figures.is_some());
        let columns = if figures {
            columns::FIGURES
        } else {
            columns::PLACES
        };
        text.push_str(&columns::tell(&self.nodes, columns, self.topology));
        if self.is_unformed() {
            text.push_str("the nodes are bare: they do not know each other yet\n");
        }
        for line in self.laggards() {
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    /// The lines below [`ClusterReport::headline`] of one who looks on, at most so wide.
    pub(in crate::commands) fn live(&self, width: usize) -> Vec<String> {
        let mut lines = columns::fitted(&self.nodes, self.topology, width);
        lines.extend(self.laggards());
        lines
    }

    /// Why nodes are not on the rung that they are to be on; that those do not answer which do not
    /// run says the table.
    fn laggards(&self) -> Vec<String> {
        let option = name_option(&self.cluster);
        let passing = self.nodes.iter().filter_map(|node| {
            let name = &node.node;
            match &node.stage {
                Stage::Member => None,
                Stage::Joining { .. } => Some(format!(
                    "{name} has not joined yet: `shardlab add-node{option}` finishes that, `shardlab del-node{option} {name}` removes it"
                )),
                Stage::Leaving => Some(format!(
                    "{name} is being deleted: `shardlab del-node{option} {name}` finishes that"
                )),
            }
        });
        let running = self
            .nodes
            .iter()
            .filter(|node| node.pid.is_some() || !node.ours);
        let late = running.filter(|node| !self.bare || node.rung.is_none());
        let late = late.filter(|node| node.message.is_some());
        let late: Vec<_> = late
            .map(|node| Standing {
                node: node.node.clone(),
                rung: node.rung,
                why: node.message.clone(),
            })
            .collect();
        let strangers = self.strangers.iter().map(|stranger| {
            let address = &stranger.address;
            if stranger.connected {
                format!(
                    "{address} was added by other means: `shardlab add-node{option} --existing {address}` adds it here, too"
                )
            } else {
                format!(
                    "{address} was added by other means and is gone: `shardlab fix{option}` makes the nodes forget it"
                )
            }
        });
        let late = groups(&late);
        let late = late.iter().map(ToString::to_string);
        passing.chain(strangers).chain(late).collect()
    }

    /// Whether the nodes are as `--boot none` or `wipe` has left them.
    fn is_unformed(&self) -> bool {
        let is_down = self.rung.is_some_and(|rung| rung < Rung::Ok);
        self.bare && is_down && self.nodes.iter().all(|node| node.slots.is_empty())
    }

    /// What to do next, below [`ClusterReport::text`].
    pub(in crate::commands) fn next_steps(&self, option: &str) -> String {
        let addresses = |role: Option<Role>| {
            let nodes = self.nodes.iter();
            let chosen = nodes.filter(|node| role.is_none_or(|role| node.role == role));
            let addresses: Vec<_> = chosen.map(|node| node.address.to_string()).collect();
            addresses.join(" ")
        };
        let connect = match self.topology {
            Topology::Cluster => format!("connect a client to any of  {}", addresses(None)),
            Topology::Standalone => format!("connect a client to  {}", addresses(None)),
            Topology::Replication => format!(
                "write to    {}\nread from   {}",
                addresses(Some(Role::Master)),
                addresses(Some(Role::Replica))
            ),
            Topology::Sentinel => format!(
                "connect a client through the sentinels  {}  to the master  {}",
                addresses(Some(Role::Sentinel)),
                self.master_name.as_deref().unwrap_or_default()
            ),
        };
        let next = match (self.is_unformed(), self.topology) {
            (false, _) => format!("try it      shardlab call{option} SET greeting hello\n"),
            (true, Topology::Cluster) if !self.has_replicas => {
                format!("form it     shardlab fix{option}\n")
            }
            (true, _) => String::new(),
        };
        format!(
            "\n{connect}\n{next}look        shardlab status{option}\nremove it   shardlab down{option}\n"
        )
    }
}
