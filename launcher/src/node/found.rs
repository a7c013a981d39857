//! Servers that run in a node's folder, whoever started them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::config::{CONFIG_FILES, PID_FILE};
use crate::process::{ProcessId, working_in};

/// The servers that work in a node's folder. Somebody's shell that stands in it is none.
pub(super) fn servers_in(dir: &Path, program: &Path) -> Vec<ProcessId> {
    let written: Option<i32> = fs::read_to_string(dir.join(PID_FILE))
        .ok()
        .and_then(|text| text.trim().parse().ok());
    let program = fs::canonicalize(program).unwrap_or_else(|_| program.to_owned());
    let configs = CONFIG_FILES.map(|file| dir.join(file));
    working_in(dir)
        .into_iter()
        .filter(|process| {
            written == Some(process.pid) || is_server(process.pid, &program, &configs)
        })
        .collect()
}

#[cfg(target_os = "linux")]
fn is_server(pid: i32, program: &Path, configs: &[PathBuf]) -> bool {
    use std::os::unix::ffi::OsStrExt as _;
    // A program that was replaced meanwhile is shown with " (deleted)" behind it.
    let runs_it = fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| {
        exe == program
            || exe
                .as_os_str()
                .as_bytes()
                .starts_with(program.as_os_str().as_bytes())
    });
    let is_config = |argument: &[u8]| {
        configs
            .iter()
            .any(|config| config.as_os_str().as_bytes() == argument)
    };
    runs_it
        || fs::read(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| line.split(|byte| *byte == 0).any(is_config))
}

#[cfg(not(target_os = "linux"))]
fn is_server(_pid: i32, _program: &Path, _configs: &[PathBuf]) -> bool {
    true
}
