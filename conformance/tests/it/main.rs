//! The suite from outside: its program, and servers that mean no good.

#![expect(
    clippy::unwrap_used,
    reason = "in a test, a failed step is a failed test"
)]

mod hostile;
mod program;
mod server;
