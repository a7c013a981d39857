//! What single nodes report of slots and of each other. Pure.

use crate::probe::survey::Survey;
use crate::wire::slots::SlotRanges;
use crate::wire::view::NodeId;

/// Of some slots: those that a node gives to somebody else, and those that it does not own.
pub(super) fn split(
    survey: &Survey,
    node: &str,
    id: &NodeId,
    slots: &SlotRanges,
) -> (SlotRanges, SlotRanges) {
    let (mut of_others, mut missing) = (SlotRanges::default(), slots.clone());
    for line in survey.told_by(node) {
        if line.id == *id {
            line.slots
                .ranges()
                .iter()
                .for_each(|range| missing.remove(*range));
        } else {
            let theirs = slots.slots().filter(|slot| line.slots.contains(*slot));
            of_others.extend(theirs);
        }
    }
    (of_others, missing)
}

/// Whether a node has a bus link to the node with this id.
pub(super) fn knows(survey: &Survey, node: &str, id: &NodeId) -> bool {
    survey.told_of(node, id).is_some_and(|line| line.connected)
}

/// Whether a node says of all of these slots that they are its own, and nobody else does.
pub(super) fn owns_alone(survey: &Survey, node: &str, slots: &SlotRanges) -> bool {
    slots
        .slots()
        .all(|slot| survey.owners(slot).eq(std::iter::once(node)))
}

/// The nodes that do not give all of these slots to the node with this id.
pub(super) fn who_reports_otherwise<'a>(
    survey: &'a Survey,
    id: &NodeId,
    slots: &SlotRanges,
) -> Vec<&'a str> {
    let gives_all = |node: &str| {
        let given = survey.slots_told_of(node, id);
        slots.slots().all(|slot| given.contains(slot))
    };
    let speakers = survey.told().map(|(node, _)| node);
    speakers.filter(|node| !gives_all(node)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reshape::check::tests::World;

    #[test]
    fn who_shares_a_slot_or_has_given_it_away_does_not_own_it_alone() {
        let alone = |world: World, node: &str| {
            owns_alone(
                &world.inspection().survey,
                node,
                &"5460-5461".parse().unwrap(),
            )
        };
        let one = || World::sound().says(&["n1"], "0-5460", "0-5461");
        assert!(!alone(World::sound(), "n1"), "5461 is n2's");
        assert!(!alone(one(), "n1"), "n2 says so, too");
        assert!(alone(one().says(&["n2"], "5461-10922", "5462-10922"), "n1"));
    }

    #[test]
    fn slots_are_split_into_those_of_others_and_those_that_are_missing() {
        let world = World::sound().says(&["n1"], "5461-10922", "5463-10922");
        let survey = world.inspection().survey;
        let slots = "5459-5464".parse().unwrap();
        let (of_others, missing) = split(&survey, "n1", &"a1".into(), &slots);
        assert_eq!(
            (of_others.to_string(), missing.to_string()),
            ("5463-5464".to_owned(), "5461-5464".to_owned())
        );
    }

    #[test]
    fn whoever_gives_one_of_the_slots_to_another_does_not_believe() {
        let world = World::sound().says(&["r3"], "0-5460", "0-5459");
        let survey = world.inspection().survey;
        let disbelieving = |slots: &str| {
            let against = who_reports_otherwise(&survey, &"a1".into(), &slots.parse().unwrap());
            against.join(" ")
        };
        assert_eq!(
            (disbelieving("0-9,5460"), disbelieving("0-9")),
            ("r3".to_owned(), String::new())
        );
    }

    #[test]
    fn a_node_knows_whom_it_has_a_link_to() {
        let link = "b3 127.0.0.1:7006@17006 slave a3 0 0 3 connected";
        let world = World::sound().says(&["n2"], link, &link.replace("connected", "disconnected"));
        let survey = world.inspection().survey;
        assert!(knows(&survey, "n1", &"b3".into()));
        assert!(!knows(&survey, "n2", &"b3".into()) && !knows(&survey, "n1", &"ff".into()));
    }
}
