//! Running transcripts: one case against one target ([`run_case`]), and what came of it
//! ([`result`]).

mod action;
mod block;
mod case;
mod exchange;
mod footprint;
mod gate;
mod keys;
mod limits;
mod probe;
mod raw;
pub mod result;
mod runner;
mod session;
mod subject;
#[cfg(test)]
mod tests;
mod wire;

pub use case::{Trial, run_case};
pub use gate::gate;
pub(crate) use limits::longest_first;
pub use limits::{Limits, jobs_by_default};
pub use result::Skip;
pub use runner::{Runner, runtime};
pub use subject::{Subject, SubjectError, Wanted};
pub use wire::{Direction, WireEvent};
