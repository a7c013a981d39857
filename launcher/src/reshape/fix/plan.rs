//! Which repairs a cluster needs. Pure.

use std::collections::BTreeMap;

use super::repair::Repair;
use super::reported::knows;
use super::verdict::{Case, Ruling, Verdict, rule};
use crate::probe::survey::{Direction, OpenSlot};
use crate::reshape::check::{Difference, Finding, Inspection, Journaled, Remedy, check};
use crate::reshape::plan::deal;
use crate::wire::slots::{Slot, SlotRange, SlotRanges};
use crate::wire::view::{NodeId, NodeLine};

/// What mends a cluster, in the order in which it is done; nothing if all is well, or if only the
/// user can help.
///
/// Slots of a node that does not answer stay its own, and so do moves to and from it.
pub fn repairs(inspection: &Inspection) -> Vec<Repair> {
    let mut repairs = Vec::new();
    for finding in check(inspection) {
        match finding {
            Finding::Unlike(difference) => repairs.extend(to_load(&difference)),
            Finding::Stranger {
                ref nodes,
                ref id,
                ref address,
                ..
            } if finding.remedy() == Remedy::Fix => {
                repairs.extend(nodes.iter().map(|node| Repair::Forget {
                    node: node.clone(),
                    id: id.clone(),
                    address: address.clone(),
                }));
            }
            Finding::Unacquainted { node, with } => {
                repairs.extend(with.into_iter().map(|with| Repair::Meet {
                    node: node.clone(),
                    with,
                }));
            }
            finding => repairs.extend(of_finding(inspection, finding)),
        }
    }
    repairs.extend(of_slots(inspection));
    let orphans = orphans(inspection);
    repairs.extend(orphans.iter().map(|orphan| Repair::Promote {
        node: orphan.node.to_owned(),
        slots: orphan.slots.clone(),
    }));
    repairs.sort();
    repairs.dedup();
    repairs
}

/// A library of which there is one version goes to all masters.
fn to_load(difference: &Difference) -> Vec<Repair> {
    let Some((from, lacking)) = difference.to_load() else {
        return Vec::new();
    };
    let load = |node: &String| Repair::Load {
        node: node.clone(),
        library: difference.name.clone(),
        from: from.to_owned(),
    };
    lacking.iter().map(load).collect()
}

/// What mends a finding that is not about whose slots are.
fn of_finding(inspection: &Inspection, finding: Finding) -> Option<Repair> {
    match finding {
        // Those of a command that goes on are waited for.
        Finding::Migrating {
            node,
            slots,
            export: true,
            ..
        } if inspection.unfinished == Journaled::Nothing => Some(Repair::Cancel { node, slots }),
        Finding::Unfinished { intent, slots, .. } => Some(Repair::Resume {
            what: intent.to_string(),
            slots,
        }),
        Finding::Unreadable { why } => Some(Repair::Discard { why }),
        Finding::Masterless { node, master } => {
            let shard = orphans(inspection);
            if shard.iter().any(|orphan| **orphan.master == *master) {
                // One of them becomes the master, whom the others can follow then.
                return None;
            }
            let master = rightful_master(inspection, &node, &master)?;
            Some(Repair::Follow { node, master })
        }
        // It can only copy whom it knows.
        Finding::Idle { node, master } => {
            let id = &inspection.survey.node(&master)?.id;
            knows(&inspection.survey, &node, id).then_some(Repair::Follow { node, master })
        }
        Finding::SharedEpoch { epoch, nodes } => Some(Repair::Separate { nodes, epoch }),
        Finding::Disagreement {
            node, slots, owner, ..
        } => Some(Repair::Agree {
            owner,
            slots,
            nodes: vec![node],
        }),
        _ => None,
    }
}

/// A replica whose master is gone for good, with slots that nobody else has: all that is left of its data.
struct Orphan<'a> {
    node: &'a str,
    /// The id of the master.
    master: &'a NodeId,
    slots: SlotRanges,
}

/// Of the replicas of each master that is gone for good, the one that has most of its data.
fn orphans(inspection: &Inspection) -> Vec<Orphan<'_>> {
    let claims = inspection.claims();
    let is_claimed = |slot: Slot| {
        let claimants = claims.get(usize::from(slot.number()));
        claimants.is_some_and(|all| !all.is_empty())
    };
    let mut best: BTreeMap<&NodeId, (Option<u64>, Orphan<'_>)> = BTreeMap::new();
    for (node, own) in inspection.survey.selves() {
        let Some(id) = &own.master else {
            continue;
        };
        let Some(line) = inspection.survey.told_of(node, id) else {
            continue;
        };
        // One that is only silent may come back.
        if inspection.name_of(line).is_some() {
            continue;
        }
        let slots = line.slots.slots();
        let slots: SlotRanges = slots.filter(|slot| !is_claimed(*slot)).collect();
        let offset = inspection
            .details
            .get(node)
            .and_then(|detail| detail.offset);
        let better = best.get(id).is_none_or(|(other, _)| offset > *other);
        if better && !slots.is_empty() {
            let orphan = Orphan {
                node,
                master: id,
                slots,
            };
            best.insert(id, (offset, orphan));
        }
    }
    best.into_values().map(|(_, orphan)| orphan).collect()
}

/// The master at the end of the chain that a replica hangs on; else the one of the shard it was born into.
fn rightful_master(inspection: &Inspection, node: &str, master: &str) -> Option<String> {
    let survey = &inspection.survey;
    let is_master = |name: &str| survey.master(name).is_some();
    let mut link = Some(master);
    // A chain has no more links than there are nodes; one that bites its tail has no end.
    for _ in survey.accounts() {
        match link {
            Some(name) if is_master(name) => return Some(name.to_owned()),
            Some(name) => link = survey.master_of(name),
            None => break,
        }
    }
    let shard = inspection
        .seats
        .iter()
        .find(|seat| seat.node == node)?
        .shard;
    let siblings = inspection.seats.iter().filter(|seat| seat.shard == shard);
    let masters = siblings.filter(|seat| seat.node != node && is_master(&seat.node));
    let serves = |node: &str| survey.node(node).is_some_and(NodeLine::serves);
    let master = masters.max_by_key(|seat| serves(&seat.node))?;
    Some(master.node.clone())
}

fn of_slots(inspection: &Inspection) -> Vec<Repair> {
    let open = inspection.open_slots();
    let mut verdicts: BTreeMap<Verdict<'_>, SlotRanges> = BTreeMap::new();
    let mut homeless = SlotRanges::default();
    for (slot, case) in cases(inspection, &open) {
        match rule(&case) {
            Ruling::Leave => {}
            Ruling::Mend(verdict) => verdicts.entry(verdict).or_default().insert(slot),
            Ruling::Deal => homeless.insert(slot),
        }
    }
    let mut repairs: Vec<_> = verdicts
        .iter()
        .flat_map(|(verdict, slots)| of_verdict(inspection, verdict, slots))
        .collect();
    let masters: Vec<_> = inspection
        .survey
        .masters()
        .map(|(node, line)| (node, line.slots.count()))
        .collect();
    let dealt = deal(&homeless, &masters).into_iter();
    repairs.extend(dealt.map(|(owner, slots)| Repair::Take {
        owner: owner.to_owned(),
        slots,
        released: Vec::new(),
    }));
    joined(repairs)
}

/// The case of each slot that anything can be wrong with.
fn cases<'a>(
    inspection: &'a Inspection,
    open: &'a [OpenSlot],
) -> impl Iterator<Item = (Slot, Case<'a>)> {
    let mut cases: Vec<Case<'a>> = vec![Case::default(); usize::from(Slot::COUNT)];
    let at = |slot: Slot| usize::from(slot.number());
    let survey = &inspection.survey;
    for (node, line) in survey.masters() {
        for slot in line.slots.slots() {
            if let Some(case) = cases.get_mut(at(slot)) {
                case.owners.push((node, line.epoch));
            }
        }
        let keys = inspection.details.get(node).into_iter();
        for (slot, count) in keys.flat_map(|detail| &detail.keys) {
            if let Some(case) = cases.get_mut(at(*slot)) {
                case.keys.push((node, *count));
            }
        }
    }
    for mark in open {
        let Some(case) = cases.get_mut(at(mark.slot)) else {
            continue;
        };
        let other = inspection.name_or_id(&mark.other);
        let seated = inspection.seats.iter().any(|seat| seat.node == other);
        case.waits |= seated && inspection.is_silent(other);
        match mark.direction {
            Direction::Importing => case.importing.push(&mark.node),
            Direction::Migrating => {
                let to = survey.master(other).map(|_| other);
                case.migrating.push((&mark.node, to));
            }
        }
    }
    for slot in inspection.slots_of_silent().slots() {
        if let Some(case) = cases.get_mut(at(slot)) {
            case.waits |= case.owners.is_empty();
        }
    }
    for slot in orphans(inspection)
        .iter()
        .flat_map(|orphan| orphan.slots.slots())
    {
        if let Some(case) = cases.get_mut(at(slot)) {
            case.waits = true;
        }
    }
    for (_, lines) in survey.told() {
        for line in lines.iter().filter(|line| !line.is_myself()) {
            let Some(name) = survey.name_of(&line.id) else {
                continue;
            };
            for slot in line.slots.slots() {
                if let Some(case) = cases.get_mut(at(slot)) {
                    case.told.get_or_insert(name);
                }
            }
        }
    }
    SlotRange::ALL.slots().zip(cases)
}

fn of_verdict(inspection: &Inspection, verdict: &Verdict<'_>, slots: &SlotRanges) -> Vec<Repair> {
    let keys = |node: &str| slots.slots().map(|slot| inspection.keys(node, slot)).sum();
    let owner = verdict.owner.to_owned();
    let mut repairs: Vec<_> = verdict
        .closed
        .iter()
        .map(|node| Repair::Close {
            node: (*node).to_owned(),
            slots: slots.clone(),
        })
        .collect();
    if verdict.takes || !verdict.released.is_empty() {
        repairs.push(Repair::Take {
            owner: owner.clone(),
            slots: slots.clone(),
            released: verdict
                .released
                .iter()
                .map(|node| (*node).to_owned())
                .collect(),
        });
    }
    repairs.extend(verdict.bring.iter().map(|from| Repair::Bring {
        from: (*from).to_owned(),
        to: owner.clone(),
        slots: slots.clone(),
        keys: keys(from),
    }));
    repairs.extend(verdict.hands_over.map(|from| Repair::HandOver {
        from: from.to_owned(),
        to: owner.clone(),
        slots: slots.clone(),
        keys: keys(from),
    }));
    repairs
}

/// The same step for different slots is one step.
fn joined(repairs: Vec<Repair>) -> Vec<Repair> {
    let mut steps: Vec<Repair> = Vec::new();
    for repair in repairs {
        let merged = steps.iter_mut().any(|step| step.absorb(&repair));
        if !merged {
            steps.push(repair);
        }
    }
    steps
}

#[cfg(test)]
mod tests;
