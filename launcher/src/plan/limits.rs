//! Usual values of options, and the most that there may be. Pure.

/// The first client port unless the user says otherwise.
pub const FIRST_PORT: u16 = 7001;
/// The first sentinel's client port unless the user says otherwise.
pub const FIRST_SENTINEL_PORT: u16 = 27_001;
/// The name under which sentinels watch the master unless the user says otherwise.
pub const MASTER_NAME: &str = "mymaster";
/// The longest name of a master: of 1024 bytes that a sentinel publishes, it is the only part without
/// a length of its own (`sentinelSendHello`, sentinel.c).
pub const MAX_MASTER_NAME: usize = 255;
/// The most nodes that a plan may have: what a gossip bus is designed for (cluster-spec, "Redis
/// Cluster goals": up to 1000 nodes).
pub const MAX_NODES: usize = 1000;
/// The most replicas of one master; their names end in one letter.
pub const MAX_REPLICAS: usize = 26;
/// Clusters of more nodes than this count as large: they need longer timeouts.
pub const LARGE: usize = 120;
