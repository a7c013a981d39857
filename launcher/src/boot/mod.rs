//! How nodes become a cluster.

mod bring_up;
mod event;
mod finish;
mod introduce;
mod needs;
mod profiled;
mod replicated;
mod request;
mod seed;
mod seeded;
mod shaping;
mod stuck;
mod ways;

pub(crate) use bring_up::BringUp;
pub use event::{Event, Observer};
pub(crate) use replicated::{arrange, method as replicated_method};
pub(crate) use request::Request;
