//! `reap`: removes a private cluster as soon as its owner is gone. Not for users.
//!
//! What `run` starts dies with it, by a signal of the kernel. What another command starts in the
//! cluster is that command's child, which ends long before: this process stays for it.

use std::ops::ControlFlow;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use shardlab::cluster::sweep::sweep;
use shardlab::machine::wait::{Deadline, until};
use shardlab::state::{Home, Lock, Name, has_owner};
use shardlab::{Error, exit};

/// How often the owner is looked for.
const LOOK: Duration = Duration::from_millis(50);
/// How long the removal is tried: a command that the owner's death has caught may hold the lock.
const PATIENCE: Duration = Duration::from_secs(120);

/// Sees to it that the nodes of this cluster, if it is private, do not outlive its owner.
///
/// # Errors
/// The record cannot be read, or the process not be started.
pub(super) fn ensure(home: &Home, lock: &Lock) -> Result<(), Error> {
    let is_private = (home.record(lock.name())?).is_some_and(|record| record.private);
    if !is_private || !has_owner(lock.folder()) {
        return Ok(());
    }
    let Some(right) = lock.begin_reaper()? else {
        return Ok(());
    };
    let failed = |source| Error::Io {
        action: "start the process that removes",
        path: lock.folder().to_owned(),
        source,
    };
    let program = std::env::current_exe().map_err(failed)?;
    let mut command = Command::new(program);
    command
        .arg("reap")
        .arg("--name")
        .arg(lock.name().as_str())
        .arg("--home")
        .arg(home.root())
        // It holds the right as long as it lives.
        .stdin(right)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .current_dir("/")
        .process_group(0);
    command.spawn().map(drop).map_err(failed)
}

/// Waits until the cluster has no owner, then removes it.
pub(crate) async fn reap(home: &Home, name: &Name) -> Result<u8, Error> {
    let folder = home.folder(name);
    let owned = || {
        std::future::ready(if has_owner(&folder) {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        })
    };
    let _ = until(Deadline::after(Duration::MAX), LOOK, owned).await;
    let removed = until(Deadline::after(PATIENCE), LOOK, || async {
        let there = home.record(name);
        match there {
            Ok(Some(record)) if record.private && !has_owner(&folder) => match sweep(home).await {
                Ok(_) => ControlFlow::Continue(()),
                Err(error) => ControlFlow::Break(Err(error)),
            },
            there => ControlFlow::Break(there.map(drop)),
        }
    });
    removed
        .await
        .unwrap_or_else(|()| Err(Error::Busy { name: name.clone() }))?;
    home.remove_if_empty();
    Ok(exit::DONE)
}
