//! From a wish to a running cluster.

pub mod builder;

pub(crate) mod launch;
