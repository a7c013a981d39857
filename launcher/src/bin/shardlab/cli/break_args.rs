//! The arguments of the commands that break nodes and bring them back.

use std::time::Duration;

use clap::Args;
use shardlab::failover::Mode;
use shardlab::{Rung, Signal};

use super::common::{Json, time};

/// `restart`
#[derive(Debug, Args)]
pub(crate) struct Restart {
    /// Node names, ports or id prefixes [default: all nodes].
    #[arg(value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    /// Restart one node after the other, while clients go on: replicas first, then each master after its
    /// shard has failed over. Masters do not get their role back.
    #[arg(long)]
    pub(crate) rolling: bool,
    /// How ready the cluster must be before the command returns; always `ready` with `--rolling`.
    #[arg(
        long,
        value_enum,
        value_name = "RUNG",
        default_value = "ready",
        conflicts_with = "rolling"
    )]
    pub(crate) wait: Rung,
    /// How long the restart may take; with `--rolling`, each step [default: 30s, more with many nodes].
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) timeout: Option<Duration>,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `kill`
#[derive(Debug, Args)]
pub(crate) struct Kill {
    /// Node names, ports or id prefixes.
    #[arg(required = true, value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    /// The signal: a name, with or without SIG, or a number.
    #[arg(short, long, default_value = "KILL")]
    pub(crate) signal: Signal,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `pause`
#[derive(Debug, Args)]
pub(crate) struct Pause {
    /// Node names, ports or id prefixes.
    #[arg(required = true, value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    /// Resume the nodes after this time, or at Ctrl-C [default: never; `resume` resumes them].
    #[arg(long = "for", value_name = "TIME", value_parser = time)]
    pub(crate) time: Option<Duration>,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `resume`
#[derive(Debug, Args)]
pub(crate) struct Resume {
    /// Node names, ports or id prefixes [default: all paused nodes].
    #[arg(value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `failover`
#[derive(Debug, Args)]
pub(crate) struct Failover {
    /// The replica that takes over; or the master, whose replica with the most data then takes over.
    #[arg(value_name = "NODE")]
    pub(crate) node: String,
    /// How to fail over.
    #[arg(long, value_enum, default_value = "graceful")]
    pub(crate) mode: Mode,
    /// With `--mode crash`: do not start the killed master again.
    #[arg(long)]
    pub(crate) leave_dead: bool,
    /// How long it may take [default: 30s + 12 × node timeout; with sentinels
    /// 60s + 2 × `--down-after` + 3 × `--failover-timeout`].
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) timeout: Option<Duration>,
    #[command(flatten)]
    pub(crate) json: Json,
}
