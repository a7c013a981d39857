//! Changing the shape of a cluster that runs and holds data, and telling whether its shape is sound.

mod error;
mod journal;
mod look;
mod mover;
pub mod moves;
pub mod plan;
pub mod survey;

pub use error::MoveError;
pub use journal::Journal;
pub use mover::{Keep, MoveEvent, MoveOptions, Moved, Progress, SlowKey, Way};
pub use moves::Move;
