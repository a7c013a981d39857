//! `run`: a private cluster for one command.

use std::ffi::OsString;
use std::io;
use std::process::ExitStatus;

use nix::sys::signal::{self, SIGTERM, kill};
use nix::unistd::{Pid, getpgrp, tcgetpgrp};
use shardlab::node::die_with_parent;
use shardlab::plan::{Options, PortChoice};
use shardlab::{Cluster, Error, Event, Signal, exit};

use super::builder::{builder, defaults};
use super::env::variables;
use super::hints;
use super::lab::Lab;
use crate::cli::Run;
use shardlab::machine::interrupt::Interrupts;

/// Starts the cluster, runs CMD, removes the cluster; ends with CMD's exit code.
pub(crate) async fn run(lab: &Lab<'_>, args: Run, interrupts: &mut Interrupts) -> u8 {
    let cluster = tokio::select! {
        started = start(lab, &args) => started,
        signal = interrupts.next() => return exit::of_signal(signal.number()),
    };
    let cluster = match cluster {
        Ok(cluster) => cluster,
        Err(error) => {
            let hint = hints::of(&error, Some(&lab.home), &lab.global.name);
            let text = hints::message(&error, &lab.global.name);
            lab.term.error(&text, exit::RUN_FAILED, hint.as_deref());
            return exit::RUN_FAILED;
        }
    };
    let code = command(lab, &cluster, &args.command, interrupts).await;
    drop(cluster);
    code
}

async fn start(lab: &Lab<'_>, args: &Run) -> Result<Cluster, Error> {
    let private = Options {
        ports: PortChoice::Auto,
        persist: false,
        ..defaults(&args.cluster)
    };
    let observe = |event: &Event<'_>| lab.term.event(event);
    builder(lab, &args.cluster, private)?
        .observer(&observe)
        .start()
        .await
}

async fn command(
    lab: &Lab<'_>,
    cluster: &Cluster,
    command: &[OsString],
    interrupts: &mut Interrupts,
) -> u8 {
    let Some((program, arguments)) = command.split_first() else {
        return exit::RUN_NOT_FOUND;
    };
    let mut child = tokio::process::Command::new(program);
    child
        .args(arguments)
        .envs(variables(cluster, lab).await)
        .kill_on_drop(true);
    // CMD's cluster goes when this process is killed, so CMD is asked to go, too.
    die_with_parent(child.as_std_mut(), SIGTERM);
    let mut child = match child.spawn() {
        Ok(child) => child,
        Err(error) => {
            let name = program.to_string_lossy();
            let code = if error.kind() == io::ErrorKind::NotFound {
                exit::RUN_NOT_FOUND
            } else {
                exit::RUN_NOT_RUNNABLE
            };
            lab.term
                .error(&format!("cannot run `{name}`: {error}"), code, None);
            return code;
        }
    };
    loop {
        tokio::select! {
            status = child.wait() => return status.map_or(exit::RUN_FAILED, code_of),
            signal = interrupts.next() => {
                if let Some(pid) = child.id().filter(|_| !comes_from_terminal(signal)) {
                    let passed_on = signal::Signal::try_from(signal.number()).ok();
                    let _ = kill(Pid::from_raw(pid.cast_signed()), passed_on);
                }
            }
        }
    }
}

/// Ctrl-C at a terminal reaches the whole foreground group, CMD included: passed on, CMD would get
/// it twice, and many programs take the second one for "at once". From anywhere else it is ours
/// alone and CMD must be told.
fn comes_from_terminal(signal: Signal) -> bool {
    let in_front = || tcgetpgrp(std::fs::File::open("/dev/tty").ok()?).ok();
    signal == Signal::INT && in_front() == Some(getpgrp())
}

fn code_of(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(code), _) => u8::try_from(code).unwrap_or(exit::RUN_FAILED),
        (None, Some(signal)) => exit::of_signal(signal),
        (None, None) => exit::RUN_FAILED,
    }
}
