//! Runs a short-lived program to its end, with a deadline, and keeps what it says last.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use tokio::time::timeout;

use crate::machine::text::excerpt;

/// What is kept of each stream, in bytes: a program that never stops talking fills no memory.
const KEPT: usize = 16 * 1024;

/// How many lines of a failed program's last words an error quotes.
const QUOTED_LINES: usize = 8;

/// How many bytes of such a line.
const QUOTED: usize = 200;

/// How long the streams of a program that has ended are read on: what it wrote is there, and what it has
/// left running may hold them open for ever.
const REST: Duration = Duration::from_millis(200);

/// Runs `command` without input and returns the end of its standard output. The process and what it has
/// started are gone afterwards, whatever happens: they are killed at the deadline, and if the future is
/// dropped.
pub(super) async fn run(command: &mut Command, deadline: Duration) -> Result<String, RunError> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(RunError::NotStarted)?;
    let mut group = Group(child.id());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let mut reading = Box::pin(async {
        tokio::try_join!(
            last_words(stdout, &mut output),
            last_words(stderr, &mut errors)
        )
        .map(drop)
    });
    let ending = async {
        tokio::select! {
            status = child.wait() => (status, None),
            read = &mut reading => (child.wait().await, Some(read)),
        }
    };
    let Ok((status, read)) = timeout(deadline, ending).await else {
        drop(group);
        // It may have ended by itself just now; then there is nothing left to kill.
        let _ = child.kill().await;
        return Err(RunError::Hung(deadline));
    };
    let read = match read {
        Some(read) => Ok(read),
        None => timeout(REST, &mut reading).await,
    };
    drop(reading);
    if let Ok(read) = read {
        // Nobody holds the streams any more: nothing is left.
        group.0 = None;
        read.map_err(RunError::Lost)?;
    }
    let status = status.map_err(RunError::Lost)?;
    let output = String::from_utf8_lossy(&output).into_owned();
    if status.success() {
        return Ok(output);
    }
    let errors = String::from_utf8_lossy(&errors);
    let said = if errors.trim().is_empty() {
        &output
    } else {
        errors.as_ref()
    };
    Err(RunError::Failed {
        status,
        said: last_lines(said),
    })
}

/// The same, of a program and its arguments.
pub(crate) async fn run_words(words: &[String], deadline: Duration) -> Result<String, RunError> {
    let Some((program, arguments)) = words.split_first() else {
        return Ok(String::new());
    };
    run(Command::new(program).args(arguments), deadline).await
}

/// A program's process group, which is killed when this is dropped.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // Nobody left is as good.
            let _ = killpg(Pid::from_raw(leader.cast_signed()), Signal::SIGKILL);
        }
    }
}

/// Reads a stream to its end and keeps the last [`KEPT`] bytes.
async fn last_words(stream: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) -> io::Result<()> {
    if let Some(mut stream) = stream {
        while stream.read_buf(kept).await? > 0 {
            let surplus = kept.len().saturating_sub(KEPT);
            kept.drain(..surplus);
        }
    }
    Ok(())
}

/// The last lines that are not blank.
fn last_lines(text: &str) -> String {
    let lines: Vec<_> = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .collect();
    let surplus = lines.len().saturating_sub(QUOTED_LINES);
    lines
        .into_iter()
        .skip(surplus)
        .map(|line| excerpt(line.as_bytes(), QUOTED, 0))
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
    use std::ops::ControlFlow;
    use std::time::Duration;

    use tokio::process::Command;

    use super::{KEPT, REST, RunError, last_lines, run};
    use crate::machine::wait::{Deadline, until};

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

    #[tokio::test]
    async fn what_a_program_leaves_running_keeps_nobody_waiting_and_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let leave = format!("/bin/sleep 1000 & echo $! > {}; echo said", pid.display());
        let said = run(&mut sh(&leave), Duration::from_secs(60)).await.unwrap();
        assert_eq!(said, "said\n");
        let pid = std::fs::read_to_string(pid).unwrap();
        let stat = format!("/proc/{}/stat", pid.trim());
        let gone = until(Deadline::after(Duration::from_secs(60)), REST, || {
            // Who has died and is not waited for is a zombie.
            let stat = std::fs::read_to_string(&stat).unwrap_or_default();
            std::future::ready(if stat.is_empty() || stat.contains(") Z ") {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(stat)
            })
        });
        assert_eq!(gone.await, Ok(()));
    }

    #[tokio::test]
    async fn a_quotation_is_short_and_printable() {
        let long = format!("printf '\\033[2J%s' {}; exit 1", "x".repeat(1000));
        let error = run(&mut sh(&long), SOON).await.unwrap_err().to_string();
        assert!(error.contains(r"said `\x1b[2Jxx"), "{error}");
        assert!(error.ends_with("xx… (804 more bytes)`"), "{error}");
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
