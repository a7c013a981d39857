//! The options of `up` and `run` that say what sentinels are to do.

use std::time::Duration;

use clap::Args;
use humantime::format_duration;
use shardlab::plan::{FIRST_SENTINEL_PORT, PlanError, Sentinels, Topology};

use super::common::server_time;
use super::compared::Compared;

/// What is asked of sentinels.
#[derive(Debug, Clone, Args)]
pub(crate) struct SentinelArgs {
    /// Number of sentinels [default: 3].
    #[arg(long, value_name = "N", help_heading = "Sentinel")]
    sentinels: Option<usize>,
    /// The sentinels' name for the master [default: mymaster].
    #[arg(long, value_name = "NAME", help_heading = "Sentinel")]
    master_name: Option<String>,
    /// How many sentinels must agree that the master is down [default: the majority].
    #[arg(long, value_name = "N", help_heading = "Sentinel")]
    quorum: Option<usize>,
    /// The first sentinel's port, the others follow [default: 27001; any free ports with `--port auto`].
    #[arg(long, value_name = "PORT", help_heading = "Sentinel")]
    sentinel_port: Option<u16>,
    /// Sentinel's down-after-milliseconds [default: 5s].
    #[arg(long, value_name = "TIME", value_parser = server_time, help_heading = "Sentinel")]
    down_after: Option<Duration>,
    /// Sentinel's failover-timeout [default: 10s].
    #[arg(long, value_name = "TIME", value_parser = server_time, help_heading = "Sentinel")]
    failover_timeout: Option<Duration>,
}

impl SentinelArgs {
    /// What is asked for, over defaults.
    ///
    /// # Errors
    /// Something is asked of sentinels that the topology does not have.
    pub(super) fn over(
        &self,
        topology: Topology,
        defaults: Sentinels,
    ) -> Result<Sentinels, PlanError> {
        if topology != Topology::Sentinel
            && let Some(option) = self.against(&defaults).iter().find_map(Compared::given)
        {
            return Err(PlanError::Misfit {
                asked: format!("`{option}`").into(),
                topology,
                reason: "only `--topology sentinel` has sentinels".into(),
            });
        }
        let majority = self.sentinels.map(|count| count / 2 + 1);
        Ok(Sentinels {
            count: self.sentinels.unwrap_or(defaults.count),
            quorum: self.quorum.or(majority).unwrap_or(defaults.quorum),
            port: self.sentinel_port.or(defaults.port),
            down_after: self.down_after.unwrap_or(defaults.down_after),
            failover_timeout: self.failover_timeout.unwrap_or(defaults.failover_timeout),
            master_name: self.master_name.clone().unwrap_or(defaults.master_name),
        })
    }

    /// Each option beside what is so in a cluster that is there.
    pub(super) fn against(&self, there: &Sentinels) -> [Compared; 6] {
        // Without `..`: the compiler names the option that is missing below.
        let Self {
            sentinels,
            master_name,
            quorum,
            sentinel_port,
            down_after,
            failover_timeout,
        } = self;
        let port = there.port.unwrap_or(FIRST_SENTINEL_PORT);
        let time = |name, asked: Option<Duration>, there| {
            Compared::of(name, asked, &there, &format_duration(there))
        };
        let name = &there.master_name;
        [
            Compared::of("--sentinels", *sentinels, &there.count, &there.count),
            Compared::of("--master-name", master_name.clone(), name, name),
            Compared::of("--quorum", *quorum, &there.quorum, &there.quorum),
            Compared::of("--sentinel-port", *sentinel_port, &port, &port),
            time("--down-after", *down_after, there.down_after),
            time(
                "--failover-timeout",
                *failover_timeout,
                there.failover_timeout,
            ),
        ]
    }
}
