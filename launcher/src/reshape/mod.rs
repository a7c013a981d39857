//! Changing the shape of a cluster that runs and holds data, and telling whether its shape is sound.

pub mod check;
mod equipment;
pub mod fix;
pub mod members;
mod mover;
pub mod moves;
pub mod plan;

pub use crate::error::reshape::{MoveError, SlowKey};
pub use crate::state::{Journal, Move};

pub use equipment::Equipment;
pub use mover::{MoveEvent, MoveOptions, Moved, Progress, Way};
pub use moves::Keep;
