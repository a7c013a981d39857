//! Processor time.

use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

pub(crate) fn own_cpu() -> Duration {
    let usage =
        getrusage(UsageWho::RUSAGE_SELF).map(|usage| usage.user_time() + usage.system_time());
    usage.map_or(Duration::ZERO, |time| {
        Duration::from_micros(time.num_microseconds().unsigned_abs())
    })
}

/// Processor time of another process, all threads: the first field of /proc/PID/task/TID/schedstat,
/// in nanoseconds. (The clock ticks of /proc/PID/stat are too coarse for a boot.)
pub(crate) fn cpu_of(pid: i32) -> Option<Duration> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let times = tasks.flatten().filter_map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        Some(Duration::from_nanos(
            text.split_ascii_whitespace().next()?.parse().ok()?,
        ))
    });
    Some(times.sum())
}
