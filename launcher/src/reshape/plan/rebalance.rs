//! Slots for every master by its weight.

use std::collections::VecDeque;

use super::{Holding, WishError, holdings, master, shares};
use crate::plan::Rebalance;
use crate::probe::survey::Survey;
use crate::reshape::Move;
use crate::wire::slots::{Slot, SlotRange, SlotRanges};

/// The moves after which every master has its share; none if all are near it. As few slots move as
/// can be, lowest first.
///
/// # Errors
/// The weights sum to nothing, a node is not a master or is silent, or the slots are not in order: one
/// that nobody owns has no place in anybody's share.
pub fn rebalance(survey: &Survey, wish: &Rebalance) -> Result<Vec<Move>, WishError> {
    if !(wish.threshold.is_finite() && wish.threshold >= 0.0) {
        return Err(WishError::Threshold(wish.threshold));
    }
    let holdings = holdings(survey)?;
    for (node, weight) in &wish.weights {
        master(&holdings, survey, node)?;
        if !(weight.is_finite() && *weight >= 0.0) {
            return Err(WishError::Weight {
                node: node.clone(),
                weight: *weight,
            });
        }
    }
    let weights: Vec<f64> = holdings
        .iter()
        .map(|holding| wish.weight(holding))
        .collect();
    balanced(holdings, &weights, wish.threshold)
}

/// The moves after which the masters that `stay`, those that are not there yet included, have all slots, and
/// as many as each other. As few slots move as can be.
///
/// # Errors
/// Slots are on their way, or owned by nobody or twice.
pub(crate) fn evenly(survey: &Survey, stay: &[String]) -> Result<Vec<Move>, WishError> {
    let mut holdings = holdings(survey)?;
    let come = stay.iter().filter(|name| survey.node(name).is_none());
    holdings.extend(come.map(|name| Holding {
        node: name.clone(),
        slots: SlotRanges::default(),
    }));
    let weight = |holding: &Holding| {
        if stay.contains(&holding.node) {
            1.0
        } else {
            0.0
        }
    };
    let weights: Vec<f64> = holdings.iter().map(weight).collect();
    balanced(holdings, &weights, Rebalance::THRESHOLD)
}

/// The moves after which each master has its share by its weight; none if all are so near it.
fn balanced(
    mut holdings: Vec<Holding>,
    weights: &[f64],
    threshold: f64,
) -> Result<Vec<Move>, WishError> {
    if weights.iter().sum::<f64>() <= 0.0 {
        return Err(WishError::Weightless);
    }
    // Among equals, whoever has more keeps more.
    let mut order: Vec<usize> = (0..holdings.len()).collect();
    order.sort_by_key(|place| std::cmp::Reverse(holdings.get(*place).map(Holding::count)));
    let total: u16 = holdings.iter().map(Holding::count).sum();
    if total < Slot::COUNT {
        let mut slots = SlotRanges::from_iter([SlotRange::ALL]);
        let owned = holdings.iter().flat_map(|holding| holding.slots.ranges());
        owned.for_each(|range| slots.remove(*range));
        return Err(WishError::NotCovered { slots });
    }
    let shares = shares(total, weights, &order);
    if holdings
        .iter()
        .zip(&shares)
        .all(|(holding, share)| near(holding.count(), *share, threshold))
    {
        return Ok(Vec::new());
    }
    let mut wants: VecDeque<(String, u16)> = VecDeque::new();
    for (holding, share) in holdings.iter().zip(&shares) {
        let want = share.saturating_sub(holding.count());
        wants.extend((want > 0).then(|| (holding.node.clone(), want)));
    }
    let mut moves = Vec::new();
    for (holding, share) in holdings.iter_mut().zip(&shares) {
        let mut surplus = holding.count().saturating_sub(*share);
        while surplus > 0
            && let Some((to, want)) = wants.front_mut()
        {
            let given = surplus.min(*want);
            moves.push(Move {
                slots: holding.give(given),
                from: holding.node.clone(),
                to: to.clone(),
            });
            surplus -= given;
            *want -= given;
            if *want == 0 {
                wants.pop_front();
            }
        }
    }
    Ok(moves)
}

impl Rebalance {
    fn weight(&self, holding: &Holding) -> f64 {
        match self.weights.get(&holding.node) {
            Some(weight) => *weight,
            None if holding.slots.is_empty() && !self.use_empty => 0.0,
            None => 1.0,
        }
    }
}

fn near(owned: u16, share: u16, threshold: f64) -> bool {
    f64::from(owned.abs_diff(share)) * 100.0 <= threshold * f64::from(share)
}
