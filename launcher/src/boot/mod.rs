//! How listening nodes become a cluster.

pub(crate) mod commands;
