//! So many slots to one node.

use super::{Holding, WishError, holdings, master, shares};
use crate::plan::{Reshard, Sources};
use crate::probe::survey::Survey;
use crate::reshape::Move;

/// The moves that fulfil the wish: each source gives in proportion to what it owns, its lowest slots
/// first, as `redis-cli --cluster reshard` does (`clusterManagerComputeReshardTable`), but always
/// as many as were asked for.
///
/// # Errors
/// The sources own too few, the target is among them, a node is not a master or is silent, or the slots
/// are not in order.
pub fn reshard(survey: &Survey, wish: &Reshard) -> Result<Vec<Move>, WishError> {
    if wish.slots == 0 {
        return Err(WishError::NoSlots);
    }
    let holdings = holdings(survey)?;
    master(&holdings, survey, &wish.to)?;
    let mut sources = chosen(&holdings, survey, wish)?;
    let owned = sources.iter().map(Holding::count).sum();
    if wish.slots > owned {
        let names: Vec<_> = sources
            .iter()
            .map(|source| format!("`{}`", source.node))
            .collect();
        return Err(WishError::TooMany {
            wanted: wish.slots,
            owned,
            many: names.len() != 1,
            sources: match names.as_slice() {
                [] => "the other masters".to_owned(),
                [one] => one.clone(),
                [most @ .., last] => format!("{} and {last}", most.join(", ")),
            },
        });
    }
    let weights: Vec<f64> = sources
        .iter()
        .map(|source| f64::from(source.count()))
        .collect();
    let order: Vec<usize> = (0..sources.len()).collect();
    let shares = shares(wish.slots, &weights, &order);
    let moves = sources
        .iter_mut()
        .zip(shares)
        .filter(|(_, share)| *share > 0);
    Ok(moves
        .map(|(source, share)| Move {
            slots: source.give(share),
            from: source.node.clone(),
            to: wish.to.clone(),
        })
        .collect())
}

fn chosen(
    holdings: &[Holding],
    survey: &Survey,
    wish: &Reshard,
) -> Result<Vec<Holding>, WishError> {
    let names = match &wish.from {
        Sources::All => {
            let others = holdings.iter().filter(|holding| holding.node != wish.to);
            return Ok(others.cloned().collect());
        }
        Sources::Nodes(names) => names,
    };
    let mut places = Vec::new();
    for name in names {
        let place = master(holdings, survey, name)?;
        if *name == wish.to {
            return Err(WishError::TargetAmongSources { node: name.clone() });
        }
        if places.contains(&place) {
            return Err(WishError::Twice { node: name.clone() });
        }
        places.push(place);
    }
    Ok(places
        .iter()
        .filter_map(|place| holdings.get(*place).cloned())
        .collect())
}
