//! A lab for Redis Cluster on one machine: real servers, ready in tenths of a second, removed without a trace.
//!
//! # The life of a cluster
//!
//! ```
//! # async fn example() -> Result<(), shardlab::Error> {
//! use shardlab::failover::Request;
//! use shardlab::{Cluster, Signal};
//!
//! // Three masters with one replica each, on free ports; the server is found, or downloaded.
//! let mut cluster = Cluster::builder().masters(3).replicas(1).start().await?;
//! println!("{:?}", cluster.urls()); // for your client
//!
//! cluster.kill(&["n3"], Signal::KILL).await?; // a node dies
//! cluster.start(&["n3"]).await?; // and comes back; the cluster is ready again
//! let done = cluster.failover("n1", Request::default(), |_| {}).await?;
//! assert_eq!(done.new_master, "r1");
//! cluster.call("r1", &["SET", "{user7}", "1"]).await?;
//! drop(cluster); // its servers are stopped and its folders removed
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
//! ```
//!
//! | to | use |
//! |---|---|
//! | start a cluster | [`Cluster::builder`], [`Builder`]; without an async runtime [`Builder::start_blocking`] ([`blocking`]) |
//! | open one that the program started | [`Cluster::open`] |
//! | connect a client | [`Cluster::urls`], [`Cluster::addresses`], [`Cluster::call`] |
//! | wait until it is ready | [`Cluster::wait_for`], [`Rung`] |
//! | break nodes and bring them back | [`Cluster::kill`], [`Cluster::pause`], [`Cluster::stop`], [`Cluster::start`], [`Cluster::wipe`], [`Node`] |
//! | fail over | [`Cluster::failover`], [`failover`], [`Cluster::restart_rolling`] |
//! | move slots, add and delete nodes | [`Cluster::reshard`], [`Cluster::rebalance`], [`Cluster::add_node`], [`reshape`] |
//! | check whether it is sound, and repair it | [`Cluster::check`], [`Cluster::fix`] |
//! | save it to a file | [`Cluster::save`], [`archive`] |
//!
//! Methods take node names (`n1`, `r1`), return when their effect can be observed, and their [`Error`] says what to
//! do next. The program `shardlab` is a thin layer on top (feature `cli`). Modules that only it needs are hidden
//! here, and may change in any version.

// The ground: knows nothing of clusters.
#[doc(hidden)]
pub mod machine;
pub mod wire;

// What a cluster is made of.
#[doc(hidden)]
pub mod cluster;
#[doc(hidden)]
pub mod config;
pub mod error;
#[doc(hidden)]
pub mod ladder;
#[doc(hidden)]
pub mod node;
pub mod plan;
#[doc(hidden)]
pub mod probe;
pub mod server;
pub mod state;

// What can be done with clusters.
pub mod archive;
pub mod blocking;
mod boot;
#[doc(hidden)]
pub mod doctor;
pub mod failover;
pub mod reshape;
#[doc(hidden)]
pub mod start;

pub use cluster::Cluster;
pub use error::{Error, exit};
pub use ladder::Rung;
pub use machine::signal::Signal;
pub use node::Node;
pub use start::Event;
pub use start::builder::Builder;
