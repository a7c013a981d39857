//! What a cluster of many nodes needs of the machine, checked before the first server is spawned.

use nix::sys::resource::{Resource, getrlimit};

use crate::error::Error;

/// What a server needs besides its bus links: listeners, files, clients (`CONFIG_MIN_RESERVED_FDS`
/// is 32, server.h).
const FILES_OF_A_NODE: u64 = 64;
/// Files that the launcher has open besides a connection and a log for each node.
const FILES_OF_THE_LAUNCHER: u64 = 64;
/// A node without data: 7 to 9 MB resident on Redis 5 to 8 and Valkey 8 and 9.
const MEMORY_OF_A_NODE: u64 = 12 << 20;
/// A bus link's buffers, both directions, on both ends.
const MEMORY_OF_A_LINK: u64 = 64 << 10;

/// What so many nodes need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Needs {
    /// Open files of the process that needs the most.
    files: u64,
    /// Bytes, of all nodes together.
    memory: u64,
}

impl Needs {
    fn of(nodes: u64) -> Self {
        let links = nodes.saturating_sub(1).saturating_mul(2);
        let node = FILES_OF_A_NODE + links;
        let launcher = FILES_OF_THE_LAUNCHER + nodes * 2;
        let memory = nodes.saturating_mul(MEMORY_OF_A_NODE + links * MEMORY_OF_A_LINK);
        Self {
            files: node.max(launcher),
            memory,
        }
    }
}

/// Refuses a cluster that the limits of this process or the memory of this machine do not admit.
///
/// # Errors
/// [`Error::Limit`], which names the limit, what is there and what is needed.
pub fn check(nodes: usize) -> Result<(), Error> {
    let needs = Needs::of(nodes as u64);
    let refuse = |what: &'static str, there: u64, needed: u64, hint: &'static str| {
        if there < needed {
            Err(Error::Limit {
                what,
                there,
                needed,
                nodes,
                hint,
            })
        } else {
            Ok(())
        }
    };
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        refuse(
            "open files of a process",
            hard,
            needs.files,
            "`ulimit -n` shows and sets it",
        )?;
    }
    if let Some(free) = free_memory() {
        refuse(
            "free memory, in bytes",
            free,
            needs.memory,
            "a smaller cluster needs less",
        )?;
    }
    Ok(())
}

/// Raises this process's limit on open files as far as it may go, since it talks to all nodes at
/// once; the servers it starts have it, too.
pub fn raise() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
    {
        let _ = nix::sys::resource::setrlimit(
            Resource::RLIMIT_NOFILE,
            hard.min(65_536).max(soft),
            hard,
        );
    }
}

/// Memory that can be had without swapping; unknown where there is no `/proc/meminfo`.
fn free_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    Some(kilobytes.saturating_mul(1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_grow_with_the_mesh() {
        assert_eq!(Needs::of(6).files, 76);
        assert_eq!(Needs::of(1000).files, 2064);
        assert!(Needs::of(6).memory < 100 << 20);
    }

    #[test]
    fn what_the_machine_cannot_hold_is_refused_with_the_limit() {
        let error = check(10_000_000).unwrap_err();
        assert!(
            error.to_string().starts_with("10000000 nodes need "),
            "{error}"
        );
        assert!(error.hint().is_some());
        check(6).unwrap();
    }
}
