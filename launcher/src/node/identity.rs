//! Who a node is to its cluster, by what it has written down: known also while it does not run.

use super::Node;
use crate::config::CLUSTER_FILE;
use crate::state::read_text;
use crate::wire::view::NodeId;

/// The fewest digits of an id that name a node: git's minimum for its own ids. Fewer, and a slip of
/// the finger (`stop 1`) would name one.
const FEWEST_DIGITS: usize = 4;

impl Node {
    /// The node's id, 40 hex digits, as it stands in its nodes.conf; `None` before its first start,
    /// and without cluster mode.
    pub fn id(&self) -> Option<NodeId> {
        let text = read_text(&self.dir().join(CLUSTER_FILE)).ok()?;
        NodeId::new(id_of_myself(&text)?)
    }
}

/// Whether a word can be the beginning of an id.
pub(crate) fn is_id_prefix(word: &str) -> bool {
    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    word.len() >= FEWEST_DIGITS && word.bytes().all(is_digit)
}

/// The first field of the line that carries the flag `myself` (`clusterSaveConfig`,
/// `cluster_legacy.c`: the format is that of CLUSTER NODES).
pub(super) fn id_of_myself(nodes_conf: &str) -> Option<&str> {
    nodes_conf.lines().find_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let (id, flags) = (fields.next()?, fields.nth(1)?);
        flags.split(',').any(|flag| flag == "myself").then_some(id)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_the_one_of_the_line_about_itself() {
        let text = "aa 127.0.0.1:1@2,,shard-id=cc master - 0 0 1 connected 0-99\n\
                    bb 127.0.0.1:3@4,,shard-id=dd myself,slave aa 0 0 1 connected\n\
                    vars currentEpoch 1 lastVoteEpoch 0\n";
        assert_eq!(id_of_myself(text), Some("bb"));
        assert_eq!(id_of_myself("vars currentEpoch 0 lastVoteEpoch 0\n"), None);
        assert_eq!(id_of_myself(""), None);
    }

    #[test]
    fn a_name_or_a_slip_of_the_finger_is_no_prefix_of_an_id() {
        assert!(is_id_prefix("07c3"));
        for word in ["1", "abc", "n1", "7001x", "ABCD", ""] {
            assert!(!is_id_prefix(word), "{word}");
        }
    }
}
