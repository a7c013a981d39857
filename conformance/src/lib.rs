//! Replays Redis Cluster transcripts against any server, and shows where it departs.
//!
//! [`transcript`] parses transcripts, [`system`] has the servers that they run against, [`run`] runs them, and
//! [`report`] writes reports. [`suite`] contains the transcripts of this project; [`harness`] makes tests of them.

pub mod binding;
mod commands;
pub mod diagnose;
pub mod harness;
pub mod known;
pub mod pattern;
pub mod render;
pub mod report;
pub mod run;
pub mod suite;
pub mod system;
pub mod transcript;
