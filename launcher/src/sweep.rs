//! Clusters that nobody owns any more.

use std::time::Duration;

use crate::cluster::Cluster;
use crate::error::Error;
use crate::state::{Home, has_owner};
use crate::wait::Deadline;

/// Removes private clusters whose owner was killed before it could do so itself.
///
/// # Errors
/// The state folder cannot be read. What cannot be removed now is left for the next time.
pub async fn sweep(home: &Home) -> Result<(), Error> {
    for name in home.names()? {
        let folder = home.folder(&name);
        let private = match home.record(&name) {
            Ok(Some(record)) => record.private,
            // Killed before its first write: nothing but the folder is there.
            Ok(None) => true,
            Err(_) => false,
        };
        if !private || has_owner(&folder) {
            continue;
        }
        // Whoever is about to write the first record holds the lock.
        let Ok(lock) = home.lock(&name, Deadline::after(Duration::ZERO)).await else {
            continue;
        };
        if has_owner(&folder) {
            continue;
        }
        match home.record(&name) {
            Ok(Some(record)) if record.private => {
                let _ = Cluster::of(home.clone(), record, false).remove(lock).await;
            }
            Ok(None) => drop(lock.remove()),
            _ => {}
        }
    }
    Ok(())
}
