//! The suite from outside: its program, and servers that mean no good.

#![expect(
    clippy::unwrap_used,
    reason = "in a test, a failed step is a failed test"
)]

mod attach;
mod bless;
mod docs;
#[path = "../../../launcher/tests/it/documented.rs"]
mod documented;
mod harness;
mod hostile;
mod json;
mod launched;
mod permitted;
mod program;
mod readme;
mod record;
mod reports;
mod secured;
mod server;
mod shapes;
mod tls;
mod wrong;
