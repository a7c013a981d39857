//! Runs a short-lived program to its end, with a deadline, and keeps what it says last.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use tokio::time::timeout;

/// What is kept of each stream, in bytes: a program that never stops talking fills no memory.
const KEPT: usize = 16 * 1024;

/// How many lines of a failed program's last words an error quotes.
const QUOTED_LINES: usize = 8;

/// Runs `command` without input and returns the end of its standard output. The process is
/// gone afterwards, whatever happens: it is killed at the deadline, and if the future is dropped.
pub(super) async fn run(command: &mut Command, deadline: Duration) -> Result<String, RunError> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(RunError::NotStarted)?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let work = async { tokio::join!(last_words(stdout), last_words(stderr), child.wait()) };
    let Ok((stdout, stderr, status)) = timeout(deadline, work).await else {
        // It may have ended by itself just now; then there is nothing left to kill.
        let _ = child.kill().await;
        return Err(RunError::Hung(deadline));
    };
    let (stdout, stderr) = (
        stdout.map_err(RunError::Lost)?,
        stderr.map_err(RunError::Lost)?,
    );
    let status = status.map_err(RunError::Lost)?;
    if status.success() {
        return Ok(stdout);
    }
    let said = if stderr.trim().is_empty() {
        stdout
    } else {
        stderr
    };
    Err(RunError::Failed {
        status,
        said: last_lines(&said),
    })
}

/// Reads a stream to its end and keeps the last [`KEPT`] bytes.
async fn last_words(stream: Option<impl AsyncRead + Unpin>) -> io::Result<String> {
    let mut kept = Vec::new();
    if let Some(mut stream) = stream {
        while stream.read_buf(&mut kept).await? > 0 {
            let surplus = kept.len().saturating_sub(KEPT);
            kept.drain(..surplus);
        }
    }
    Ok(String::from_utf8_lossy(&kept).into_owned())
}

/// The last lines that are not blank.
fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .collect();
    let surplus = lines.len().saturating_sub(QUOTED_LINES);
    lines
        .into_iter()
        .skip(surplus)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Why a program did not do what it was started for.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The system could not start it.
    #[error("it cannot be started: {0}")]
    NotStarted(io::Error),
    /// It was still running at the deadline, and was killed.
    #[error("it did not end within {} and was killed", humantime::format_duration(*.0))]
    Hung(Duration),
    /// It ended with a failure.
    #[error("it ended with {status}{}", quoted(said))]
    Failed {
        /// How it ended.
        status: ExitStatus,
        /// The end of its standard error, or of its standard output if the former is empty.
        said: String,
    },
    /// Its output or its end could not be read.
    #[error("its output cannot be read: {0}")]
    Lost(io::Error),
}

fn quoted(said: &str) -> String {
    if said.is_empty() {
        " and said nothing".to_owned()
    } else if said.contains('\n') {
        format!(" and said:\n  {}", said.replace('\n', "\n  "))
    } else {
        format!(" and said `{said}`")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::process::Command;

    use super::{KEPT, RunError, last_lines, run};

    const SOON: Duration = Duration::from_secs(10);

    fn sh(commands: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", commands]);
        command
    }

    #[tokio::test]
    async fn the_end_of_the_output_is_kept() {
        let flood = "i=0; while [ $i -lt 5000 ]; do echo 12345678; i=$((i+1)); done; echo end";
        let said = run(&mut sh(flood), SOON).await.unwrap();
        assert_eq!(said.len(), KEPT);
        assert!(said.ends_with("12345678\nend\n"));
    }

    #[tokio::test]
    async fn a_failure_quotes_what_the_program_said() {
        let message = |error: RunError| error.to_string();
        assert_eq!(
            run(&mut sh("echo out; echo err >&2; exit 3"), SOON)
                .await
                .map_err(message),
            Err("it ended with exit status: 3 and said `err`".to_owned())
        );
        assert_eq!(
            run(&mut sh("echo one; echo two; exit 1"), SOON)
                .await
                .map_err(message),
            Err("it ended with exit status: 1 and said:\n  one\n  two".to_owned())
        );
        assert_eq!(
            run(&mut sh("exit 1"), SOON).await.map_err(message),
            Err("it ended with exit status: 1 and said nothing".to_owned())
        );
    }

    #[tokio::test]
    async fn a_program_that_hangs_is_killed_at_the_deadline() {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let hang = format!("echo $$ > {}; exec /bin/sleep 1000", pid.display());
        // Short for a quick test, longer if the machine is too busy to get as far as the pid.
        for seconds in [0.1, 1.0, 10.0] {
            let deadline = Duration::from_secs_f64(seconds);
            let error = run(&mut sh(&hang), deadline).await.unwrap_err();
            assert!(matches!(error, RunError::Hung(_)), "{error}");
            if pid.is_file() {
                break;
            }
        }
        let pid = std::fs::read_to_string(pid)
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        let pid = nix::unistd::Pid::from_raw(pid);
        assert_eq!(
            nix::sys::signal::kill(pid, None),
            Err(nix::errno::Errno::ESRCH)
        );
    }

    #[test]
    fn a_quotation_has_the_last_lines_that_are_not_blank() {
        let text = (1..=20)
            .map(|n| n.to_string())
            .collect::<Vec<_>>()
            .join("\n\n");
        assert_eq!(last_lines(&text), "13\n14\n15\n16\n17\n18\n19\n20");
    }
}
