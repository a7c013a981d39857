//! The arguments of the commands that break and mend nodes.

use std::time::Duration;

use clap::{Args, ValueEnum};
use shardlab::Signal;
use shardlab::failover::Mode;

use super::common::{Json, RungArg, time};

/// `restart`
#[derive(Debug, Args)]
pub(crate) struct Restart {
    /// Names, ports or beginnings of ids [default: all nodes].
    #[arg(value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    /// One after the other while clients go on: replicas first, then each master after its shard has
    /// failed over; roles are not given back.
    #[arg(long)]
    pub(crate) rolling: bool,
    /// The rung to wait for when all nodes run; always `ready` with `--rolling`.
    #[arg(
        long,
        value_enum,
        value_name = "RUNG",
        default_value = "ready",
        conflicts_with = "rolling"
    )]
    pub(crate) wait: RungArg,
    /// How long it may take, or each step with `--rolling` [default: 30s and more].
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) timeout: Option<Duration>,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `kill`
#[derive(Debug, Args)]
pub(crate) struct Kill {
    /// Names, ports or beginnings of ids.
    #[arg(required = true, value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    /// A name, with or without SIG, or a number.
    #[arg(short, long, default_value = "KILL")]
    pub(crate) signal: Signal,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `pause`
#[derive(Debug, Args)]
pub(crate) struct Pause {
    /// Names, ports or beginnings of ids.
    #[arg(required = true, value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    /// Stay for so long, then resume; Ctrl-C resumes at once [default: until `resume`].
    #[arg(long = "for", value_name = "TIME", value_parser = time)]
    pub(crate) time: Option<Duration>,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `resume`
#[derive(Debug, Args)]
pub(crate) struct Resume {
    /// Names, ports or beginnings of ids [default: all that are paused].
    #[arg(value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `failover`
#[derive(Debug, Args)]
pub(crate) struct Failover {
    /// A node of the shard: a replica takes over itself, of a master the replica that has most data.
    #[arg(value_name = "NODE")]
    pub(crate) node: String,
    /// By which means.
    #[arg(long, value_enum, default_value = "graceful")]
    pub(crate) mode: ModeArg,
    /// With `crash`: do not start the killed master again.
    #[arg(long)]
    pub(crate) leave_dead: bool,
    /// How long it may take [default: 30s and 12 node timeouts; with sentinels 60s,
    /// twice --down-after and three times --failover-timeout].
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) timeout: Option<Duration>,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `--mode`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModeArg {
    /// Master and replica agree, nothing is lost
    Graceful,
    /// Without the master: by the votes of the others, a sentinel, or by hand
    Force,
    /// Without anybody, in a cluster only
    Takeover,
    /// SIGKILL of the master; it comes back as a replica
    Crash,
}

impl From<ModeArg> for Mode {
    fn from(mode: ModeArg) -> Self {
        match mode {
            ModeArg::Graceful => Self::Graceful,
            ModeArg::Force => Self::Force,
            ModeArg::Takeover => Self::Takeover,
            ModeArg::Crash => Self::Crash,
        }
    }
}
