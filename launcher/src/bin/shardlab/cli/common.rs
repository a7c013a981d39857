//! Arguments of several commands, and times.

use std::time::Duration;

use clap::Args;

/// `--json`
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Json {
    /// Print one JSON object; errors too, on standard error (docs/json.md).
    #[arg(long)]
    pub(crate) json: bool,
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
