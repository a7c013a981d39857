//! The suite from outside: its program, and servers that mean no good.

mod hostile;
mod program;
mod server;
