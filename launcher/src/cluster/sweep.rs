//! Clusters that nobody owns any more, and those whose removal was interrupted.

use std::time::Duration;

use crate::cluster::Cluster;
use crate::error::Error;
use crate::machine::wait::Deadline;
use crate::node::Node;
use crate::state::{Home, Name, Phase, Record, has_lost_owner, has_owner};

/// Removes private clusters whose owner was killed before it could do so itself, and finishes
/// removals that were interrupted. Returns the names of those that are gone.
///
/// # Errors
/// The state folder cannot be read. What cannot be removed now is left for the next time.
pub async fn sweep(home: &Home) -> Result<Vec<Name>, Error> {
    let mut gone = Vec::new();
    for name in home.names()? {
        if sweep_one(home, &name).await {
            gone.push(name);
        }
    }
    Ok(gone)
}

/// The same of one cluster. Whether there was one, and it is gone.
async fn sweep_one(home: &Home, name: &Name) -> bool {
    if !is_leftover(home, name) {
        return false;
    }
    // Whoever is about to write the first record holds the lock.
    let Ok(lock) = home.lock(name, Deadline::after(Duration::ZERO)).await else {
        return false;
    };
    if !is_leftover(home, name) {
        return false;
    }
    match home.record(name) {
        Ok(Some(record)) => {
            let half_removed = record.phase == Phase::Removing;
            let cluster = Cluster::of(home.clone(), record, false);
            cluster.nodes().iter().for_each(Node::adopt);
            // Whose owner's lock is gone or damaged may have an owner; its servers would not
            // outlive that one.
            if half_removed || has_lost_owner(&home.folder(name)) || !cluster.is_running() {
                return cluster.remove(lock).await.is_ok();
            }
        }
        // Nothing but the folder, which was no cluster yet, or not any more.
        Ok(None) => drop(lock.remove()),
        Err(_) => {}
    }
    false
}

fn is_leftover(home: &Home, name: &Name) -> bool {
    let half_removed = |record: &Record| record.phase == Phase::Removing;
    match home.record(name) {
        // What somebody has moved or copied is for them to remove.
        Ok(Some(record)) if record.displaced.is_some() => false,
        Ok(Some(record)) if half_removed(&record) => true,
        Ok(Some(record)) => record.private && !has_owner(&home.folder(name)),
        // Killed before its first write, or after its last: nothing but the folder is there.
        Ok(None) => !has_owner(&home.folder(name)) && !home.holds_nodes(name),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[tokio::test]
    async fn what_others_keep_in_the_state_folder_is_no_cluster_and_stays() {
        let root = tempfile::tempdir().unwrap();
        let home = Home::at(root.path());
        fs::create_dir(root.path().join("empty")).unwrap();
        fs::create_dir(root.path().join("app")).unwrap();
        fs::write(root.path().join("app/lock"), "").unwrap();
        // A launcher was killed before it had made its first folder.
        fs::create_dir(root.path().join(".shardlab-new-1")).unwrap();
        let deadline = Deadline::after(Duration::from_secs(60));
        let lock = home.lock(&"one".parse().unwrap(), deadline).await.unwrap();
        let names = home.names().unwrap();
        assert_eq!(names.iter().map(Name::as_str).collect::<Vec<_>>(), ["one"]);
        sweep(&home).await.unwrap();
        lock.remove().unwrap();
        let mut left: Vec<_> = fs::read_dir(root.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["app", "empty"]);
        assert!(root.path().join("app/lock").is_file());
    }
}
