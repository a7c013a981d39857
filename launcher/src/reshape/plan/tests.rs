//! Claims about plans.

use proptest::prelude::*;

use super::*;
use crate::probe::survey::Account;
use crate::reshape::Move;

/// A survey of masters n1, n2, … with these slots (`-` for none), and of a replica r1 of n1.
fn survey(slots: &[&str]) -> Survey {
    let mut accounts: Vec<_> = slots
        .iter()
        .zip(1..)
        .map(|(slots, number)| {
            let slots = if *slots == "-" {
                String::new()
            } else {
                slots.replace(',', " ")
            };
            Account::written(
                &format!("n{number}"),
                &format!("id{number} h:1@2 myself,master - 0 0 {number} connected {slots}\n"),
            )
        })
        .collect();
    accounts.push(Account::written(
        "r1",
        "idr1 h:1@2 myself,slave id1 0 0 1 connected\n",
    ));
    accounts.push(Account {
        node: "n9".to_owned(),
        says: Err("it is silent".to_owned()),
    });
    Survey::new(accounts)
}

const THREE: [&str; 3] = ["0-5460", "5461-10922", "10923-16383"];

fn wish(slots: u16, to: &str, from: &[&str]) -> Reshard {
    Reshard {
        slots,
        to: to.to_owned(),
        from: match from {
            [] => Sources::All,
            names => Sources::Nodes(names.iter().map(|name| (*name).to_owned()).collect()),
        },
    }
}

fn weighted(weights: &[(&str, f64)]) -> Rebalance {
    Rebalance {
        weights: weights
            .iter()
            .map(|(node, weight)| ((*node).to_owned(), *weight))
            .collect(),
        ..Rebalance::default()
    }
}

fn told(moves: &[Move]) -> Vec<String> {
    moves
        .iter()
        .map(|part| format!("{} {}>{}", part.slots, part.from, part.to))
        .collect()
}

/// Who has what after the moves. Fails if a node gives what it does not have.
fn after(survey: &Survey, moves: &[Move]) -> Vec<SlotRanges> {
    let mut holdings = holdings(survey).unwrap();
    for part in moves {
        for holding in &mut holdings {
            let slots = &mut holding.slots;
            let ranges = part.slots.ranges().iter();
            let before = slots.count();
            if holding.node == part.from {
                ranges.for_each(|range| slots.remove(*range));
                let gone = before - slots.count();
                assert_eq!(gone, part.slots.count(), "{} has not all", part.from);
            } else if holding.node == part.to {
                ranges.for_each(|range| slots.insert(*range));
                let come = slots.count() - before;
                assert_eq!(come, part.slots.count(), "{} has some", part.to);
            }
        }
    }
    holdings.into_iter().map(|holding| holding.slots).collect()
}

#[test]
fn each_source_gives_in_proportion_to_what_it_owns() {
    let survey = survey(&["0-999", "1000-3999", "-"]);
    let moves = reshard(&survey, &wish(100, "n3", &[])).unwrap();
    assert_eq!(told(&moves), ["0-24 n1>n3", "1000-1074 n2>n3"]);
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn masters_that_are_to_come_get_their_share() {
    let (survey, five) = (survey(&THREE), names(&["n1", "n2", "n3", "n4", "n5"]));
    let moves = evenly(&survey, &five).unwrap();
    assert_eq!(crate::reshape::moves::count(&moves), 3277 + 3276);
    assert_eq!(evenly(&survey, &five[..3]).unwrap(), []);
}

#[test]
fn masters_that_do_not_stay_are_emptied() {
    let moves = evenly(&survey(&THREE), &names(&["n1", "n2"])).unwrap();
    assert_eq!(told(&moves), ["10923-13653 n3>n1", "13654-16383 n3>n2"]);
}

#[test]
fn exactly_as_many_slots_move_as_were_asked_for() {
    for slots in [1, 2, 3, 4, 1000, 10922] {
        let moves = reshard(&survey(&THREE), &wish(slots, "n1", &["n2", "n3"])).unwrap();
        assert_eq!(crate::reshape::moves::count(&moves), usize::from(slots));
    }
}

#[test]
fn impossible_reshardings_are_refused_with_the_reason() {
    let cases = [
        (
            wish(0, "n1", &[]),
            "0 slots were asked for, which moves nothing",
        ),
        (
            wish(5462, "n2", &["n1"]),
            "5462 slots are to leave `n1`, which owns 5461",
        ),
        (
            wish(16000, "n1", &["n2", "n3"]),
            "16000 slots are to leave `n2` and `n3`, which own 10923",
        ),
        (
            wish(1, "n1", &["n2", "n1"]),
            "node `n1` cannot give slots to itself",
        ),
        (
            wish(1, "n1", &["n2", "n2"]),
            "node `n2` is named twice as a source",
        ),
        (
            wish(1, "r1", &[]),
            "node `r1` is a replica of `n1`, and slots belong to masters",
        ),
        (
            wish(1, "n2", &["r1"]),
            "node `r1` is a replica of `n1`, and slots belong to masters",
        ),
        (
            wish(1, "n9", &[]),
            "node `n9` is to give or take slots, but it does not answer",
        ),
    ];
    for (wish, message) in cases {
        let error = reshard(&survey(&THREE), &wish).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn nothing_is_planned_while_slots_are_not_in_order() {
    let open = survey(&["0-99 [7->-id2]", "100-199"]);
    let error = reshard(&open, &wish(1, "n2", &[])).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("slot 7 is migrating on node `n1`"),
        "{error}"
    );
    let disputed = survey(&["0-99", "90-199"]);
    let error = rebalance(&disputed, &Rebalance::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "both `n1` and `n2` say that they own slot 90"
    );
    assert!(error.hint().unwrap().to_string().contains("fix"));
    let uncovered = survey(&["0-99", "200-16383"]);
    let error = rebalance(&uncovered, &Rebalance::default()).unwrap_err();
    assert_eq!(error.to_string(), "no node that answers owns slots 100-199");
}

#[test]
fn a_cluster_in_balance_stays_as_it_is() {
    let moves = rebalance(&survey(&THREE), &Rebalance::default()).unwrap();
    assert_eq!(moves, []);
    // 2 % of 5461 are 109.
    let nearly = survey(&["0-5560", "5561-10922", "10923-16383"]);
    assert_eq!(rebalance(&nearly, &Rebalance::default()).unwrap(), []);
    let exact = Rebalance {
        threshold: 0.0,
        ..Rebalance::default()
    };
    assert_eq!(told(&rebalance(&nearly, &exact).unwrap()), ["0-98 n1>n2"]);
    assert_eq!(rebalance(&survey(&THREE), &exact).unwrap(), []);
}

#[test]
fn an_empty_master_gets_its_share_only_when_it_is_meant() {
    let four = survey(&[THREE[0], THREE[1], THREE[2], "-"]);
    assert_eq!(rebalance(&four, &Rebalance::default()).unwrap(), []);
    let meant = [
        Rebalance {
            use_empty: true,
            ..Rebalance::default()
        },
        weighted(&[("n4", 1.0)]),
    ];
    for wish in meant {
        let moves = rebalance(&four, &wish).unwrap();
        let counts: Vec<_> = after(&four, &moves).iter().map(SlotRanges::count).collect();
        assert_eq!(counts, [4096; 4]);
        assert_eq!(
            told(&moves),
            ["0-1364 n1>n4", "5461-6826 n2>n4", "10923-12287 n3>n4"]
        );
    }
}

#[test]
fn a_weight_of_nothing_empties_a_master() {
    let three = survey(&THREE);
    let moves = rebalance(&three, &weighted(&[("n2", 0.0)])).unwrap();
    let counts: Vec<_> = after(&three, &moves)
        .iter()
        .map(SlotRanges::count)
        .collect();
    assert_eq!(counts, [8192, 0, 8192]);
}

#[test]
fn impossible_weights_are_refused() {
    let three = survey(&THREE);
    let of = |wish: &Rebalance| rebalance(&three, wish).unwrap_err();
    let nothing = weighted(&[("n1", 0.0), ("n2", 0.0), ("n3", 0.0)]);
    assert_eq!(of(&nothing), WishError::Weightless);
    assert!(matches!(
        of(&weighted(&[("n1", -1.0)])),
        WishError::Weight { .. }
    ));
    assert!(matches!(
        of(&weighted(&[("n1", f64::NAN)])),
        WishError::Weight { .. }
    ));
    assert!(matches!(
        of(&weighted(&[("r1", 1.0)])),
        WishError::NotMaster { .. }
    ));
    let threshold = Rebalance {
        threshold: -1.0,
        ..Rebalance::default()
    };
    assert_eq!(of(&threshold), WishError::Threshold(-1.0));
}

/// Masters that own pieces of the slots, in any order; some own none, some slots nobody.
fn some_masters() -> impl Strategy<Value = Vec<String>> {
    let pieces = prop::collection::vec((1_u16..3000, 0_usize..6), 1..20);
    pieces.prop_map(|pieces| {
        let mut slots = vec![SlotRanges::default(); 5];
        let mut start = 0_u16;
        for (length, owner) in pieces {
            let end = start.saturating_add(length - 1).min(16383);
            let (first, last) = (Slot::new(start), Slot::new(end));
            if let (Some(first), Some(last), Some(own)) = (first, last, slots.get_mut(owner)) {
                own.insert(SlotRange::new(first, last).unwrap());
            }
            start = end + 1;
            if start > 16383 {
                break;
            }
        }
        slots.iter().map(ToString::to_string).collect()
    })
}

/// The same masters, the first of which owns also what nobody else does.
fn covered(mut masters: Vec<String>) -> Vec<String> {
    let mut missing = SlotRanges::from_iter([SlotRange::ALL]);
    for owned in masters.iter().filter(|owned| !owned.is_empty()) {
        let owned: SlotRanges = owned.parse().unwrap();
        owned
            .ranges()
            .iter()
            .for_each(|range| missing.remove(*range));
    }
    if let Some(first) = masters.first_mut() {
        *first = [first.as_str(), &missing.to_string()]
            .join(",")
            .trim_matches(',')
            .to_owned();
    }
    masters
}

fn union(slots: &[SlotRanges]) -> (SlotRanges, usize) {
    let all = slots
        .iter()
        .flat_map(|slots| slots.ranges().iter().copied());
    let count = slots.iter().map(|slots| usize::from(slots.count())).sum();
    (all.collect(), count)
}

proptest! {
    #[test]
    fn a_resharding_loses_and_doubles_nothing(masters in some_masters(), wanted in 1_u16..16384) {
        let texts: Vec<&str> = masters.iter().map(String::as_str).collect();
        let survey = survey(&texts);
        let before: Vec<_> = holdings(&survey).unwrap().into_iter().map(|own| own.slots).collect();
        let others: u16 = before.iter().skip(1).map(SlotRanges::count).sum();
        match reshard(&survey, &wish(wanted, "n1", &[])) {
            Err(error) => {
                prop_assert!(wanted > others);
                let refused = matches!(error, WishError::TooMany { .. });
                prop_assert!(refused);
            }
            Ok(moves) => {
                let after = after(&survey, &moves);
                prop_assert_eq!(union(&before), union(&after));
                prop_assert_eq!(after[0].count(), before[0].count() + wanted);
                for (own, then) in before.iter().zip(&after).skip(1) {
                    let exact = f64::from(wanted) * f64::from(own.count()) / f64::from(others);
                    let given = f64::from(own.count() - then.count());
                    prop_assert!((given - exact).abs() < 1.001, "{} is not {}", given, exact);
                }
            }
        }
    }

    #[test]
    fn a_rebalancing_loses_and_doubles_nothing(
        masters in some_masters(),
        weights in prop::collection::vec(0_u8..4, 5),
    ) {
        let masters = covered(masters);
        let texts: Vec<&str> = masters.iter().map(String::as_str).collect();
        let survey = survey(&texts);
        let before: Vec<_> = holdings(&survey).unwrap().into_iter().map(|own| own.slots).collect();
        let weights: Vec<f64> = weights.into_iter().map(f64::from).collect();
        let sum: f64 = weights.iter().sum();
        prop_assume!(sum > 0.0);
        let named = ["n1", "n2", "n3", "n4", "n5"].into_iter().zip(weights.iter().copied());
        let wish = Rebalance { threshold: 0.0, ..weighted(&named.collect::<Vec<_>>()) };
        let moves = rebalance(&survey, &wish).unwrap();
        let after = after(&survey, &moves);
        let total = union(&before);
        prop_assert_eq!(&total, &union(&after));
        for (own, weight) in after.iter().zip(weights) {
            let exact = f64::from(total.0.count()) * weight / sum;
            let off = (f64::from(own.count()) - exact).abs();
            prop_assert!(off < 1.001, "{} is not {}", own.count(), exact);
        }
        // Nobody both gives and takes.
        for one in &moves {
            prop_assert!(moves.iter().all(|other| one.from != other.to));
        }
    }
}
