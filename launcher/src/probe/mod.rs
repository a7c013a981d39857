//! Asking nodes where they stand, and putting what they say side by side.

pub mod prober;
pub mod survey;

pub(crate) mod at_once;
pub(crate) mod questions;
