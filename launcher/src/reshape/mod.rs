//! Changing the shape of a cluster that runs and holds data, and telling whether its shape is sound.

pub mod check;
mod equipment;
mod error;
pub mod fix;
pub mod members;
mod mover;
pub mod moves;
pub mod plan;

pub use equipment::Equipment;
pub use error::MoveError;
pub use mover::{MoveEvent, MoveOptions, Moved, Progress, SlowKey, Way};
pub use moves::Keep;

pub use crate::state::{Journal, Move};
