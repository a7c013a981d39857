//! Clusters for cases: shared ones are used again, others are booted ahead of their case.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use shardlab::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinHandle;

use crate::system::launched::{Launched, Launcher, Wish};

/// Starts clusters and keeps those that serve again.
#[derive(Debug)]
pub struct Pool {
    launcher: Launcher,
    idle: Mutex<HashMap<Wish, Vec<Launched>>>,
}

/// A cluster that is booted while other cases run. Dropping it ends the boot.
#[derive(Debug)]
pub struct Booking {
    cluster: oneshot::Receiver<(Result<Launched, Error>, OwnedSemaphorePermit)>,
}

impl Booking {
    /// Waits for the cluster; the next boot may begin then.
    ///
    /// # Errors
    /// It did not come up; `None` if the pool has ended.
    pub async fn take(self) -> Option<Result<Launched, Error>> {
        let (cluster, _permit) = self.cluster.await.ok()?;
        Some(cluster)
    }
}

/// The boots under way; dropping it ends them.
#[derive(Debug)]
pub struct Boots(JoinHandle<()>);

impl Drop for Boots {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Pool {
    /// A pool that starts this server.
    pub fn new(launcher: Launcher) -> Self {
        Self {
            launcher,
            idle: Mutex::default(),
        }
    }

    /// What it starts.
    pub fn launcher(&self) -> &Launcher {
        &self.launcher
    }

    /// A cluster that nobody has used.
    ///
    /// # Errors
    /// It does not come up.
    pub async fn fresh(&self, wish: &Wish) -> Result<Launched, Error> {
        self.launcher.boot(wish).await
    }

    /// A cluster that may have been used, by cases that left nothing behind.
    ///
    /// # Errors
    /// There is none, and a new one does not come up.
    pub async fn shared(&self, wish: &Wish) -> Result<Launched, Error> {
        loop {
            let idle = self.idle().get_mut(wish).and_then(Vec::pop);
            match idle {
                None => return self.fresh(wish).await,
                Some(cluster) if cluster.is_as_born().await => return Ok(cluster),
                // It failed over meanwhile, on a busy machine.
                Some(_) => {}
            }
        }
    }

    /// Keeps a shared cluster for the next case.
    pub fn give_back(&self, wish: Wish, cluster: Launched) {
        self.idle().entry(wish).or_default().push(cluster);
    }

    /// Boots clusters in the order of the wishes, `ahead` of them at most before they are taken.
    /// A wish that nobody waits for any more is passed over.
    pub fn book(self: &Arc<Self>, wishes: Vec<Wish>, ahead: usize) -> (Boots, Vec<Booking>) {
        let (orders, bookings): (Vec<_>, Vec<_>) = wishes
            .into_iter()
            .map(|wish| {
                let (order, cluster) = oneshot::channel();
                ((wish, order), Booking { cluster })
            })
            .unzip();
        let pool = Arc::clone(self);
        let permits = Arc::new(Semaphore::new(ahead.max(1)));
        let boots = tokio::spawn(async move {
            let mut under_way = tokio::task::JoinSet::new();
            for (wish, mut order) in orders {
                let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
                    return;
                };
                if order.is_closed() {
                    continue;
                }
                let pool = Arc::clone(&pool);
                under_way.spawn(async move {
                    let booted = tokio::select! {
                        booted = pool.fresh(&wish) => booted,
                        () = order.closed() => return,
                    };
                    // A cluster that nobody waits for any more is gone with the message.
                    let _ = order.send((booted, permit));
                });
            }
            while under_way.join_next().await.is_some() {}
        });
        (Boots(boots), bookings)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, HashMap<Wish, Vec<Launched>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
