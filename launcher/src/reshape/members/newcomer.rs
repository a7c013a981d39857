//! What is written down of nodes that come: names, ports, folders, whom they are to copy.

use super::existing::Existing;
use super::goal::NewNode;
use crate::cluster::Cluster;
use crate::error::Error;
use crate::machine::message::text;
use crate::machine::parameter::Parameter;
use crate::node::Node;
use crate::plan::{NodePlan, Plan, PlanError, PortChoice, Ports, Role, checked};
use crate::state::ports;
use crate::state::{NodeRecord, Stage};
use crate::wire::slots::SlotRanges;

impl Cluster {
    /// Records of nodes of ours to be started, with ports that are free now.
    ///
    /// # Errors
    /// The ports cannot be had, or the cluster's profile wants more of them for each node than one.
    pub(super) fn started(
        &self,
        new: &[NewNode],
        port: Option<u16>,
    ) -> Result<Vec<NodeRecord>, Error> {
        let profile = self.record().profile.as_ref();
        let in_a_row = profile.map_or(1, |profile| profile.ports_in_a_row());
        if in_a_row > 1 && !new.is_empty() {
            return Err(Error::Unsupported(text![
                format!(
                    "each node takes {in_a_row} ports in a row, says the profile, and no node can be added \
                     to such a cluster; start it with as many as you need: "
                ),
                Parameter::Masters,
                " and ",
                Parameter::Replicas
            ]));
        }
        let options = &self.record().options;
        let (server, home) = (&self.record().server, self.home());
        let ours = || self.nodes().iter().filter(|node| node.is_ours());
        let last = Ports {
            client: ours().map(|node| node.plan().port).max().unwrap_or(0),
            bus: ours().filter_map(Node::bus_port).max(),
        };
        let further = |clients: &[u16]| ports::further(clients, last, options, server, home);
        let ports = match (port, &options.ports) {
            (Some(port), _) => further(&[port])?,
            (None, PortChoice::Auto) => {
                further(&ports::choose(new.len(), 1, &options.bind, home)?)?
            }
            (None, _) => ports::following(last, new.len(), options, server, home)?,
        };
        let mut records = Vec::with_capacity(new.len());
        for (new, ports) in new.iter().zip(ports) {
            let (port, bus) = checked(&new.name, options.topology, ports)?;
            let plan = Self::planned(new, port, bus);
            self.refuse_double_port(&plan)?;
            let dir = self.record().dir.join(port.to_string());
            records.push(joining(NodeRecord::new(plan, dir), new));
        }
        let plan = Plan {
            nodes: records.iter().map(|record| record.plan.clone()).collect(),
        };
        ports::check(&plan, &options.bind, self.home())?;
        Ok(records)
    }

    /// The record of a server that runs already.
    pub(super) fn taken_in(&self, new: &NewNode, existing: &Existing) -> NodeRecord {
        let plan = Self::planned(new, existing.address.port(), Some(existing.bus_port));
        // Nothing is ever there.
        let dir = self.record().dir.join(existing.address.port().to_string());
        let record = NodeRecord {
            foreign: Some(existing.address),
            ..NodeRecord::new(plan, dir)
        };
        joining(record, new)
    }

    fn planned(new: &NewNode, port: u16, bus_port: Option<u16>) -> NodePlan {
        NodePlan {
            name: new.name.clone(),
            role: if new.replica_of.is_some() {
                Role::Replica
            } else {
                Role::Master
            },
            shard: new.shard,
            port,
            bus_port,
            in_a_row: 1,
            slots: SlotRanges::default(),
        }
    }

    /// A node that is down does not hold its ports, and wants them back.
    fn refuse_double_port(&self, plan: &NodePlan) -> Result<(), PlanError> {
        for node in self.nodes() {
            let taken = [Some(node.plan().port), node.bus_port()];
            let wanted = [Some(plan.port), plan.bus_port].into_iter().flatten();
            if let Some(port) = wanted.into_iter().find(|port| taken.contains(&Some(*port))) {
                return Err(PlanError::PortTwice {
                    port,
                    first: format!("port of `{}`", node.name()),
                    second: format!("port of `{}`", plan.name),
                });
            }
        }
        Ok(())
    }
}

fn joining(record: NodeRecord, new: &NewNode) -> NodeRecord {
    NodeRecord {
        stage: Stage::Joining {
            replica_of: new.replica_of.clone(),
        },
        ..record
    }
}
