//! Commands as clients send them: in bytes, and where their keys are. Pure.

mod keys;
mod requests;

pub(crate) use keys::{has, keys, upper};
pub(crate) use requests::requests;
