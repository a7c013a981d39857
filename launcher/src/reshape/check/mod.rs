//! Whether a cluster's shape is sound: coverage, open slots, agreement, epochs, roles, links, and keys
//! where they do not belong.
//!
//! [`Cluster::check`](crate::Cluster::check) asks all nodes; [`check`] judges what they say, and is pure.

mod finding;
mod inspect;
mod inspection;
mod nodes;
mod slots;

pub use finding::{Finding, Remedy};
pub use inspection::{Detail, Inspection, Migration, Passing, Seat, Unfinished};

pub(crate) use finding::keys_of;

/// Everything that is wrong, the gravest first: nodes that are silent, slots, membership, links.
pub fn check(inspection: &Inspection) -> Vec<Finding> {
    let mut findings = nodes::silent(inspection);
    findings.extend(slots::findings(inspection));
    findings.extend(nodes::findings(inspection));
    findings
}

#[cfg(test)]
pub(crate) mod tests;
