//! Arguments of several commands, and times.

use std::time::Duration;

use clap::{Args, ValueEnum};
use shardlab::Rung;

/// `--json`
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Json {
    /// Print one JSON object (docs/json.md), also of an error, on standard error.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A rung of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RungArg {
    /// Every node answers
    Listening,
    /// Every node knows every other one, and all links are up; without cluster: all follow one master
    Formed,
    /// `cluster_state` is ok everywhere; without cluster: the master knows all replicas, CKQUORUM is OK
    Ok,
    /// Every replica's link to its master is up
    Replicas,
    /// CLUSTER SLOTS is the same and whole on every node; without cluster: all replicas are online,
    /// and no sentinel misses anybody
    #[value(alias = "visible")]
    Ready,
}

impl From<RungArg> for Rung {
    fn from(rung: RungArg) -> Self {
        match rung {
            RungArg::Listening => Self::Listening,
            RungArg::Formed => Self::Formed,
            RungArg::Ok => Self::Ok,
            RungArg::Replicas => Self::Replicas,
            RungArg::Ready => Self::Ready,
        }
    }
}

/// A length of time.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let expected = |_| "expected a time with its unit, such as `500ms`, `30s` or `5m`".to_owned();
    humantime::parse_duration(text).map_err(expected)
}

/// A node timeout, or a time of Sentinel's: the server counts in whole milliseconds; below 20 ms no
/// local cluster holds together.
pub(super) fn server_time(text: &str) -> Result<Duration, String> {
    let timeout = time(text)?;
    if (Duration::from_millis(20)..=Duration::from_secs(86_400)).contains(&timeout) {
        Ok(timeout)
    } else {
        Err("expected a time from 20ms to 1day".to_owned())
    }
}
