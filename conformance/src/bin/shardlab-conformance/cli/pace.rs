//! How a run goes: how much at once, how slowly, and how long.

use std::time::Duration;

use clap::Args;
use shardlab_conformance::run::{Limits, jobs_by_default};

use super::values::factor;

/// How a run goes.
#[derive(Debug, Args)]
pub(crate) struct Pace {
    /// How many cases to run at once
    #[arg(long, short, value_name = "N", default_value_t = jobs_by_default(), value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: u8,
    /// Multiply every deadline by this factor
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor)]
    slow: f64,
    /// How long the whole run may take, in seconds; with several servers, that of each
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    timeout: u64,
}

impl Pace {
    /// How many cases run at once.
    pub(crate) fn jobs(&self) -> usize {
        self.jobs.into()
    }

    /// The deadlines within a case.
    pub(crate) fn limits(&self) -> Limits {
        Limits::default().slower(self.slow)
    }

    /// How long the whole run may take.
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}
