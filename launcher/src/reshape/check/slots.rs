//! What can be wrong with slots. Pure.

use std::collections::BTreeMap;

use super::finding::Finding;
use super::inspection::{Inspection, Journaled};
use crate::probe::survey::Direction;
use crate::wire::slots::{Slot, SlotRange, SlotRanges};

/// What is wrong with the slots of a cluster.
pub(super) fn findings(inspection: &Inspection) -> Vec<Finding> {
    let claims = inspection.claims();
    let mut findings = owners(inspection, &claims);
    findings.extend(open(inspection));
    findings.extend(migrations(inspection));
    findings.extend(astray(inspection, &claims));
    findings.extend(disagreements(inspection, &claims));
    match &inspection.unfinished {
        Journaled::Nothing => {}
        Journaled::Command(unfinished) => {
            if inspection.at_work {
                // What is said of the slots that are moving at this moment is out of date already.
                let moving = |slots: &SlotRanges| {
                    slots
                        .ranges()
                        .iter()
                        .all(|range| range.slots().all(|slot| unfinished.slots.contains(slot)))
                };
                findings.retain(|finding| !finding.slots().is_some_and(moving));
            }
            findings.insert(
                0,
                Finding::Unfinished {
                    intent: unfinished.intent.clone(),
                    slots: unfinished.slots.clone(),
                    at_work: inspection.at_work,
                },
            );
        }
        Journaled::Unreadable(why) => findings.push(Finding::Unreadable { why: why.clone() }),
    }
    findings
}

/// All slots with their entries in a table that has one for each.
pub(crate) fn by_slot<T>(table: &[T]) -> impl Iterator<Item = (Slot, &T)> {
    SlotRange::ALL.slots().zip(table)
}

/// Slots without an owner or with several.
fn owners(inspection: &Inspection, claims: &[Vec<&str>]) -> Vec<Finding> {
    let of_silent = inspection.slots_of_silent();
    let mut uncovered = SlotRanges::default();
    let mut contested: BTreeMap<&[&str], SlotRanges> = BTreeMap::new();
    for (slot, claimants) in by_slot(claims) {
        match claimants.as_slice() {
            [_] => {}
            [] if of_silent.contains(slot) => {}
            [] => uncovered.insert(slot),
            several => contested.entry(several).or_default().insert(slot),
        }
    }
    let mut findings = Vec::new();
    if !uncovered.is_empty() {
        let holders = inspection.survey.masters().map(|(node, _)| {
            let keys = uncovered.slots().map(|slot| inspection.keys(node, slot));
            (node.to_owned(), keys.sum())
        });
        let keys = holders.filter(|(_, count)| *count > 0).collect();
        findings.push(Finding::NotCovered {
            slots: uncovered,
            keys,
        });
    }
    findings.extend(
        contested
            .into_iter()
            .map(|(nodes, slots)| Finding::Contested {
                slots,
                nodes: nodes.iter().map(|node| (*node).to_owned()).collect(),
            }),
    );
    findings
}

fn open(inspection: &Inspection) -> Vec<Finding> {
    let mut open: BTreeMap<(String, Direction, String), SlotRanges> = BTreeMap::new();
    for mark in inspection.open_slots() {
        let other = inspection.name_or_id(&mark.other).to_owned();
        let ends = (mark.node, mark.direction, other);
        open.entry(ends).or_default().insert(mark.slot);
    }
    open.into_iter()
        .map(|((node, direction, other), slots)| Finding::Open {
            slots,
            node,
            direction,
            other,
        })
        .collect()
}

fn migrations(inspection: &Inspection) -> Vec<Finding> {
    let of_all = inspection.details.iter();
    of_all
        .flat_map(|(node, detail)| detail.migrations.iter().map(move |job| (node, job)))
        .map(|(node, job)| Finding::Migrating {
            node: node.clone(),
            slots: job.slots.clone(),
            export: job.export,
        })
        .collect()
}

/// Keys of slots that their holder does not own. Those of a slot that is on its way to the holder,
/// or that nobody owns, are told of with the slot.
fn astray(inspection: &Inspection, claims: &[Vec<&str>]) -> Vec<Finding> {
    let open = inspection.open_slots();
    let migrating = |node: &str, slot| {
        let detail = inspection.details.get(node);
        detail.is_some_and(|detail| detail.migrations.iter().any(|job| job.slots.contains(slot)))
    };
    let mut findings = Vec::new();
    for (node, _) in inspection.survey.masters() {
        let Some(detail) = inspection.details.get(node) else {
            continue;
        };
        let (mut slots, mut keys) = (SlotRanges::default(), 0);
        for (slot, count) in &detail.keys {
            let claimants = claims.get(usize::from(slot.number()));
            let reachable = claimants.is_none_or(|all| all.is_empty() || all.contains(&node));
            let told = open
                .iter()
                .any(|open| open.slot == *slot && open.node == node);
            if !reachable && !told && !migrating(node, *slot) {
                slots.insert(*slot);
                keys += count;
            }
        }
        if !slots.is_empty() {
            findings.push(Finding::Astray {
                node: node.to_owned(),
                slots,
                keys,
            });
        }
    }
    findings
}

/// Nodes that give a slot to somebody else than its one owner. What an owner says of its own slots is
/// no disagreement, and of a slot with no owner or several there is nothing to agree on.
fn disagreements(inspection: &Inspection, claims: &[Vec<&str>]) -> Vec<Finding> {
    let mut wrong: BTreeMap<(&str, Option<&str>, &str), SlotRanges> = BTreeMap::new();
    for (node, lines) in inspection.survey.told() {
        let told: Vec<_> = by_slot(claims)
            .zip(Inspection::reported_owners(lines))
            .collect();
        // Neighbours mostly have the same owner.
        for alike in told.chunk_by(|one, next| one.0.1 == next.0.1 && one.1 == next.1) {
            let [((first, claimants), said), ..] = alike else {
                continue;
            };
            let [owner] = claimants.as_slice() else {
                continue;
            };
            let said = said.map(|id| inspection.name_or_id(id));
            if *owner != node && said != Some(*owner) {
                let last = alike.last().map_or(*first, |((last, _), _)| *last);
                let slots = wrong.entry((node, said, *owner)).or_default();
                slots.extend(SlotRange::new(*first, last));
            }
        }
    }
    wrong
        .into_iter()
        .map(|((node, says, owner), slots)| Finding::Disagreement {
            node: node.to_owned(),
            slots,
            says: says.map(ToOwned::to_owned),
            owner: owner.to_owned(),
        })
        .collect()
}
