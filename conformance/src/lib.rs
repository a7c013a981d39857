//! Replays Redis Cluster transcripts against any server.

pub mod diagnose;
pub mod pattern;
pub mod render;
pub mod transcript;
