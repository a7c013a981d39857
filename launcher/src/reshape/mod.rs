//! Changing the shape of a cluster that runs and holds data, and telling whether its shape is sound.

pub mod check;
mod equipment;
pub mod fix;
pub mod members;
mod mover;
#[doc(hidden)]
pub mod moves;
mod moving;
pub mod plan;

pub use crate::error::reshape::{MoveError, SlowKey};
#[doc(inline)]
pub use crate::plan::Intent;
#[doc(hidden)]
pub use crate::state::{Journal, Move};

#[doc(hidden)]
pub use equipment::Equipment;
pub use mover::{MoveEvent, MoveOptions, MoveProgress, Moved, Way};
#[doc(hidden)]
pub use moves::Keep;
pub use moving::MovePlan;
