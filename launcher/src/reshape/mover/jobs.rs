//! What CLUSTER GETSLOTMIGRATIONS says. Pure.
//!
//! Fields and states: `clusterCommandGetSlotMigrations` and `slotMigrationJobStateToString`
//! (`cluster_migrateslots.c`, Valkey 9.0 and 9.1). The newest job comes first.

use crate::wire::resp::Frame;
use crate::wire::slots::SlotRanges;

/// One migration that a node takes part in, or took part in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::reshape) struct Job {
    /// Whether slots leave the node.
    pub(in crate::reshape) export: bool,
    /// As servers write them: `0-9 20-29`.
    pub(in crate::reshape) slots: String,
    /// The id of the node that gets the slots.
    pub(in crate::reshape) target: String,
    pub(in crate::reshape) state: State,
    /// Why it failed.
    pub(in crate::reshape) message: String,
}

/// How far a migration is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::reshape) enum State {
    Working,
    Succeeded,
    Failed,
    Cancelled,
}

/// Takes the reply apart; `None` if it has another shape.
pub(in crate::reshape) fn jobs(reply: &Frame) -> Option<Vec<Job>> {
    reply.as_array()?.iter().map(job).collect()
}

/// Slots as servers write them.
pub(super) fn spelled(slots: &SlotRanges) -> String {
    let ranges = slots.ranges().iter();
    let ranges: Vec<_> = ranges
        .map(|range| format!("{}-{}", range.start(), range.end()))
        .collect();
    ranges.join(" ")
}

fn job(entry: &Frame) -> Option<Job> {
    let fields = entry.as_array()?;
    let field = |name: &str| {
        let mut pairs = fields.chunks_exact(2);
        let value = pairs.find_map(|pair| match pair {
            [key, value] if key.as_text() == Some(name.as_bytes()) => value.as_text(),
            _ => None,
        })?;
        Some(String::from_utf8_lossy(value).into_owned())
    };
    Some(Job {
        export: field("operation")? == "EXPORT",
        slots: field("slot_ranges")?,
        target: field("target_node").unwrap_or_default(),
        state: match field("state")?.as_str() {
            "success" => State::Succeeded,
            "failed" => State::Failed,
            "cancelled" => State::Cancelled,
            _ => State::Working,
        },
        message: field("message").unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::resp::Value;

    fn text(text: &str) -> Frame {
        Frame::from_value(Value::BulkString(text.as_bytes().to_vec().into()))
    }

    fn entry(state: &str) -> Frame {
        let fields = [
            ["name", "0123"],
            ["operation", "EXPORT"],
            ["slot_ranges", "0-9 20-20"],
            ["target_node", "bb"],
            ["state", state],
            ["message", "why"],
        ];
        let mut fields: Vec<_> = fields.concat().into_iter().map(text).collect();
        fields.extend([text("cow_size"), Frame::from_value(Value::Integer(0))]);
        Frame::from_value(Value::Array(fields))
    }

    #[test]
    fn jobs_are_told_with_their_state() {
        let reply = Frame::from_value(Value::Array(
            ["success", "failed", "cancelled", "replicating"]
                .map(entry)
                .to_vec(),
        ));
        let jobs = jobs(&reply).unwrap();
        let states: Vec<_> = jobs.iter().map(|job| job.state).collect();
        assert_eq!(
            states,
            [
                State::Succeeded,
                State::Failed,
                State::Cancelled,
                State::Working
            ]
        );
        assert_eq!(
            (jobs[0].slots.as_str(), jobs[0].target.as_str()),
            ("0-9 20-20", "bb")
        );
    }

    #[test]
    fn slots_are_spelled_as_the_server_does() {
        assert_eq!(spelled(&"0-9,20".parse().unwrap()), "0-9 20-20");
    }
}
