//! Commands as clients send them: in bytes, where their keys and shard channels are, and what they do. Pure.

mod effect;
mod keys;
mod requests;

pub(crate) use effect::{Effect, effect};
pub(crate) use keys::{has, keys, shard_channels, upper};
pub(crate) use requests::requests;
