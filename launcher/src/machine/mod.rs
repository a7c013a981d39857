//! What the machine gives: processes, signals, time, the environment. Knows nothing of clusters.

pub mod environment;
pub mod interrupt;
pub mod json;
pub mod message;
pub mod parameter;
pub mod process;
pub mod signal;
pub mod suggestion;
pub mod text;
pub mod wait;

pub(crate) mod random;
