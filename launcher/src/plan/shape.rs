//! Clusters that are odd on purpose, for authors of clients: what each shape asks of a plan. Pure.
//!
//! What a plan cannot say is done after the boot (`boot/shaping.rs`).

use thiserror::Error;

use super::{Boot, Options, Shape, Topology};
use crate::machine::message::{Text, text};
use crate::machine::parameter::Parameter;
use crate::wire::slots::{Slot, SlotRange, SlotRanges, key_slot, split_evenly};

/// The hash tag of the keys in the open slot: slot 15495.
pub const OPEN_TAG: &str = "{a}";
/// The slots that [`Shape::Uncovered`] leaves to nobody; `foo` is in one of them.
pub const HOLE: (u16, u16) = (12_100, 12_199);

/// Why a shape cannot be had together with other options.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// It decides something that was asked for differently.
    #[error("the shape `{shape}` decides `{parameter}`; leave out one of the two")]
    Decided {
        /// The shape.
        shape: Shape,
        /// What was asked for besides.
        parameter: Parameter,
    },
    /// It needs more masters.
    #[error("the shape `{shape}` needs at least 2 masters; {masters} was asked for")]
    Masters {
        /// The shape.
        shape: Shape,
        /// How many there are to be.
        masters: usize,
    },
    /// It needs a cluster that is formed.
    #[error("the shape `{0}` is one of a formed cluster; bare and standalone nodes have none")]
    Unformed(Shape),
}

impl ShapeError {
    /// What is wrong.
    pub fn message(&self) -> Text {
        match self {
            Self::Decided { shape, parameter } => text![
                format!("the shape `{shape}` decides "),
                *parameter,
                "; leave out one of the two"
            ],
            Self::Masters { .. } | Self::Unformed(_) => self.to_string().into(),
        }
    }
}

impl Shape {
    /// Writes into options what the shape decides.
    pub fn prepare(self, options: &mut Options) {
        options.shape = Some(self);
        match self {
            Self::TwoMasters => options.masters = 2,
            Self::NoReplicas => options.replicas = vec![0],
            Self::UnevenReplicas => {
                options.masters = 3;
                options.replicas = vec![2, 1, 0];
            }
            Self::Uneven => {
                options.masters = 3;
                options.slots = Some(uneven_slots());
            }
            Self::EmptyMaster => {
                let owners = split_evenly(3).into_iter();
                let owners = owners.map(|range| SlotRanges::from_iter([range]));
                options.masters = 4;
                options.slots = Some(owners.chain([SlotRanges::default()]).collect());
            }
            Self::OpenSlot | Self::Uncovered => {}
        }
    }

    /// Whether options are what the shape wants.
    ///
    /// # Errors
    /// They contradict it.
    pub fn check(self, options: &Options) -> Result<(), ShapeError> {
        let mut wanted = options.clone();
        self.prepare(&mut wanted);
        let decided = [
            (Parameter::Masters, wanted.masters == options.masters),
            (Parameter::Replicas, wanted.replicas == options.replicas),
            (Parameter::Slots, wanted.slots == options.slots),
        ];
        if let Some((parameter, _)) = decided.into_iter().find(|(_, same)| !same) {
            return Err(ShapeError::Decided {
                shape: self,
                parameter,
            });
        }
        if options.boot == Boot::None || options.topology != Topology::Cluster {
            return Err(ShapeError::Unformed(self));
        }
        if self == Self::OpenSlot && options.masters < 2 {
            return Err(ShapeError::Masters {
                shape: self,
                masters: options.masters,
            });
        }
        Ok(())
    }

    /// Whether `shardlab fix` mends it away: then the cluster has no shape any more.
    pub fn is_a_fault(self) -> bool {
        matches!(self, Self::OpenSlot | Self::Uncovered)
    }
}

/// The slots of [`HOLE`].
pub fn hole() -> SlotRanges {
    let slots = (HOLE.0..=HOLE.1).filter_map(Slot::new);
    slots.collect()
}

/// `n1`: almost all, in pieces; `n2`: every other fifty of the first two thousand; `n3`: the slot of `foo`.
fn uneven_slots() -> Vec<SlotRanges> {
    let fifties = (50..2000).step_by(100).flat_map(|first| first..first + 50);
    let pieces: SlotRanges = fifties.filter_map(Slot::new).collect();
    let single = key_slot(b"foo");
    let mut rest = SlotRanges::from_iter([SlotRange::ALL]);
    pieces.ranges().iter().for_each(|piece| rest.remove(*piece));
    rest.remove(single);
    vec![rest, pieces, SlotRanges::from_iter([single])]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Plan, node_count};

    const ALL: [Shape; 7] = [
        Shape::TwoMasters,
        Shape::NoReplicas,
        Shape::UnevenReplicas,
        Shape::Uneven,
        Shape::EmptyMaster,
        Shape::OpenSlot,
        Shape::Uncovered,
    ];

    fn shaped(shape: Shape) -> Options {
        let mut options = Options::default();
        shape.prepare(&mut options);
        options
    }

    #[test]
    fn every_shape_makes_a_plan_in_which_all_slots_are_dealt_out() {
        for shape in ALL {
            let options = shaped(shape);
            shape.check(&options).unwrap();
            let ports = Plan::wanted_ports(&options).unwrap();
            let ports: Vec<_> = ports.into_iter().flatten().collect();
            let plan = Plan::new(&options, &ports).unwrap();
            let slots: u16 = plan.nodes.iter().map(|node| node.slots.count()).sum();
            assert_eq!(slots, Slot::COUNT, "{shape}");
        }
    }

    #[test]
    fn shapes_are_as_they_are_called() {
        assert_eq!(node_count(&shaped(Shape::TwoMasters)), Ok(4));
        assert_eq!(node_count(&shaped(Shape::NoReplicas)), Ok(3));
        assert_eq!(shaped(Shape::UnevenReplicas).replicas, [2, 1, 0]);
        let uneven = shaped(Shape::Uneven).slots.unwrap();
        let sizes: Vec<_> = uneven
            .iter()
            .map(|slots| (slots.count(), slots.ranges().len()))
            .collect();
        assert_eq!(sizes, [(15_383, 22), (1_000, 20), (1, 1)]);
        assert_eq!(shaped(Shape::EmptyMaster).slots.unwrap()[3].count(), 0);
        assert!(hole().contains(key_slot(b"foo")));
        assert_eq!(key_slot(OPEN_TAG.as_bytes()), key_slot(b"a"));
    }

    #[test]
    fn what_contradicts_a_shape_is_named() {
        let mut options = shaped(Shape::TwoMasters);
        options.masters = 5;
        let error = Shape::TwoMasters.check(&options).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the shape `two-masters` decides `masters`; leave out one of the two"
        );
        let mut options = shaped(Shape::OpenSlot);
        options.masters = 1;
        assert!(Shape::OpenSlot.check(&options).is_err());
        options.masters = 2;
        options.boot = Boot::None;
        assert!(Shape::OpenSlot.check(&options).is_err());
    }

    #[test]
    fn names_are_the_same_in_the_record_and_in_words() {
        for shape in ALL {
            let json = serde_json::to_string(&shape).unwrap();
            assert_eq!(json, format!("\"{shape}\""));
        }
    }
}
