//! CLUSTER SLOTS, taken apart. Pure.

use std::collections::BTreeSet;

use super::NodeId;
use crate::wire::resp::Frame;

/// One range of CLUSTER SLOTS: who owns it and who copies it, by node id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SlotLine {
    /// The first slot.
    pub start: u16,
    /// The last slot.
    pub end: u16,
    /// The master's id.
    pub master: NodeId,
    /// The replicas' ids.
    pub replicas: BTreeSet<NodeId>,
}

/// Takes CLUSTER SLOTS apart, in slot order; `None` if it has another shape (node ids are there
/// since Redis 4.0).
pub fn slots(reply: &Frame) -> Option<Vec<SlotLine>> {
    let mut lines = reply
        .as_array()?
        .iter()
        .map(slot_line)
        .collect::<Option<Vec<_>>>()?;
    lines.sort();
    Some(lines)
}

fn slot_line(entry: &Frame) -> Option<SlotLine> {
    let [start, end, master, replicas @ ..] = entry.as_array()? else {
        return None;
    };
    let id = |node: &Frame| NodeId::new(str::from_utf8(node.as_array()?.get(2)?.as_text()?).ok()?);
    Some(SlotLine {
        start: u16::try_from(start.as_integer()?).ok()?,
        end: u16::try_from(end.as_integer()?).ok()?,
        master: id(master)?,
        replicas: replicas.iter().map(id).collect::<Option<_>>()?,
    })
}
