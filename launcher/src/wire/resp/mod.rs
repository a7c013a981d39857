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

#[doc(hidden)]
pub use decode::Decoder;
#[doc(hidden)]
pub use encode::{encode_command, encode_commands};
#[doc(hidden)]
pub use error::{Expected, ProtocolError};
#[doc(hidden)]
pub use escape::{UnescapeError, escape, quote, unescape, unquote};
pub use frame::{Frame, Value};
#[doc(hidden)]
pub use limits::Limits;
#[doc(hidden)]
pub use print::print;
#[doc(hidden)]
pub use protocol::Protocol;
#[doc(hidden)]
pub use redirect::{Host, Redirect, RedirectKind};
