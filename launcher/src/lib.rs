//! A lab for Redis Cluster on one machine.

pub mod resp;
pub mod server;
mod suggestion;
