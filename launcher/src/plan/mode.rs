//! The ways in which a shard fails over. Pure.

use serde::Serialize;

/// By which means the master loses its role.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Master and replica agree; no write is lost.
    ///
    /// The master waits until the replica has all that it has. `CLUSTER FAILOVER`; with sentinels `SENTINEL FAILOVER` while the master refuses writes; `FAILOVER` where the server has it
    /// (Redis 6.2), else REPLICAOF to everybody while the master refuses writes.
    #[default]
    Graceful,
    /// Without the master's consent: the other masters vote, a sentinel decides, or REPLICAOF does it.
    ///
    /// `CLUSTER FAILOVER FORCE`; `SENTINEL FAILOVER`;
    /// else REPLICAOF to everybody. What a master that runs accepts until it is told is lost.
    Force,
    /// Without any other node's consent; only in a cluster.
    ///
    /// `CLUSTER FAILOVER TAKEOVER`.
    Takeover,
    /// Kill the master with SIGKILL; start it again as a replica.
    ///
    /// The others, or the sentinels, find out by themselves. Where there is nobody to find out, this program plays the person who does, and tells everybody REPLICAOF.
    Crash,
}

impl Mode {
    /// All modes.
    pub const ALL: [Self; 4] = [Self::Graceful, Self::Force, Self::Takeover, Self::Crash];

    /// The mode's name, as on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Graceful => "graceful",
            Self::Force => "force",
            Self::Takeover => "takeover",
            Self::Crash => "crash",
        }
    }
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
