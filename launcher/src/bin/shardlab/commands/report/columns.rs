//! The columns in which nodes are told, and which of them fit.

use shardlab::plan::{Role, Topology};

use super::NodeReport;
use super::figures::Figures;
use crate::term::table;

/// What is told of every node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Node,
    Address,
    Port,
    Role,
    Slots,
    Keys,
    Offset,
    Lag,
    Link,
    Bus,
    Epoch,
    Memory,
    State,
    Pid,
}

/// After a start: where the nodes are.
pub(super) const PLACES: &[Column] = &[
    Column::Node,
    Column::Address,
    Column::Role,
    Column::Slots,
    Column::Pid,
];

/// At a look: also how they fare.
pub(super) const FIGURES: &[Column] = &[
    Column::Node,
    Column::Address,
    Column::Role,
    Column::Slots,
    Column::Keys,
    Column::Lag,
    Column::Memory,
    Column::Pid,
];

/// While one looks on.
pub(super) const LIVE: &[Column] = &[
    Column::Node,
    Column::Port,
    Column::Role,
    Column::Slots,
    Column::Keys,
    Column::Offset,
    Column::Lag,
    Column::Link,
    Column::Bus,
    Column::Epoch,
    Column::Memory,
    Column::State,
];

/// What is left out first where there is little room.
const EXPENDABLE: [Column; 6] = [
    Column::Bus,
    Column::Offset,
    Column::Memory,
    Column::Epoch,
    Column::Link,
    Column::Slots,
];

/// Slots of a node that are shown of many.
const SLOTS_SHOWN: usize = 23;

impl Column {
    fn title(self) -> &'static str {
        match self {
            Self::Node => "NODE",
            Self::Address => "ADDRESS",
            Self::Port => "PORT",
            Self::Role => "ROLE",
            Self::Slots => "SLOTS",
            Self::Keys => "KEYS",
            Self::Offset => "OFFSET",
            Self::Lag => "LAG",
            Self::Link => "LINK",
            Self::Bus => "BUS",
            Self::Epoch => "EPOCH",
            Self::Memory => "MEMORY",
            Self::State => "STATE",
            Self::Pid => "PID",
        }
    }

    fn cell(self, node: &NodeReport) -> String {
        let nothing = || "-".to_owned();
        let figure =
            |tell: fn(&Figures) -> String| node.figures.as_ref().map_or_else(nothing, tell);
        match self {
            Self::Node => node.node.clone(),
            Self::Address => node.address.to_string(),
            Self::Port => node.port.to_string(),
            Self::Role => match (&node.role, &node.master) {
                (Role::Master, _) => "master".to_owned(),
                (Role::Replica, Some(master)) => format!("replica of {master}"),
                (Role::Replica, None) => "replica".to_owned(),
                (Role::Sentinel, _) => "sentinel".to_owned(),
            },
            Self::Slots if node.slots.is_empty() => nothing(),
            Self::Slots => node.slots.to_string(),
            Self::Keys => figure(Figures::keys),
            Self::Offset => figure(Figures::offset),
            Self::Lag => figure(Figures::lag),
            Self::Link => figure(Figures::master_link),
            Self::Bus => node
                .bus
                .as_ref()
                .map_or_else(nothing, |bus| format!("{}/{}", bus.connected, bus.known)),
            Self::Epoch => node.epoch.map_or_else(nothing, |epoch| epoch.to_string()),
            Self::Memory => figure(Figures::memory),
            Self::State => {
                let state = match (node.pid, node.rung) {
                    _ if node.paused => "paused",
                    (_, Some(_)) => "up",
                    (None, None) if node.ours && !node.unseen => "dead",
                    _ => "silent",
                };
                state.to_owned()
            }
            Self::Pid => match node.pid {
                Some(pid) if node.paused => format!("{pid} (paused)"),
                Some(pid) => pid.to_string(),
                None if node.unseen => "elsewhere".to_owned(),
                None if node.ours => "not running".to_owned(),
                None => "not ours".to_owned(),
            },
        }
    }
}

/// Those that mean something: without cluster mode there is neither slot nor epoch nor bus.
fn meaningful(columns: &[Column], topology: Topology) -> Vec<Column> {
    let clustered = [Column::Slots, Column::Bus, Column::Epoch];
    let means = |column: &&Column| topology.is_cluster() || !clustered.contains(column);
    columns.iter().filter(means).copied().collect()
}

/// The table of these columns.
pub(super) fn tell(nodes: &[NodeReport], columns: &[Column], topology: Topology) -> String {
    rows(nodes, &meaningful(columns, topology), Column::cell)
}

/// The lines of a live table that is at most so wide: the least needed columns are left out, and
/// many slots are cut short.
pub(super) fn fitted(nodes: &[NodeReport], topology: Topology, width: usize) -> Vec<String> {
    let mut columns = meaningful(LIVE, topology);
    let mut expendable = EXPENDABLE.into_iter();
    loop {
        let table = rows(nodes, &columns, short_cell);
        let lines: Vec<_> = table.lines().map(ToOwned::to_owned).collect();
        let widest = lines.iter().map(|line| line.chars().count()).max();
        match (widest, expendable.next()) {
            (Some(widest), Some(least)) if widest > width => columns.retain(|one| *one != least),
            _ => return lines,
        }
    }
}

fn rows(
    nodes: &[NodeReport],
    columns: &[Column],
    cell: fn(Column, &NodeReport) -> String,
) -> String {
    let row = |node: &NodeReport| columns.iter().map(|column| cell(*column, node)).collect();
    let mut rows = vec![
        columns
            .iter()
            .map(|column| column.title().to_owned())
            .collect(),
    ];
    rows.extend(nodes.iter().map(row));
    table(&rows)
}

fn short_cell(column: Column, node: &NodeReport) -> String {
    let cell = column.cell(node);
    if column != Column::Slots || cell.chars().count() <= SLOTS_SHOWN {
        return cell;
    }
    let kept: String = cell.chars().take(SLOTS_SHOWN - 1).collect();
    format!("{kept}…")
}
