//! A lab for Redis Cluster on one machine: real servers, ready in tenths of a second, gone without a trace.
//!
//! # The life of a cluster
//!
//! ```
//! # async fn example() -> Result<(), shardlab::Error> {
//! use shardlab::failover::Request;
//! use shardlab::{Cluster, Signal};
//!
//! // Three masters with a replica each, on free ports, of the server that is found or fetched.
//! let mut cluster = Cluster::builder().masters(3).replicas(1).start().await?;
//! println!("{:?}", cluster.urls()); // for your client
//!
//! cluster.kill(&["n3"], Signal::KILL).await?; // a node dies,
//! cluster.start(&["n3"]).await?; // and comes back; all is ready again
//! let done = cluster.failover("n1", Request::default(), |_| {}).await?;
//! assert_eq!(done.new_master, "r1");
//! cluster.call("r1", &["SET", "{user7}", "1"]).await?;
//! drop(cluster); // its servers end, and its folders are removed
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
//! ```
//!
//! | To … | use |
//! |---|---|
//! | describe and start a cluster | [`Cluster::builder`], [`Builder`], [`Builder::start_blocking`] without a runtime ([`blocking`]) |
//! | take one that the program has started | [`Cluster::open`] |
//! | connect a client | [`Cluster::urls`], [`Cluster::addresses`], [`Cluster::call`] |
//! | wait | [`Cluster::wait_for`], [`Rung`]: what "ready" means |
//! | break and mend nodes | [`Cluster::kill`], [`Cluster::pause`], [`Cluster::stop`], [`Cluster::start`], [`Cluster::wipe`], [`Node`] |
//! | fail over | [`Cluster::failover`], [`failover`], [`Cluster::restart_rolling`] |
//! | move slots, add and delete nodes | [`Cluster::reshard`], [`Cluster::rebalance`], [`Cluster::add_node`], [`reshape`] |
//! | tell whether it is sound, and mend it | [`Cluster::check`], [`Cluster::fix`] |
//! | keep it as a file | [`Cluster::save`], [`archive`] |
//!
//! Verbs take nodes by name (`n1`, `r1`), wait until what they do can be seen, and say in their [`Error`] what
//! to do next. The program `shardlab` is a thin layer above (feature `cli`); modules that only it needs are not
//! shown here, and may change in any version.

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

// What is done with clusters.
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
