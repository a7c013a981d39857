//! A lab for Redis Cluster on one machine: real servers, ready in moments, gone without a trace.
//!
//! [`Cluster::builder`] starts one; [`Cluster`] is one; [`ladder`] says what "ready" means. The
//! program `shardlab` is a thin layer above (feature `cli`).

pub mod archive;
pub mod bend;
pub mod blocking;
pub mod builder;
pub mod client;
pub mod cluster;
pub mod config;
pub mod directive;
pub mod doctor;
pub mod environment;
pub mod error;
pub mod exit;
pub mod failover;
pub mod interrupt;
pub mod ladder;
pub mod limits;
pub mod node;
pub mod plan;
pub mod ports;
pub mod process;
pub mod ready;
pub mod reshape;
pub mod resp;
pub mod routing;
pub mod server;
pub mod shape;
pub mod signal;
pub mod slots;
pub mod state;
pub mod survey;
pub mod sweep;
pub mod text;
pub mod view;
pub mod vitals;
pub mod wait;

mod boot;
mod launch;
mod questions;
mod random;
mod suggestion;

pub use builder::{Builder, Event};
pub use cluster::Cluster;
pub use error::Error;
pub use ladder::Rung;
pub use node::Node;
pub use signal::Signal;
