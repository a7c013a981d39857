//! Replays Redis Cluster transcripts against any server.

pub mod transcript;
