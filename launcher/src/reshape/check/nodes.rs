//! What can be wrong with nodes, with what they know of each other, and with their links. Pure.

use std::collections::BTreeMap;

use super::finding::Finding;
use super::inspection::{Inspection, Journaled, ServerProcess};
use crate::wire::slots::SlotRanges;
use crate::wire::view::{ClusterState, Epoch, Link, NodeId, NodeLine};

/// The nodes that do not answer.
pub(super) fn silent(inspection: &Inspection) -> Vec<Finding> {
    let accounts = inspection.survey.accounts().iter();
    accounts
        .filter_map(|account| Some((account.node.as_str(), account.says.as_ref().err()?)))
        .map(|(node, why)| Finding::Silent {
            node: node.to_owned(),
            why: why.clone(),
            process: process_of(inspection, node),
            slots: slots_told_of(inspection, node),
        })
        .collect()
}

fn process_of(inspection: &Inspection, node: &str) -> ServerProcess {
    let seat = inspection.seats.iter().find(|seat| seat.node == node);
    seat.map_or(ServerProcess::Unknown, |seat| seat.process)
}

/// The slots that the others give to a node that is silent.
fn slots_told_of(inspection: &Inspection, node: &str) -> SlotRanges {
    inspection
        .survey
        .lines()
        .filter(|line| inspection.name_of(line) == Some(node))
        .flat_map(|line| line.slots.ranges().iter().copied())
        .collect()
}

/// Everything but silence.
pub(super) fn findings(inspection: &Inspection) -> Vec<Finding> {
    let mut findings = shared_epochs(inspection);
    for (node, lines) in inspection.survey.told() {
        findings.extend(unacquainted(inspection, node, lines));
        let of_others = lines.iter().filter(|line| !line.is_myself());
        for finding in of_others.filter_map(|line| told(inspection, node, line)) {
            if !is_told_by_others(&finding, &mut findings) {
                findings.push(finding);
            }
        }
    }
    findings.extend(inspection.passing.iter().map(|passing| Finding::Passing {
        node: passing.node.clone(),
        leaves: passing.leaves,
        at_work: inspection.at_work,
    }));
    findings.extend(replicas(inspection));
    let idle = idle(inspection);
    let unprotected = unprotected(inspection).into_iter().filter(|finding| {
        let mut idle = idle.iter();
        !idle
            .any(|idle| matches!(idle, Finding::Idle { master, .. } if finding.nodes() == [master]))
    });
    findings.extend(unprotected);
    findings.extend(idle);
    findings.extend(not_ok(inspection));
    findings
}

fn shared_epochs(inspection: &Inspection) -> Vec<Finding> {
    let mut epochs: BTreeMap<Epoch, Vec<String>> = BTreeMap::new();
    for (node, line) in inspection.survey.masters() {
        epochs.entry(line.epoch).or_default().push(node.to_owned());
    }
    epochs
        .into_iter()
        .filter(|(_, nodes)| nodes.len() > 1)
        .map(|(epoch, nodes)| Finding::SharedEpoch { epoch, nodes })
        .collect()
}

/// The nodes of this cluster that are not in a node's list.
fn unacquainted(inspection: &Inspection, node: &str, lines: &[NodeLine]) -> Option<Finding> {
    let selves = inspection.survey.selves();
    let with: Vec<_> = selves
        .filter(|(_, own)| !lines.iter().any(|line| line.id == own.id))
        .map(|(with, _)| with.to_owned())
        .collect();
    let node = node.to_owned();
    (!with.is_empty()).then_some(Finding::Unacquainted { node, with })
}

/// Whether other nodes say the same of a stranger: then it is told once, with all of them.
fn is_told_by_others(finding: &Finding, findings: &mut [Finding]) -> bool {
    let Finding::Stranger {
        nodes,
        id,
        slots,
        alive,
        ..
    } = finding
    else {
        return false;
    };
    for other in findings {
        if let Finding::Stranger {
            nodes: all,
            id: other_id,
            slots: other_slots,
            alive: other_alive,
            ..
        } = other
            && (id, slots, alive) == (&*other_id, &*other_slots, &*other_alive)
        {
            all.extend_from_slice(nodes);
            return true;
        }
    }
    false
}

/// What is wrong with one node's line about another, the gravest only.
fn told(inspection: &Inspection, node: &str, line: &NodeLine) -> Option<Finding> {
    let node = node.to_owned();
    let Some(name) = inspection.name_of(line) else {
        return Some(Finding::Stranger {
            nodes: vec![node],
            id: line.id.clone(),
            address: line.address.clone(),
            slots: line.slots.clone(),
            alive: (line.connected || line.shakes_hands()) && !inspection.is_replaced(line),
        });
    };
    // That it is silent has been said, and explains what is wrong with the others' lines about it.
    let own = inspection.survey.node(name)?;
    let other = name.to_owned();
    if line.shakes_hands() || !line.connected {
        return Some(Finding::Unlinked { node, other });
    }
    if line.master != own.master {
        let named = |id: &Option<NodeId>| {
            let id = id.as_ref()?;
            Some(inspection.name_or_id(id).to_owned())
        };
        return Some(Finding::Miscast {
            node,
            of: other,
            says: named(&line.master),
            is: named(&own.master),
        });
    }
    line.is_suspected()
        .then_some(Finding::Suspected { node, other })
}

fn replicas(inspection: &Inspection) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (node, line) in inspection.survey.selves() {
        let Some(id) = &line.master else { continue };
        let master = inspection.name_or_id(id);
        let is_master = inspection.survey.master(master).is_some();
        let is_silent = inspection
            .seats
            .iter()
            .any(|seat| seat.node == master && inspection.is_silent(master));
        let link = inspection.details.get(node);
        let link = link.and_then(|detail| detail.link);
        if !is_master && !is_silent {
            findings.push(Finding::Masterless {
                node: node.to_owned(),
                master: master.to_owned(),
            });
        } else if let Some(status) = link.filter(|link| *link != Link::Up && !is_silent) {
            findings.push(Finding::NotReplicating {
                node: node.to_owned(),
                status,
            });
        }
    }
    findings
}

/// Masters with slots whose shard was to have replicas, all of which answer but copy others. A
/// silent node of the shard has been told of.
fn unprotected(inspection: &Inspection) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (node, line) in inspection.survey.masters() {
        let Some(seat) = inspection.seats.iter().find(|seat| seat.node == node) else {
            continue;
        };
        let others = inspection
            .seats
            .iter()
            .filter(|other| other.shard == seat.shard && other.node != node);
        let planned = others.clone().count();
        let silent = others
            .clone()
            .any(|other| inspection.is_silent(&other.node));
        let protected = inspection.survey.replicas_of(&line.id).next().is_some();
        if planned > 0 && !protected && !silent && !line.slots.is_empty() {
            findings.push(Finding::Unprotected {
                node: node.to_owned(),
                planned,
            });
        }
    }
    findings
}

/// Masters without slots, replicas and keys, whose shard has another master with slots: such as a node that
/// has come back without its nodes.conf. What is about to get slots is none.
fn idle(inspection: &Inspection) -> Vec<Finding> {
    if inspection.unfinished != Journaled::Nothing {
        return Vec::new();
    }
    let survey = &inspection.survey;
    let shard = |node: &str| {
        let seat = inspection.seats.iter().find(|seat| seat.node == node)?;
        Some(seat.shard)
    };
    let is_idle = |node: &str, line: &NodeLine| {
        let detail = inspection.details.get(node);
        let holds_none =
            detail.is_some_and(|detail| detail.keys.is_empty() && detail.migrations.is_empty());
        line.slots.is_empty()
            && line.open.is_empty()
            && holds_none
            && survey.replicas_of(&line.id).next().is_none()
    };
    let mut findings = Vec::new();
    for (node, _) in survey.masters().filter(|(node, line)| is_idle(node, line)) {
        let mut beside = survey.masters().filter(|(other, line)| {
            *other != node && !line.slots.is_empty() && shard(other) == shard(node)
        });
        if let (Some((master, _)), None) = (beside.next(), beside.next()) {
            findings.push(Finding::Idle {
                node: node.to_owned(),
                master: master.to_owned(),
            });
        }
    }
    findings
}

fn not_ok(inspection: &Inspection) -> Vec<Finding> {
    let mut states: BTreeMap<ClusterState, Vec<String>> = BTreeMap::new();
    for (node, detail) in &inspection.details {
        if let Some(state) = detail.state.filter(|state| *state != ClusterState::Ok) {
            states.entry(state).or_default().push(node.clone());
        }
    }
    states
        .into_iter()
        .map(|(state, nodes)| Finding::NotOk { nodes, state })
        .collect()
}
