//! From a request to a running cluster.

pub use crate::boot::{Event, Observer};

pub mod builder;

pub(crate) mod launch;
