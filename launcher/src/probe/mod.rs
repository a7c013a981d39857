//! Asking nodes where they stand, and putting what they say side by side.

pub mod prober;
pub mod survey;

mod at_once;
pub(crate) mod questions;

pub use at_once::ask_all;
