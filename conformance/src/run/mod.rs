//! Running transcripts: one case against one target ([`run_case`]), and what came of it
//! ([`result`]).

mod action;
mod block;
mod boots;
mod case;
mod event;
mod exchange;
mod footprint;
mod gate;
mod guest;
mod keys;
mod limits;
mod mending;
mod patience;
mod probe;
mod raw;
mod record;
mod restore;
pub mod result;
mod runner;
mod schedule;
mod session;
mod subject;
#[cfg(test)]
pub(crate) mod tests;
mod tried;
mod visit;
mod wire;

pub use case::{Trial, run_case};
pub use event::Event;
pub use gate::gate;
pub(crate) use limits::longest_first;
pub use limits::{Limits, jobs_by_default};
pub use patience::Patience;
pub use record::{Recorder, Refusal};
pub use result::Skip;
pub use runner::{Runner, runtime};
pub use subject::{Subject, SubjectError, Wanted};
pub use wire::{Direction, WireEvent};
