//! The ways in which a shard fails over. Pure.

use serde::Serialize;

/// By which means the master loses its role.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The master waits until the replica has all that it has; nothing is lost. `CLUSTER FAILOVER`; with
    /// sentinels `SENTINEL FAILOVER` while the master refuses writes; `FAILOVER` where the server has it
    /// (Redis 6.2), else REPLICAOF to everybody while the master refuses writes.
    #[default]
    Graceful,
    /// Without the master. `CLUSTER FAILOVER FORCE`, by the votes of the others; `SENTINEL FAILOVER`;
    /// else REPLICAOF to everybody. What a master that runs accepts until it is told is lost.
    Force,
    /// Without anybody: `CLUSTER FAILOVER TAKEOVER`, in a cluster only.
    Takeover,
    /// SIGKILL of the master; the others, or the sentinels, find out by themselves. Where there is
    /// nobody to find out, this program plays the person who does, and tells everybody REPLICAOF.
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
