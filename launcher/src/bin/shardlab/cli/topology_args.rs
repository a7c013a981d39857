//! The options of `up` and `run` that say what the nodes are to each other.

use std::time::Duration;

use clap::Args;
use shardlab::plan::{FIRST_SENTINEL_PORT, PlanError, Sentinels, Topology};

use super::common::server_time;

/// Topology and sentinels.
#[derive(Debug, Clone, Args)]
pub(crate) struct TopologyArgs {
    /// How the nodes work together [default: cluster].
    #[arg(long, value_enum, help_heading = "Shape")]
    pub(crate) topology: Option<Topology>,
    /// Number of sentinels [default: 3].
    #[arg(long, value_name = "N", help_heading = "Sentinel")]
    pub(crate) sentinels: Option<usize>,
    /// The sentinels' name for the master [default: mymaster].
    #[arg(long, value_name = "NAME", help_heading = "Sentinel")]
    pub(crate) master_name: Option<String>,
    /// How many sentinels must agree that the master is down [default: the majority].
    #[arg(long, value_name = "N", help_heading = "Sentinel")]
    pub(crate) quorum: Option<usize>,
    /// The first sentinel's port, the others follow [default: 27001; any free ports with `--port auto`].
    #[arg(long, value_name = "PORT", help_heading = "Sentinel")]
    pub(crate) sentinel_port: Option<u16>,
    /// Sentinel's down-after-milliseconds [default: 5s].
    #[arg(long, value_name = "TIME", value_parser = server_time, help_heading = "Sentinel")]
    pub(crate) down_after: Option<Duration>,
    /// Sentinel's failover-timeout [default: 10s].
    #[arg(long, value_name = "TIME", value_parser = server_time, help_heading = "Sentinel")]
    pub(crate) failover_timeout: Option<Duration>,
}

impl TopologyArgs {
    /// The topology, if one was asked for.
    pub(crate) fn topology(&self) -> Option<Topology> {
        self.topology
    }

    /// The sentinels that are asked for, over those that are not.
    ///
    /// # Errors
    /// Something is asked of sentinels that the topology does not have.
    pub(crate) fn sentinels(
        &self,
        topology: Topology,
        defaults: &Sentinels,
    ) -> Result<Sentinels, PlanError> {
        if let (true, Some(option)) = (topology != Topology::Sentinel, self.first_of_sentinels()) {
            return Err(PlanError::Misfit {
                option: option.to_owned(),
                topology,
                reason: "only `--topology sentinel` has sentinels",
            });
        }
        let majority = self.sentinels.map(|count| count / 2 + 1);
        Ok(Sentinels {
            count: self.sentinels.unwrap_or(defaults.count),
            quorum: self.quorum.or(majority).unwrap_or(defaults.quorum),
            port: self.sentinel_port.or(defaults.port),
            down_after: self.down_after.unwrap_or(defaults.down_after),
            failover_timeout: self.failover_timeout.unwrap_or(defaults.failover_timeout),
            master_name: self
                .master_name
                .clone()
                .unwrap_or_else(|| defaults.master_name.clone()),
        })
    }

    /// The first option that means nothing without sentinels.
    fn first_of_sentinels(&self) -> Option<&'static str> {
        let given = [
            ("`--sentinels`", self.sentinels.is_some()),
            ("`--master-name`", self.master_name.is_some()),
            ("`--quorum`", self.quorum.is_some()),
            ("`--sentinel-port`", self.sentinel_port.is_some()),
            ("`--down-after`", self.down_after.is_some()),
            ("`--failover-timeout`", self.failover_timeout.is_some()),
        ];
        given
            .into_iter()
            .find(|(_, given)| *given)
            .map(|(name, _)| name)
    }

    /// Each option that was given and differs from what is there, with what is so instead.
    pub(crate) fn differences(&self, there: &Sentinels) -> Vec<String> {
        let time = |time: Duration| humantime::format_duration(time).to_string();
        let port = there.port.unwrap_or(FIRST_SENTINEL_PORT);
        let checks = [
            (
                self.sentinels.is_none_or(|count| count == there.count),
                "`--sentinels` is",
                there.count.to_string(),
            ),
            (
                self.master_name
                    .as_ref()
                    .is_none_or(|name| *name == there.master_name),
                "`--master-name` is",
                there.master_name.clone(),
            ),
            (
                self.quorum.is_none_or(|quorum| quorum == there.quorum),
                "`--quorum` is",
                there.quorum.to_string(),
            ),
            (
                self.sentinel_port.is_none_or(|asked| asked == port),
                "`--sentinel-port` is",
                port.to_string(),
            ),
            (
                self.down_after
                    .is_none_or(|asked| asked == there.down_after),
                "`--down-after` is",
                time(there.down_after),
            ),
            (
                self.failover_timeout
                    .is_none_or(|asked| asked == there.failover_timeout),
                "`--failover-timeout` is",
                time(there.failover_timeout),
            ),
        ];
        checks
            .into_iter()
            .filter(|(same, ..)| !same)
            .map(|(_, option, now)| format!("{option} {now}"))
            .collect()
    }
}
