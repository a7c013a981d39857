//! Servers in nodes' folders, whoever started them.
//!
//! A server works in its node's folder and writes to the node's log through the open file that was locked
//! for it ([`lock`]), all from before its first instruction, so it is found even if nobody wrote its pid down.
//! Somebody else's process in the folder has not inherited that file, even if it writes to the log. The lock tells
//! that a server lives also where its process cannot be seen: in another container, or without `/proc`.
//! What a server forks has inherited the file too; the server itself leads their process group.

use std::fs::{self, File};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::unistd::Pid;

use crate::config::{LOG_FILE, PID_FILE};
use crate::machine::process::{ProcessId, tells_of_processes};
use crate::machine::wait::{Deadline, until_blocking};
use crate::state::{open_regular, read_text};

/// How long those who ask whether a log is locked may keep it from being locked.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// A process that works in a folder and holds the lock of a node's log there: a node's server, or what
/// the server has forked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundServer {
    /// The process.
    pub process: ProcessId,
    /// The folder that it works in, as the system names it.
    pub dir: PathBuf,
    /// Whether that folder has been removed meanwhile.
    pub is_removed: bool,
}

/// All servers of nodes that can be seen on this machine, of whatever cluster and state folder, the
/// oldest first. None where there is no `/proc`.
pub fn servers() -> Vec<FoundServer> {
    os::servers()
}

/// The servers that work in a node's folder and what they have forked, the oldest first.
pub(super) fn servers_in(dir: &Path, program: &Path) -> Vec<ProcessId> {
    if cfg!(target_os = "linux") && tells_of_processes() {
        os::servers_in(dir, program)
    } else {
        by_pid_file(dir).into_iter().collect()
    }
}

/// Whether one of [`servers_in`] a folder is the server itself, and not what it has forked, which may
/// outlive it: the child that writes a snapshot.
pub(super) fn is_leader(process: &ProcessId, dir: &Path) -> bool {
    let pid = Pid::from_raw(process.pid);
    nix::unistd::getpgid(Some(pid)) == Ok(pid) || written_pid(dir) == Some(process.pid)
}

/// Whether a process that a record names is the server of the node in this folder, and not somebody
/// else's: a record may be damaged.
pub(super) fn is_server(process: &ProcessId, dir: &Path, program: &Path) -> bool {
    !cfg!(target_os = "linux") || !tells_of_processes() || os::is_server(process.pid, dir, program)
}

/// The server that has locked the log, by its own pid file: whoever starts a server removes the one
/// of the server before.
fn by_pid_file(dir: &Path) -> Option<ProcessId> {
    let pid = written_pid(dir).filter(|_| is_locked(dir))?;
    ProcessId::of(pid).or_else(|| ProcessId::untold(pid))
}

fn written_pid(dir: &Path) -> Option<i32> {
    let text = read_text(&dir.join(PID_FILE)).ok()?;
    text.trim().parse().ok()
}

/// Locks the log that a server is about to write to, for the server's life: it inherits the open
/// file. Returns whether that was possible; it is not while another server lives in the folder.
pub(super) fn lock(log: &File) -> bool {
    let try_lock = || match log.try_lock() {
        Err(fs::TryLockError::WouldBlock) => ControlFlow::Continue(()),
        // A file system without locks: what can be seen has to do.
        Ok(()) | Err(fs::TryLockError::Error(_)) => ControlFlow::Break(()),
    };
    let deadline = Deadline::after(LOCK_TIMEOUT);
    until_blocking(deadline, Duration::from_millis(1), try_lock).is_ok()
}

/// Whether a server lives in the folder, seen or not.
pub(super) fn is_locked(dir: &Path) -> bool {
    // Shared: two that ask at the same time do not take each other for a server.
    let locked = |file: File| matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock));
    open_regular(&dir.join(LOG_FILE), File::options().read(true)).is_ok_and(locked)
}

#[cfg(target_os = "linux")]
mod os {
    use std::ffi::OsStr;
    use std::fs::{self, Metadata};
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::MetadataExt as _;
    use std::path::{Path, PathBuf};

    use crate::config::LOG_FILE;
    use crate::machine::process::ProcessId;
    use crate::node::found::{FoundServer, written_pid};

    /// What the system shows behind the name of a file that has been removed.
    const DELETED: &[u8] = b" (deleted)";

    pub(super) fn servers() -> Vec<FoundServer> {
        let found = pids().filter_map(|pid| {
            let cwd = link(pid, "cwd")?;
            writes_to(pid, &cwd.path).then(|| {
                Some(FoundServer {
                    process: ProcessId::of(pid)?,
                    dir: cwd.path,
                    is_removed: cwd.is_removed,
                })
            })?
        });
        let mut found: Vec<_> = found.collect();
        found.sort_by_key(|server| age(&server.process));
        found
    }

    pub(super) fn servers_in(dir: &Path, program: &Path) -> Vec<ProcessId> {
        // By number: a container may know the folder by another name.
        let there = fs::metadata(dir).ok();
        let named = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        let works_in = |pid: i32| match &there {
            Some(there) => is_same(pid, "cwd", there),
            None => link(pid, "cwd").is_some_and(|cwd| cwd.is_removed && cwd.path == named),
        };
        let log = fs::metadata(dir.join(LOG_FILE)).ok();
        let written = written_pid(dir);
        let program = fs::canonicalize(program).unwrap_or_else(|_| program.to_owned());
        let is_server = |pid: i32| {
            let writes_log = log.as_ref().is_some_and(|log| writes_to_file(pid, log));
            // Somebody may have started it by hand with the node's config, or files cannot be locked here.
            let by_hand =
                || written == Some(pid) && link(pid, "exe").is_some_and(|exe| exe.path == program);
            writes_log || writes_to(pid, &named) || by_hand()
        };
        let mut found: Vec<_> = pids()
            .filter(|pid| works_in(*pid) && is_server(*pid))
            .filter_map(ProcessId::of)
            .collect();
        found.sort_by_key(age);
        found
    }

    /// Wherever it works now: `CONFIG SET dir` takes a server to another folder.
    pub(super) fn is_server(pid: i32, dir: &Path, program: &Path) -> bool {
        let log = fs::metadata(dir.join(LOG_FILE));
        let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let is_log = |output: &&str| log.as_ref().is_ok_and(|log| is_same(pid, output, log));
        // Also where locks cannot be seen.
        let has_log = OUTPUTS.iter().any(is_log);
        log.as_ref().is_ok_and(|log| writes_to_file(pid, log))
            || writes_to(pid, dir)
            || writes_to(pid, &real(dir))
            || link(pid, "exe").is_some_and(|exe| exe.path == real(program))
                && (has_log || !writes_to_some_log(pid))
    }

    /// A server's standard output and error both are its log; a program in front of it may have
    /// taken one of them.
    const OUTPUTS: [&str; 2] = ["fd/1", "fd/2"];

    /// Whether a process has inherited the log of the folder of this name, also if it has been removed.
    fn writes_to(pid: i32, dir: &Path) -> bool {
        let log = dir.join(LOG_FILE);
        let is_log = |output: &str| link(pid, output).is_some_and(|to| to.path == log);
        OUTPUTS
            .iter()
            .any(|output| is_log(output) && is_inherited(pid, output))
    }

    /// Whether it has inherited this log.
    fn writes_to_file(pid: i32, log: &Metadata) -> bool {
        OUTPUTS
            .iter()
            .any(|output| is_same(pid, output, log) && is_inherited(pid, output))
    }

    /// Whether an output is the open file that was locked for a server, or for the one that forked this
    /// process: another open file of the same log has no lock (`fdinfo`, proc(5)).
    fn is_inherited(pid: i32, output: &str) -> bool {
        let number = output.trim_start_matches("fd/");
        let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{number}"));
        info.is_ok_and(|info| {
            info.lines()
                .any(|line| line.starts_with("lock:") && line.contains("FLOCK"))
        })
    }

    /// Whether a process writes to the log of some node.
    fn writes_to_some_log(pid: i32) -> bool {
        let is_log = |to: Link| to.path.file_name().is_some_and(|name| name == LOG_FILE);
        OUTPUTS
            .iter()
            .any(|output| link(pid, output).is_some_and(is_log))
    }

    fn age(process: &ProcessId) -> u64 {
        process.started.parse().unwrap_or(u64::MAX)
    }

    fn pids() -> impl Iterator<Item = i32> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
    }

    struct Link {
        path: PathBuf,
        is_removed: bool,
    }

    fn link(pid: i32, name: &str) -> Option<Link> {
        let to = fs::read_link(format!("/proc/{pid}/{name}")).ok()?;
        let bytes = to.as_os_str().as_bytes();
        let stripped = bytes.strip_suffix(DELETED);
        Some(Link {
            path: PathBuf::from(OsStr::from_bytes(stripped.unwrap_or(bytes))),
            is_removed: stripped.is_some(),
        })
    }

    fn is_same(pid: i32, name: &str, file: &Metadata) -> bool {
        fs::metadata(format!("/proc/{pid}/{name}"))
            .is_ok_and(|found| found.ino() == file.ino() && found.dev() == file.dev())
    }
}

#[cfg(not(target_os = "linux"))]
mod os {
    use std::path::Path;

    use crate::machine::process::ProcessId;
    use crate::node::found::FoundServer;

    pub(super) fn is_server(_pid: i32, _dir: &Path, _program: &Path) -> bool {
        true
    }

    pub(super) fn servers() -> Vec<FoundServer> {
        Vec::new()
    }

    pub(super) fn servers_in(_dir: &Path, _program: &Path) -> Vec<ProcessId> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn log(&self) -> File {
            let log = self.0.path().join(LOG_FILE);
            let options = File::options().append(true).create(true).open(log);
            options.unwrap()
        }

        fn locked_log(&self) -> Stdio {
            let log = self.log();
            assert!(lock(&log));
            log.into()
        }

        fn sleep(&self, output: Stdio) -> Child {
            let mut command = Command::new("sleep");
            command.arg("600").current_dir(self.0.path());
            command.stdout(output).spawn().unwrap()
        }
    }

    fn end(mut child: Child) {
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_server_works_in_its_folder_and_has_inherited_its_log() {
        let folder = Folder::new();
        let dir = folder.0.path().canonicalize().unwrap();
        let (server, stranger, writer) = (
            folder.sleep(folder.locked_log()),
            folder.sleep(Stdio::null()),
            folder.sleep(folder.log().into()),
        );
        let pid = server.id().cast_signed();
        let pids = || -> Vec<i32> {
            let found = servers_in(&dir, Path::new("/bin/other"));
            found.iter().map(|process| process.pid).collect()
        };
        let of_all = || {
            let mut found = servers().into_iter();
            found.find(|found| found.process.pid == pid).unwrap()
        };
        let before = (pids(), of_all());
        // By hand, or by an older version: by the program and its own word.
        fs::write(dir.join(PID_FILE), stranger.id().to_string()).unwrap();
        let sleep = which::which("sleep").unwrap();
        let by_hand = servers_in(&dir, &sleep);
        fs::remove_dir_all(&dir).unwrap();
        let after = (pids(), of_all());
        end(server);
        end(stranger);
        end(writer);
        assert_eq!(before.0, [pid]);
        assert_eq!((before.1.dir, before.1.is_removed), (dir.clone(), false));
        assert_eq!(by_hand.len(), 2, "{by_hand:?}");
        assert_eq!(after.0, [pid], "its folder is removed");
        assert_eq!((after.1.dir, after.1.is_removed), (dir.clone(), true));
        assert_eq!(pids(), [0; 0]);
    }

    #[test]
    fn a_log_is_locked_as_long_as_its_server_lives() {
        let folder = Folder::new();
        let (dir, log) = (folder.0.path(), folder.log());
        assert!(!is_locked(dir));
        assert!(lock(&log));
        let server = folder.sleep(log.into());
        assert!(is_locked(dir), "the server has inherited the lock");
        assert!(!lock(&folder.log()));
        end(server);
        assert!(!is_locked(dir));
        assert!(lock(&folder.log()));
    }
}
