//! The only place that starts processes which outlive a function: on a thread of its own, bound to
//! this process's life if so wanted.

use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus};
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};

use nix::sys::signal::Signal;

/// How a process ended, as in "with exit code 1".
pub fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("with exit code {code}"),
        (None, Some(number)) => match Signal::try_from(number) {
            Ok(signal) => format!("by {signal}"),
            Err(_) => format!("by signal {number}"),
        },
        (None, None) => "in an unknown way".to_owned(),
    }
}

/// Makes the command's process get `signal` when the thread that spawns it ends: Linux only;
/// elsewhere the next command sweeps up.
#[cfg_attr(
    not(target_os = "linux"),
    expect(unused_variables, reason = "only Linux has PR_SET_PDEATHSIG")
)]
pub fn die_with_parent(command: &mut Command, signal: Signal) {
    #[cfg(target_os = "linux")]
    {
        let parent = nix::unistd::getpid();
        let hook = move || {
            nix::sys::prctl::set_pdeathsig(signal)?;
            // The parent may have died before the line above.
            if nix::unistd::getppid() == parent {
                Ok(())
            } else {
                Err(io::ErrorKind::NotFound.into())
            }
        };
        #[expect(
            unsafe_code,
            reason = "PR_SET_PDEATHSIG must be set between fork and exec"
        )]
        // SAFETY: the hook makes two system calls, allocates nothing and takes no lock.
        unsafe {
            command.pre_exec(hook);
        }
    }
}

/// The thread that spawns all servers. `PR_SET_PDEATHSIG` follows the thread that forked, not the
/// process: a server spawned from a runtime's thread would die when that thread retires.
pub(super) struct Spawner(mpsc::Sender<(Command, mpsc::Sender<io::Result<Child>>)>);

impl Spawner {
    pub(super) fn spawn(command: Command) -> io::Result<Child> {
        static SPAWNER: OnceLock<Mutex<Spawner>> = OnceLock::new();
        let gone = || io::Error::other("the thread that spawns servers is gone");
        let (answer, answered) = mpsc::channel();
        let spawner = SPAWNER.get_or_init(|| Mutex::new(Self::begin()));
        spawner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .send((command, answer))
            .map_err(|_| gone())?;
        answered.recv().map_err(|_| gone())?
    }

    fn begin() -> Self {
        let (orders, inbox) = mpsc::channel::<(Command, mpsc::Sender<io::Result<Child>>)>();
        std::thread::spawn(move || {
            for (mut command, answer) in inbox {
                let spawned = command.spawn();
                // With it go our own handles of the log, which is locked for the server's life.
                drop(command);
                let _ = answer.send(spawned);
            }
        });
        Self(orders)
    }
}
