//! Long work on files, away from the runtime's thread: its progress can be told and it ends early
//! when nobody waits for it any more.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use crate::machine::wait::pause;

/// How often progress is told.
const TELL: Duration = Duration::from_millis(100);

/// How far the work on an archive has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveProgress {
    /// Bytes of data that have been worked through.
    pub done: u64,
    /// Bytes of data that there are.
    pub total: u64,
}

/// What the work knows of those who wait for it.
#[derive(Debug, Clone, Default)]
pub(super) struct Job {
    cancelled: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    total: Arc<AtomicU64>,
}

impl Job {
    /// So many bytes there are to be worked through.
    pub(super) fn expect(&self, bytes: u64) {
        self.total.store(bytes, Ordering::Relaxed);
    }

    /// So many more have been.
    ///
    /// # Errors
    /// [`io::ErrorKind::Interrupted`] is not used, since it would be tried again: any other kind says
    /// that nobody waits any more.
    pub(super) fn advance(&self, bytes: usize) -> io::Result<()> {
        self.done.fetch_add(bytes as u64, Ordering::Relaxed);
        if self.cancelled.load(Ordering::Relaxed) {
            Err(io::Error::other("nobody waits for it any more"))
        } else {
            Ok(())
        }
    }

    fn progress(&self) -> ArchiveProgress {
        ArchiveProgress {
            done: self.done.load(Ordering::Relaxed),
            total: self.total.load(Ordering::Relaxed),
        }
    }
}

/// Cancels the work and waits until it has let go of its files.
struct Guard {
    job: Job,
    ended: mpsc::Receiver<()>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.job.cancelled.store(true, Ordering::Relaxed);
        // The sender is dropped with the work, whether it has run or never will.
        let _ = self.ended.recv();
    }
}

/// Does the work on a thread for such. Dropping the future ends it at its next [`Job::advance`].
///
/// # Errors
/// The work's own, or `lost` if its thread has died.
pub(super) async fn run<T: Send + 'static, E: Send + 'static>(
    work: impl FnOnce(&Job) -> Result<T, E> + Send + 'static,
    observe: &(dyn Fn(ArchiveProgress) + Sync),
    lost: impl FnOnce(io::Error) -> E,
) -> Result<T, E> {
    let job = Job::default();
    let (alive, ended) = mpsc::channel::<()>();
    let guard = Guard {
        job: job.clone(),
        ended,
    };
    let mut working = tokio::task::spawn_blocking(move || {
        let _alive = alive;
        work(&job)
    });
    loop {
        tokio::select! {
            result = &mut working => {
                return result.unwrap_or_else(|error| Err(lost(io::Error::other(error))));
            }
            () = pause(TELL) => observe(guard.job.progress()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_nobody_waits_for_ends() {
        let (tell, told) = mpsc::channel();
        let work = move |job: &Job| -> io::Result<()> {
            let result = loop {
                if let Err(error) = job.advance(1) {
                    break Err(error);
                }
            };
            let _ = tell.send(());
            result
        };
        let observed = Arc::new(AtomicBool::new(false));
        let observe = {
            let observed = Arc::clone(&observed);
            move |progress: ArchiveProgress| observed.store(progress.done > 0, Ordering::Relaxed)
        };
        tokio::select! {
            biased;
            result = run(work, &observe, |error| error) => panic!("it ended: {result:?}"),
            () = pause(TELL * 3) => {}
        }
        assert_eq!(told.try_recv(), Ok(()), "the drop has waited for it");
        assert!(observed.load(Ordering::Relaxed));
    }
}
