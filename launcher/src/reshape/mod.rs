//! Changing the shape of a cluster that runs and holds data, and telling whether its shape is sound.

pub mod check;
pub mod fix;
mod look;
pub mod survey;
