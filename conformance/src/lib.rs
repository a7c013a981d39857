//! Replays Redis Cluster transcripts against any server and says where it departs.
//!
//! [`transcript`] reads them, [`system`] is what they are run against, [`run`] runs them and
//! [`report`] tells; [`suite`] holds the transcripts of this project, [`harness`] makes tests of them.

pub mod diagnose;
pub mod harness;
pub mod known;
pub mod pattern;
pub mod pool;
pub mod render;
pub mod report;
pub mod run;
pub mod suite;
pub mod system;
pub mod transcript;
