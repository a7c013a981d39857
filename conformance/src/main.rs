//! The `shardlab-conformance` program.

fn main() {}
