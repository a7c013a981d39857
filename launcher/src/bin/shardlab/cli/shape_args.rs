//! `--shape`

use clap::ValueEnum;
use shardlab::plan::Shape;

/// `--shape`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShapeArg {
    /// Two masters: if one dies, the other has no majority to fail over with
    TwoMasters,
    /// Masters without replicas
    NoReplicas,
    /// Three masters: one with two replicas, one with one, one with none
    UnevenReplicas,
    /// Three masters: one with a single slot, one with many small ranges, one with all the rest
    Uneven,
    /// A fourth master, without slots
    EmptyMaster,
    /// Slot 15495 half migrated, with keys on both sides: ASK and TRYAGAIN
    OpenSlot,
    /// Slots without an owner: `cluster_state:fail`
    Uncovered,
}

impl From<ShapeArg> for Shape {
    fn from(shape: ShapeArg) -> Self {
        match shape {
            ShapeArg::TwoMasters => Self::TwoMasters,
            ShapeArg::NoReplicas => Self::NoReplicas,
            ShapeArg::UnevenReplicas => Self::UnevenReplicas,
            ShapeArg::Uneven => Self::Uneven,
            ShapeArg::EmptyMaster => Self::EmptyMaster,
            ShapeArg::OpenSlot => Self::OpenSlot,
            ShapeArg::Uncovered => Self::Uncovered,
        }
    }
}
