//! The wire: frames, slots, a connection to one node, and replies taken apart.

pub mod client;
pub mod resp;
pub mod slots;
pub mod view;
