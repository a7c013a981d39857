//! The arguments of what keeps a cluster, undoes it, and looks at it.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::Json;

/// `save`
#[derive(Debug, Args)]
pub(crate) struct Save {
    /// The file, such as lab.shardlab; only you can read it, since it holds passwords.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Replace the file if there is one.
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `wipe`
#[derive(Debug, Args)]
pub(crate) struct Wipe {
    /// Names or ports [default: all nodes].
    #[arg(value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `status`
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Look again and again, until Ctrl-C.
    #[arg(long)]
    pub(crate) watch: bool,
    /// How often, from 100ms to 1h.
    #[arg(long, value_name = "TIME", default_value = "1s", requires = "watch", value_parser = every)]
    pub(crate) every: Duration,
    #[command(flatten)]
    pub(crate) json: Json,
}

fn every(text: &str) -> Result<Duration, String> {
    let every =
        humantime::parse_duration(text).map_err(|error| format!("{error}; write 1s or 500ms"))?;
    if (Duration::from_millis(100)..=Duration::from_secs(3600)).contains(&every) {
        Ok(every)
    } else {
        Err("expected a time from 100ms to 1h".to_owned())
    }
}
