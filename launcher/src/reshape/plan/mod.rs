//! Which slots go where: from a wish and what the nodes say, an ordered list of moves. Pure.

mod deal;
mod rebalance;
mod reshard;
#[cfg(test)]
mod tests;

use crate::probe::survey::Survey;
use crate::wire::slots::{Slot, SlotRange, SlotRanges};

pub use crate::error::wish::WishError;

#[doc(inline)]
pub use crate::plan::{Rebalance, Reshard, Sources};
pub(crate) use deal::deal;
pub(crate) use rebalance::evenly;
#[doc(hidden)]
pub use rebalance::rebalance;
#[doc(hidden)]
pub use reshard::reshard;

/// A master and the slots that it says are its own.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Holding {
    node: String,
    slots: SlotRanges,
}

impl Holding {
    fn count(&self) -> u16 {
        self.slots.count()
    }

    /// Takes its lowest slots away.
    fn give(&mut self, count: u16) -> SlotRanges {
        let given: SlotRanges = self.slots.slots().take(usize::from(count)).collect();
        for range in given.ranges() {
            self.slots.remove(*range);
        }
        given
    }
}

/// The masters that speak, with their slots.
///
/// # Errors
/// A slot is on its way, or two nodes say that it is theirs: then a plan would build on sand.
fn holdings(survey: &Survey) -> Result<Vec<Holding>, WishError> {
    if let Some(open) = survey.open_slots().first() {
        return Err(WishError::Open {
            slot: open.slot,
            node: open.node.clone(),
            direction: open.direction,
        });
    }
    let mut holdings: Vec<Holding> = Vec::new();
    for (node, line) in survey.masters() {
        let slots: SlotRanges = line.slots.clone();
        for other in &holdings {
            if let Some(slot) = common(&slots, &other.slots) {
                return Err(WishError::Disputed {
                    slot,
                    one: other.node.clone(),
                    other: node.to_owned(),
                });
            }
        }
        holdings.push(Holding {
            node: node.to_owned(),
            slots,
        });
    }
    Ok(holdings)
}

/// A slot that is in both.
fn common(one: &SlotRanges, other: &SlotRanges) -> Option<Slot> {
    let overlap = |a: SlotRange| {
        other
            .ranges()
            .iter()
            .find(|b| a.start() <= b.end() && b.start() <= a.end())
            .map(|b| a.start().max(b.start()))
    };
    one.ranges().iter().find_map(|range| overlap(*range))
}

/// The place of a master among the holdings.
///
/// # Errors
/// The node is silent, or it is a replica.
fn master(holdings: &[Holding], survey: &Survey, node: &str) -> Result<usize, WishError> {
    let place = holdings.iter().position(|holding| holding.node == node);
    place.ok_or_else(|| match survey.node(node) {
        None => WishError::Silent {
            node: node.to_owned(),
        },
        Some(_) => WishError::NotMaster {
            node: node.to_owned(),
            master: survey.master_of(node).map(ToOwned::to_owned),
        },
    })
}

/// Deals `total` out by weight, whole and exact: what is left after rounding down goes to those with
/// the largest rest, among equals to those that come first in `order`.
fn shares(total: u16, weights: &[f64], order: &[usize]) -> Vec<u16> {
    let sum: f64 = weights.iter().sum();
    if sum <= 0.0 {
        return vec![0; weights.len()];
    }
    let exact: Vec<f64> = weights
        .iter()
        .map(|weight| f64::from(total) * (weight / sum))
        .collect();
    let mut shares: Vec<u16> = exact.iter().map(|share| floor(*share)).collect();
    let mut left = total.saturating_sub(shares.iter().sum());
    let mut ranked: Vec<usize> = order
        .iter()
        .copied()
        .filter(|place| weights.get(*place).is_some_and(|weight| *weight > 0.0))
        .collect();
    let rest = |place: &usize| exact.get(*place).map_or(0.0, |share| share.fract());
    // Rests that differ by rounding errors only are equal; the sort is stable.
    ranked.sort_by_key(|place| std::cmp::Reverse(floor(rest(place) * 10_000.0)));
    for place in ranked.iter().cycle() {
        if left == 0 {
            break;
        }
        if let Some(share) = shares.get_mut(*place) {
            *share += 1;
            left -= 1;
        }
    }
    shares
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the conversion saturates; there are 16384 slots"
)]
fn floor(number: f64) -> u16 {
    // A share that is whole but for a rounding error is whole.
    (number + 1e-9).floor() as u16
}
