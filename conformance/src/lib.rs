//! Replays Redis Cluster transcripts against any server.
