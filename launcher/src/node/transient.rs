//! Which refusals pass by themselves. Pure.

/// What a node says, as the first word of an error, that will serve again in a moment: the cluster is
/// being put together anew (`getNodeByQuery`, `cluster.c`), data is loaded, a replica turns to its
/// master, a script runs (`createSharedObjects`, `server.c`), the replicas have not confirmed a SETSLOT
/// in time (`replyToBlockedClientTimedOut`, `blocked.c`, Valkey 8), or the node has changed its role
/// while it waited for them ([`UNBLOCKED`]). The command has not been carried out.
const TRANSIENT: [&[u8]; 7] = [
    b"CLUSTERDOWN",
    b"TRYAGAIN",
    b"LOADING",
    b"MASTERDOWN",
    b"BUSY",
    b"NOREPLICAS",
    UNBLOCKED,
];

/// What a client hears that waited for something when the node's role changed. The node closes the
/// connection behind it (`disconnectOrRedirectAllBlockedClients`, `blocked.c`).
const UNBLOCKED: &[u8] = b"UNBLOCKED";

/// How MIGRATE hands on what the target says (`migrateCommand`, `cluster.c`).
const OF_TARGET: &[u8] = b"ERR Target instance replied with error: ";

/// Whether an error is of a state that passes, of the node itself or of the target of its MIGRATE.
pub(super) fn is_transient(error: &[u8]) -> bool {
    let words = error.strip_prefix(OF_TARGET).unwrap_or(error);
    first_word(words).is_some_and(|word| TRANSIENT.contains(&word))
}

/// Whether nothing comes on this connection after the error.
pub(super) fn ends_connection(error: &[u8]) -> bool {
    first_word(error) == Some(UNBLOCKED)
}

fn first_word(error: &[u8]) -> Option<&[u8]> {
    error.split(|byte| *byte == b' ').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_that_pass_are_told_from_refusals() {
        for error in [
            "CLUSTERDOWN The cluster is down",
            "LOADING Redis is loading the dataset in memory",
            "BUSY Redis is busy running a script.",
            "NOREPLICAS Not enough good replicas to write.",
            "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
            "ERR Target instance replied with error: CLUSTERDOWN Hash slot not served",
        ] {
            assert!(is_transient(error.as_bytes()), "{error}");
        }
        for error in [
            "",
            "ERR Target instance replied with error: BUSYKEY Target key name already exists.",
            "ERR I'm not the owner of hash slot 7",
            "MOVED 7 127.0.0.1:7001",
        ] {
            assert!(!is_transient(error.as_bytes()), "{error}");
        }
    }
}
