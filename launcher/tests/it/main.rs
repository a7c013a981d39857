//! The launcher from outside: the library and the program, on real servers.

#![expect(
    clippy::unwrap_used,
    reason = "in a test, a failed step is a failed test"
)]

mod acknowledged;
mod adopted;
mod alike;
mod archives;
mod boot;
mod by_hand;
mod by_topology;
mod by_verb;
mod checked;
mod client;
mod conformance;
mod damaged;
mod databases;
mod doctor;
mod documented;
mod failed;
mod failover;
mod hostile;
mod imports;
mod interrupted;
mod json;
mod killed;
mod lab;
mod library;
mod members;
mod mend;
mod moved;
mod nodes;
mod others;
mod ports;
mod processes;
mod profiled;
mod program;
mod promoted;
mod readme;
mod refusals;
mod reshard;
mod run;
mod saved;
mod seeded;
mod servers;
mod situations;
mod sources;
mod told;
mod traffic;
mod watched;
mod whole;
mod wiped;
mod wording;
mod world;
