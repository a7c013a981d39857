//! RESP2 and RESP3, lossless and strict.

mod assemble;
mod cursor;
mod decode;
mod element;
mod encode;
mod error;
mod escape;
mod frame;
mod limits;
mod print;
mod protocol;
mod redirect;
mod scan;
#[cfg(test)]
mod tests;
mod token;

pub use decode::Decoder;
pub use encode::encode_command;
pub use error::{Expected, ProtocolError};
pub use escape::{UnescapeError, escape, quote, unescape, unquote};
pub use frame::{Frame, Value};
pub use limits::Limits;
pub use print::print;
pub use protocol::Protocol;
pub use redirect::{Host, Redirect, RedirectKind};
