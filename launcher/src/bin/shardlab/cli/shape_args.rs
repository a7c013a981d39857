//! `--shape`

use clap::ValueEnum;
use shardlab::plan::Shape;

/// `--shape`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShapeArg {
    /// Two masters, fewer than a vote needs when one dies
    TwoMasters,
    /// Masters that nobody copies
    NoReplicas,
    /// Masters with two replicas, one and none
    UnevenReplicas,
    /// A master with one slot, one with many small ranges, one with almost all
    Uneven,
    /// A fourth master that owns no slots
    EmptyMaster,
    /// Slot 15495 on its way, with keys on both sides: ASK and TRYAGAIN
    OpenSlot,
    /// Slots that nobody owns: `cluster_state:fail`
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
