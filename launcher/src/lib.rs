//! A lab for Redis Cluster on one machine: real servers, ready in moments, gone without a trace.
//!
//! [`Cluster::builder`] starts one; [`Cluster`] is one; [`ladder`] says what "ready" means. The
//! program `shardlab` is a thin layer above (feature `cli`).

// The ground: knows nothing of clusters.
pub mod machine;
pub mod wire;

// What a cluster is made of.
pub mod cluster;
pub mod config;
pub mod error;
pub mod ladder;
pub mod node;
pub mod plan;
pub mod probe;
pub mod server;
pub mod state;

// What is done with clusters.
pub mod archive;
pub mod blocking;
mod boot;
pub mod doctor;
pub mod failover;
pub mod reshape;
pub mod start;

pub use cluster::Cluster;
pub use error::{Error, exit};
pub use ladder::Rung;
pub use machine::signal::Signal;
pub use node::Node;
pub use start::Event;
pub use start::builder::Builder;
