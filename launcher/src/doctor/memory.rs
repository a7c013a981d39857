//! A node's nodes.conf, made again of what another node remembers of it. Pure.

use std::fmt::Write as _;

/// The nodes.conf of the node that listens on `port` of one of `hosts`, by the nodes.conf of another one; `None` if that
/// one does not know it.
///
/// A line is `id ip:port@cport[,…] flags master ping pong epoch link [slot…]`, the last one
/// `vars currentEpoch E lastVoteEpoch E` (`clusterLoadConfig`, `cluster_legacy.c`).
pub(super) fn made_of(others: &str, hosts: &[String], port: u16) -> Option<String> {
    let mut own = String::new();
    let mut is_known = false;
    for line in others.lines().filter(|line| !line.trim().is_empty()) {
        let mut words: Vec<_> = line
            .split_ascii_whitespace()
            .map(ToOwned::to_owned)
            .collect();
        if let ["vars", "currentEpoch", epoch, ..] =
            line.split_ascii_whitespace().collect::<Vec<_>>()[..]
        {
            // It may have voted in every epoch so far, and votes in none of them again.
            let _ = writeln!(own, "vars currentEpoch {epoch} lastVoteEpoch {epoch}");
            continue;
        }
        let (host, its_port) = words.get(1)?.split_once('@')?.0.rsplit_once(':')?;
        let is_it = its_port == port.to_string() && hosts.iter().any(|one| one == host);
        let flags = words.get_mut(2)?;
        let mut kept: Vec<&str> = flags
            .split(',')
            .filter(|flag| !matches!(*flag, "myself" | "fail" | "fail?"))
            .collect();
        if is_it {
            if kept
                .iter()
                .any(|flag| matches!(*flag, "noaddr" | "handshake"))
            {
                return None;
            }
            kept.insert(0, "myself");
            is_known = true;
        }
        *flags = kept.join(",");
        // Slots on their way are told by their own nodes only.
        words.retain(|word| !word.starts_with('['));
        own.push_str(&words.join(" "));
        own.push('\n');
    }
    is_known.then_some(own)
}

/// The newest epoch that a nodes.conf tells of.
pub(super) fn epoch_of(nodes_conf: &str) -> Option<u64> {
    let vars = nodes_conf
        .lines()
        .find_map(|line| line.strip_prefix("vars currentEpoch "))?;
    vars.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHERS: &str = "\
aa 127.0.0.1:7001@17001,,shard-id=s1 myself,master - 0 0 3 connected 0-99 [100->-bb]\n\
bb 127.0.0.1:7002@17002,,shard-id=s2 master,fail? - 5 6 2 connected 100-16383\n\
vars currentEpoch 7 lastVoteEpoch 2\n";

    fn of_loopback(others: &str, port: u16) -> Option<String> {
        made_of(others, &["127.0.0.1".to_owned(), "::1".to_owned()], port)
    }

    #[test]
    fn a_node_on_the_same_port_of_another_host_is_another_one() {
        let others = OTHERS.replace("127.0.0.1:7002", "10.0.0.1:7002");
        assert_eq!(of_loopback(&others, 7002), None);
        assert!(of_loopback(&OTHERS.replace("127.0.0.1:7002", "::1:7002"), 7002).is_some());
    }

    #[test]
    fn the_other_node_becomes_the_one_that_is_known() {
        let own = "\
aa 127.0.0.1:7001@17001,,shard-id=s1 master - 0 0 3 connected 0-99\n\
bb 127.0.0.1:7002@17002,,shard-id=s2 myself,master - 5 6 2 connected 100-16383\n\
vars currentEpoch 7 lastVoteEpoch 7\n";
        assert_eq!(of_loopback(OTHERS, 7002).as_deref(), Some(own));
        assert_eq!(epoch_of(OTHERS), Some(7));
    }

    #[test]
    fn a_node_that_the_other_does_not_know_is_not_made_up() {
        assert_eq!(of_loopback(OTHERS, 7003), None);
        assert_eq!(
            of_loopback(&OTHERS.replace("master,fail?", "master,noaddr"), 7002),
            None
        );
        assert_eq!(of_loopback("", 7002), None);
        assert_eq!(epoch_of(""), None);
    }
}
