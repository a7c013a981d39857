//! Processes by identity: a pid alone may have been given to somebody else meanwhile, so it always
//! goes with the moment at which its process started, and with the place where the pid counts.

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

/// A process that cannot be confused with a later one of the same pid.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessId {
    /// The kernel's number.
    pub pid: i32,
    /// When it started: on Linux clock ticks since boot (`/proc/PID/stat`, field 22), elsewhere
    /// what `ps -o lstart=` prints. Opaque; only compared. Empty where the system does not tell.
    pub started: String,
    /// Where the pid counts; absent where the system does not tell, and in records of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// Where a pid means something: in one pid namespace (a container has its own) of one boot of one
/// machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Random, new with each boot (`/proc/sys/kernel/random/boot_id`).
    pub boot: String,
    /// As in `pid:[4026531836]` (`/proc/self/ns/pid`).
    pub pid_namespace: String,
    /// The host name, for people: Docker's is the container's id.
    pub host: String,
}

impl Place {
    /// Where this process is; `None` where the system does not tell.
    pub fn here() -> Option<&'static Self> {
        os::place()
    }

    /// Whether pids of that place mean the same processes here.
    pub fn is_here(&self) -> bool {
        Self::here()
            .is_some_and(|here| here.boot == self.boot && here.pid_namespace == self.pid_namespace)
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "host name `{}`, {}", self.host, self.pid_namespace)
    }
}

impl ProcessId {
    /// The process that has this pid now, unless it is gone or a zombie.
    pub fn of(pid: i32) -> Option<Self> {
        Some(Self {
            pid,
            started: os::started(pid)?,
            place: Place::here().cloned(),
        })
    }

    /// The process of this pid where the system does not tell when it started. Only for a pid that
    /// something else vouches for.
    pub(crate) fn untold(pid: i32) -> Option<Self> {
        let process = Self {
            pid,
            started: String::new(),
            place: None,
        };
        process.is_alive().then_some(process)
    }

    /// Whether the process still runs, or at least one of its threads (a zombie does not). Never
    /// true of a process of another place.
    pub fn is_alive(&self) -> bool {
        if self.place.as_ref().is_some_and(|place| !place.is_here()) {
            return false;
        }
        if tells_of_processes() {
            os::started(self.pid).as_deref() == Some(self.started.as_str())
        } else {
            // Servers lead their own process group, which most others do not.
            let pid = Pid::from_raw(self.pid);
            self.started.is_empty() && nix::unistd::getpgid(Some(pid)) == Ok(pid)
        }
    }

    /// Whether the process stands still after SIGSTOP, until SIGCONT.
    pub fn is_stopped(&self) -> bool {
        self.is_alive() && os::is_stopped(self.pid)
    }

    /// Sends a signal to the process, if it still runs.
    ///
    /// # Errors
    /// What the kernel says; [`Errno::ESRCH`] if the process is gone.
    pub fn signal(&self, signal: Signal) -> Result<(), Errno> {
        if self.is_alive() {
            kill(Pid::from_raw(self.pid), signal)
        } else {
            Err(Errno::ESRCH)
        }
    }

    /// Sends a signal to the process and to what it has forked: nodes lead their own process group.
    ///
    /// # Errors
    /// What the kernel says; [`Errno::ESRCH`] if the process is gone.
    pub fn signal_group(&self, signal: Signal) -> Result<(), Errno> {
        if self.is_alive() {
            killpg(Pid::from_raw(self.pid), signal)
        } else {
            Err(Errno::ESRCH)
        }
    }
}

/// Whether the system tells of processes: not where `/proc` is not mounted, or is the one of another
/// pid namespace, whose pids are not ours.
pub fn tells_of_processes() -> bool {
    os::tells()
}

#[cfg(target_os = "linux")]
mod os {
    use std::fs;
    use std::path::Path;
    use std::sync::OnceLock;

    use super::Place;

    pub(super) fn tells() -> bool {
        static TELLS: OnceLock<bool> = OnceLock::new();
        *TELLS.get_or_init(|| {
            let own = std::process::id().to_string();
            fs::read_link("/proc/self").is_ok_and(|link| link == Path::new(&own))
        })
    }

    pub(super) fn place() -> Option<&'static Place> {
        static PLACE: OnceLock<Option<Place>> = OnceLock::new();
        PLACE.get_or_init(read_place).as_ref()
    }

    fn read_place() -> Option<Place> {
        if !tells() {
            return None;
        }
        let read = |path: &str| fs::read_to_string(path).ok();
        let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
        Some(Place {
            boot: read("/proc/sys/kernel/random/boot_id")?.trim().to_owned(),
            pid_namespace: namespace.to_string_lossy().into_owned(),
            host: read("/proc/sys/kernel/hostname")
                .unwrap_or_default()
                .trim()
                .to_owned(),
        })
    }

    pub(super) fn started(pid: i32) -> Option<String> {
        if !tells() {
            return None;
        }
        let (state, started) = state_and_start(pid)?;
        let is_zombie = matches!(state.as_str(), "Z" | "X") && threads(pid) <= 1;
        (!is_zombie).then_some(started)
    }

    pub(super) fn is_stopped(pid: i32) -> bool {
        state_and_start(pid).is_some_and(|(state, _)| state == "T")
    }

    /// Fields 3 and 22 of `/proc/PID/stat` (proc(5)).
    fn state_and_start(pid: i32) -> Option<(String, String)> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The second field is the program's name in parentheses, which may hold anything.
        let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace();
        Some((fields.next()?.to_owned(), fields.nth(18)?.to_owned()))
    }

    /// A leader that has ended is a zombie while its other threads still hold ports and locks.
    fn threads(pid: i32) -> usize {
        fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count)
    }
}

#[cfg(not(target_os = "linux"))]
mod os {
    use std::process::Command;

    pub(super) fn tells() -> bool {
        true
    }

    pub(super) fn place() -> Option<&'static super::Place> {
        None
    }

    fn ps(pid: i32, column: &str) -> Option<String> {
        let output = Command::new("ps")
            .args(["-o", column, "-p", &pid.to_string()])
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        (!text.is_empty()).then_some(text)
    }

    pub(super) fn started(pid: i32) -> Option<String> {
        if ps(pid, "stat=")?.starts_with('Z') {
            None
        } else {
            ps(pid, "lstart=")
        }
    }

    pub(super) fn is_stopped(pid: i32) -> bool {
        ps(pid, "stat=").is_some_and(|state| state.starts_with('T'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reused_pid_is_not_the_process() {
        let me = ProcessId::of(nix::unistd::getpid().as_raw()).unwrap();
        assert!(me.is_alive());
        let other = ProcessId {
            started: "long ago".to_owned(),
            ..me
        };
        assert!(!other.is_alive());
        assert_eq!(other.signal(Signal::SIGKILL), Err(Errno::ESRCH));
        assert_eq!(other.signal_group(Signal::SIGKILL), Err(Errno::ESRCH));
    }

    #[test]
    fn a_pid_counts_only_where_it_was_given() {
        let me = ProcessId::of(nix::unistd::getpid().as_raw()).unwrap();
        let here = me.place.clone().unwrap();
        for place in [
            Place {
                boot: "another one".to_owned(),
                ..here.clone()
            },
            Place {
                pid_namespace: "pid:[1]".to_owned(),
                ..here.clone()
            },
        ] {
            let elsewhere = ProcessId {
                place: Some(place),
                ..me.clone()
            };
            assert!(!elsewhere.is_alive());
            assert_eq!(elsewhere.signal(Signal::SIGCONT), Err(Errno::ESRCH));
        }
        let renamed = Place {
            host: "renamed".to_owned(),
            ..here
        };
        assert!(renamed.is_here());
        let older: ProcessId = serde_json::from_value(serde_json::json!({
            "pid": me.pid, "started": me.started
        }))
        .unwrap();
        assert!(older.is_alive(), "a record of an older version");
    }
}
