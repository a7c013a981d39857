//! Changing the shape of a cluster that runs and holds data, and telling whether its shape is sound.

mod look;
pub mod survey;
