//! Running transcripts: one case against one target ([`run_case`]), and what came of it
//! ([`result`]).

mod action;
mod block;
mod case;
mod exchange;
mod footprint;
mod gate;
mod limits;
mod raw;
pub mod result;
mod session;
#[cfg(test)]
mod tests;
mod wire;

pub use case::run_case;
pub use footprint::{Footprint, footprint};
pub use gate::{Grants, gate};
pub use limits::Limits;
pub use wire::{Direction, WireEvent};
