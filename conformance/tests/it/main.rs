//! The suite from outside: its program, and servers that mean no good.

#![expect(
    clippy::unwrap_used,
    reason = "in a test, a failed step is a failed test"
)]

mod docs;
mod harness;
mod hostile;
mod launched;
mod program;
mod readme;
mod server;
mod wrong;
