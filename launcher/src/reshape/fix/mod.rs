//! Mending a cluster's shape: open slots, slots without an owner or with several, keys that are astray,
//! nodes that disagree or know too few or too many, commands that were interrupted.
//!
//! [`repairs`] decides, and is pure; [`Cluster::fix`](crate::Cluster::fix) does. Each repair may be
//! interrupted at any point and planned anew: no key is deleted before another node has it.

mod execute;
mod plan;
mod repair;
mod reported;
mod steps;
mod verdict;

pub use execute::{FixEvent, Fixed};
#[doc(hidden)]
pub use plan::repairs;
pub use repair::Repair;
