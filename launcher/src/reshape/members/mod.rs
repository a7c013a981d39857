//! Nodes that come and go while the cluster runs and holds data: add-node, del-node, scale.
//!
//! Each works out a [`Change`] from what the record and the nodes say, then makes it. What is begun
//! is written down first ([`crate::state::Stage`]), and each step looks at what is there already, so
//! that whoever was killed at any moment and asks for the same again goes on where it ended.

mod change;
mod equip;
mod existing;
mod goal;
mod join;
mod leave;
mod make;
pub(crate) mod names;
mod newcomer;
mod plan;
mod reported;
mod roster;

pub use crate::error::members::MemberError;

#[doc(inline)]
pub use crate::plan::Scale;
pub use change::{Addition, Change, Removal, Step};
pub(super) use goal::Attach;
pub use make::ChangeEvent;
