//! Whether a cluster's shape is sound: coverage, open slots, agreement, epochs, roles, links, and keys
//! where they do not belong.
//!
//! [`Cluster::check`](crate::Cluster::check) asks all nodes; [`check`] judges what they say, and is pure.

mod alike;
mod finding;
mod inspect;
mod inspection;
mod nodes;
mod remedy;
mod slots;

pub use alike::{Difference, Kind};
pub use finding::Finding;
#[doc(hidden)]
pub use inspection::{
    Detail, Inspection, Journaled, Migration, Passing, Seat, ServerProcess, Unfinished,
};
pub use remedy::Remedy;

pub(crate) use finding::keys_of;

/// Everything that is wrong, the gravest first: nodes that are silent, slots, membership, links.
#[doc(hidden)]
pub fn check(inspection: &Inspection) -> Vec<Finding> {
    let mut findings = nodes::silent(inspection);
    findings.extend(slots::findings(inspection));
    findings.extend(nodes::findings(inspection));
    let unlike = alike::differences(inspection).into_iter();
    findings.extend(unlike.map(Finding::Unlike));
    findings
}

#[cfg(test)]
pub(crate) mod tests;
