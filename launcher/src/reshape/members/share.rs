//! Which slots go from where to where when masters come and go. Pure.

use crate::probe::survey::{Account, Survey};
use crate::reshape::Move;
use crate::reshape::plan::{Rebalance, WishError, rebalance};
use crate::wire::slots::{Slot, SlotRanges};
use crate::wire::view::NodeLine;

/// Deals all slots out evenly to the masters that `stay`, those that are not there yet included. As
/// few slots move as can be.
///
/// # Errors
/// Slots are on their way, or owned twice.
pub(super) fn evenly(survey: &Survey, stay: &[String]) -> Result<Vec<Move>, WishError> {
    let mut accounts = survey.accounts().to_vec();
    accounts.retain(|account| account.says.is_ok());
    let come = stay.iter().filter(|name| survey.node(name).is_none());
    accounts.extend(come.map(|name| Account {
        node: name.clone(),
        says: Ok(vec![empty_master(name)]),
    }));
    let survey = Survey::new(accounts);
    let weights = survey
        .masters()
        .filter(|(name, _)| stay.iter().all(|other| other != name))
        .map(|(name, _)| (name.to_owned(), 0.0))
        .collect();
    let wish = Rebalance {
        weights,
        use_empty: true,
        ..Rebalance::default()
    };
    rebalance(&survey, &wish)
}

/// What a node will say of itself once it has joined.
fn empty_master(name: &str) -> NodeLine {
    NodeLine {
        id: name.to_owned(),
        address: String::new(),
        flags: vec!["myself".to_owned(), "master".to_owned()],
        master: None,
        ping_sent: 0,
        pong_received: 0,
        epoch: 0,
        connected: true,
        slots: Vec::new(),
        open: Vec::new(),
    }
}

/// Hands the slots of one master over to others, the same number to each, give or take one; what
/// these have they keep.
pub(super) fn handed(from: &str, slots: &SlotRanges, to: &[String]) -> Vec<Move> {
    let slots: Vec<Slot> = slots.slots().collect();
    let (each, more) = match to.len() {
        0 => return Vec::new(),
        many => (slots.len() / many, slots.len() % many),
    };
    let mut rest = slots.as_slice();
    let mut moves = Vec::new();
    for (rank, to) in to.iter().enumerate() {
        let (part, others) = rest.split_at(each + usize::from(rank < more));
        rest = others;
        if !part.is_empty() {
            moves.push(Move {
                slots: part.iter().copied().collect(),
                from: from.to_owned(),
                to: to.clone(),
            });
        }
    }
    moves
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reshape::moves::count;
    use crate::wire::slots::SlotRange;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn survey(masters: &[(&str, &str)]) -> Survey {
        let account = |(name, slots): &(&str, &str)| {
            let slots: Vec<SlotRange> = slots
                .split_terminator(',')
                .map(|s| s.parse().unwrap())
                .collect();
            Account {
                node: (*name).to_owned(),
                says: Ok(vec![NodeLine {
                    slots,
                    ..empty_master(name)
                }]),
            }
        };
        Survey::new(masters.iter().map(account).collect())
    }

    fn told(moves: &[Move]) -> Vec<String> {
        moves
            .iter()
            .map(|part| format!("{} {}>{}", part.slots.count(), part.from, part.to))
            .collect()
    }

    #[test]
    fn masters_that_are_to_come_get_their_share() {
        let survey = survey(&[
            ("n1", "0-5460"),
            ("n2", "5461-10922"),
            ("n3", "10923-16383"),
        ]);
        let five = names(&["n1", "n2", "n3", "n4", "n5"]);
        let moves = evenly(&survey, &five).unwrap();
        assert_eq!(count(&moves), 3277 + 3276);
        assert_eq!(evenly(&survey, &five[..3]).unwrap(), []);
    }

    #[test]
    fn masters_that_do_not_stay_are_emptied() {
        let survey = survey(&[
            ("n1", "0-5460"),
            ("n2", "5461-10922"),
            ("n3", "10923-16383"),
        ]);
        let moves = evenly(&survey, &names(&["n1", "n2"])).unwrap();
        assert_eq!(told(&moves), ["2731 n3>n1", "2730 n3>n2"]);
    }

    #[test]
    fn what_one_hands_over_is_split_evenly_whatever_the_others_have() {
        let moves = handed("n9", &"0-9".parse().unwrap(), &names(&["n1", "n2", "n3"]));
        assert_eq!(told(&moves), ["4 n9>n1", "3 n9>n2", "3 n9>n3"]);
        assert_eq!(count(&moves), 10);
        let one = handed("n9", &"7".parse().unwrap(), &names(&["n1", "n2"]));
        assert_eq!(told(&one), ["1 n9>n1"]);
    }
}
