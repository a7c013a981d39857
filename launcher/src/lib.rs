//! A lab for Redis Cluster on one machine.

pub mod resp;
pub mod server;
pub mod slots;
mod suggestion;
