//! Reports, each a function of what came of a run. None of them runs or prints anything.

mod areas;
mod catalogue;
pub mod json;
mod rerun;
pub mod terminal;

pub use catalogue::{explain, list};
pub use rerun::rerun;
