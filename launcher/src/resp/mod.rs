//! RESP2 and RESP3, lossless and strict.

mod frame;

pub use frame::{Frame, Value};
