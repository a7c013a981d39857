//! Processes by identity: a pid alone may have been given to somebody else meanwhile, so it always
//! goes with the moment at which its process started.

use std::path::Path;

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
    /// what `ps -o lstart=` prints. Opaque; only compared.
    pub started: String,
}

impl ProcessId {
    /// The process that has this pid now, unless it is gone or a zombie.
    pub fn of(pid: i32) -> Option<Self> {
        Some(Self {
            pid,
            started: os::started(pid)?,
        })
    }

    /// Whether the process still runs, or at least one of its threads (a zombie does not).
    pub fn is_alive(&self) -> bool {
        os::started(self.pid).as_deref() == Some(self.started.as_str())
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

/// The processes whose working folder is `dir`: a node's server works in the node's folder from
/// before its first instruction, so that it is found even if nobody wrote its pid down.
pub fn working_in(dir: &Path) -> Vec<ProcessId> {
    os::working_in(dir)
}

#[cfg(target_os = "linux")]
mod os {
    use std::fs;
    use std::path::Path;

    use super::ProcessId;

    pub(super) fn started(pid: i32) -> Option<String> {
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

    pub(super) fn working_in(dir: &Path) -> Vec<ProcessId> {
        let Ok(dir) = fs::canonicalize(dir) else {
            return Vec::new();
        };
        let Ok(processes) = fs::read_dir("/proc") else {
            return Vec::new();
        };
        processes
            .flatten()
            .filter(|entry| fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == dir))
            .filter_map(|entry| ProcessId::of(entry.file_name().to_str()?.parse().ok()?))
            .collect()
    }
}

#[cfg(not(target_os = "linux"))]
mod os {
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    use super::ProcessId;
    use crate::config::PID_FILE;

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

    // Without /proc the server's own pid file has to do; its folder is named after the port, and
    // the server shows its port in its title.
    pub(super) fn working_in(dir: &Path) -> Vec<ProcessId> {
        let find = || {
            let pid = fs::read_to_string(dir.join(PID_FILE))
                .ok()?
                .trim()
                .parse()
                .ok()?;
            let port = dir.file_name()?.to_str()?;
            ps(pid, "command=")?
                .contains(port)
                .then(|| ProcessId::of(pid))
                .flatten()
        };
        find().into_iter().collect()
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
    fn a_process_is_found_by_the_folder_it_works_in() {
        let dir = tempfile::tempdir().unwrap();
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .current_dir(dir.path())
            .spawn()
            .unwrap();
        let found = working_in(dir.path());
        child.kill().unwrap();
        assert_eq!(
            found.iter().map(|process| process.pid).collect::<Vec<_>>(),
            [child.id().cast_signed()]
        );
        let zombie = &found[0];
        let gone = crate::wait::until_blocking(
            crate::wait::Deadline::after(std::time::Duration::from_secs(60)),
            std::time::Duration::from_millis(1),
            || {
                if zombie.is_alive() {
                    std::ops::ControlFlow::Continue(())
                } else {
                    std::ops::ControlFlow::Break(())
                }
            },
        );
        assert_eq!(
            gone,
            Ok(()),
            "a killed process that nobody has waited for counts as gone"
        );
        child.wait().unwrap();
    }
}
