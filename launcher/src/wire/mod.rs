//! The wire: frames, slots, a connection to one node, and replies taken apart.

#[doc(hidden)]
pub mod client;
pub mod resp;
pub mod slots;
#[cfg(feature = "tls")]
#[doc(hidden)]
pub mod tls;
#[doc(hidden)]
pub mod view;

pub use view::{Epoch, NodeId};
