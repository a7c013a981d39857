//! Which node of a cluster each name stands for.

use std::collections::{BTreeMap, BTreeSet};

use shardlab::wire::slots::{Slot, SlotRange, split_evenly};

use crate::transcript::ast::{Each, Fit, NodeRole, Topology, Transcript};
use crate::transcript::names;

use super::{NamedShard, Names, Owned, Shape, Shard, owned};

/// The slots of `b`, `c` and `a`, by which `n1`, `n2` and `n3` go where a transcript leaves it open.
const HOMES: [u16; 3] = [3300, 7365, 15495];

/// What a transcript asks of the node `n1`, by number.
#[derive(Debug, Default)]
struct Wanted {
    slots: BTreeSet<Slot>,
    replicas: u16,
}

/// Names for all nodes, so that each name of a transcript is a node as the transcript wants it.
///
/// # Errors
/// What the cluster lacks, in words: `n3 with a replica`.
pub fn bind(transcript: &Transcript, shape: &Shape) -> Result<Names, String> {
    let topology = transcript.header.topology.value;
    let may_share = topology == Topology::Any;
    if let Topology::Cluster {
        masters,
        replicas,
        fit: fit @ (Fit::Exactly | Fit::Even),
    } = topology
    {
        let alike = |(shard, share): (&Shard, SlotRange)| {
            shard.replicas == replicas && (fit == Fit::Exactly || shard.slots.ranges() == [share])
        };
        let shares = split_evenly(masters.into());
        if shape.shards.len() != shares.len() || !shape.shards.iter().zip(shares).all(alike) {
            let alone = if replicas == 0 {
                ", and no replica"
            } else {
                ""
            };
            return Err(format!("it needs {topology}{alone}"));
        }
    }
    let wanted = wanted(transcript);
    let mut chosen: BTreeMap<u16, usize> = BTreeMap::new();
    for (number, wanted) in &wanted {
        if let Some(place) = owner(*number, &wanted.slots, shape)? {
            chosen.insert(*number, place);
        }
    }
    if !may_share {
        distinct(&chosen)?;
    }
    for (number, wanted) in &wanted {
        let place = match chosen.get(number) {
            Some(place) => Some(*place),
            None => free_place(*number, wanted, &chosen, shape, may_share),
        };
        let place = place.ok_or_else(|| missing(*number, wanted.replicas, &chosen))?;
        let there = shape.shards.get(place).map_or(0, |shard| shard.replicas);
        if there < wanted.replicas {
            return Err(format!(
                "it needs a master with {}, and n{number} has {there}",
                count(wanted.replicas)
            ));
        }
        chosen.insert(*number, place);
    }
    Ok(name_all(&chosen, shape))
}

/// Names for all nodes where no transcript says which is which: n1, n2 and n3 own the slots of `b`, `c` and
/// `a` as far as these have different owners.
pub fn name_by_home(shape: &Shape) -> Names {
    let mut chosen = BTreeMap::new();
    for number in [1, 2, 3] {
        let place = free_place(number, &Wanted::default(), &chosen, shape, false);
        chosen.extend(place.map(|place| (number, place)));
    }
    name_all(&chosen, shape)
}

/// A shard for a name that owns no slots in particular.
fn free_place(
    number: u16,
    wanted: &Wanted,
    chosen: &BTreeMap<u16, usize>,
    shape: &Shape,
    may_share: bool,
) -> Option<usize> {
    let fits = |place: &usize| {
        let free = may_share || !chosen.values().any(|other| other == place);
        let serves = |shard: &Shard| !shard.slots.is_empty() && shard.replicas >= wanted.replicas;
        free && shape.shards.get(*place).is_some_and(serves)
    };
    let home = usize::from(number).checked_sub(1);
    let home = home.and_then(|index| shape.owner(Slot::new(*HOMES.get(index)?)?));
    home.filter(fits)
        .or_else(|| (0..shape.shards.len()).find(fits))
}

fn wanted(transcript: &Transcript) -> BTreeMap<u16, Wanted> {
    let mut wanted: BTreeMap<u16, Wanted> = BTreeMap::new();
    for name in names(transcript) {
        let (number, replicas) = match (name.each(), name.role) {
            (None, NodeRole::Master) => (name.number, 0),
            (None, NodeRole::Replica) => (name.number, name.copy.saturating_add(1)),
            (Some(Each::ReplicaOf(number)), _) => (number, 0),
            _ => continue,
        };
        let one = wanted.entry(number).or_default();
        one.replicas = one.replicas.max(replicas);
    }
    let owned: Owned = owned(transcript);
    for (number, slots) in owned {
        wanted.entry(number).or_default().slots = slots;
    }
    wanted
}

/// The shard that owns all of the slots; none if any will do.
fn owner(number: u16, slots: &BTreeSet<Slot>, shape: &Shape) -> Result<Option<usize>, String> {
    let mut owner = None;
    for slot in slots {
        let place = shape
            .owner(*slot)
            .ok_or_else(|| format!("it needs the slot {}, which nobody serves", slot.number()))?;
        if *owner.get_or_insert(place) != place {
            let slots: Vec<_> = slots.iter().map(|slot| slot.number().to_string()).collect();
            return Err(format!(
                "it needs one master, n{number}, that serves the slots {}",
                slots.join(", ")
            ));
        }
    }
    Ok(owner)
}

fn distinct(chosen: &BTreeMap<u16, usize>) -> Result<(), String> {
    let mut by_place: BTreeMap<usize, u16> = BTreeMap::new();
    for (number, place) in chosen {
        if let Some(other) = by_place.insert(*place, *number) {
            return Err(format!(
                "it needs two masters, n{other} and n{number}, and one serves the slots of both"
            ));
        }
    }
    Ok(())
}

fn missing(number: u16, replicas: u16, chosen: &BTreeMap<u16, usize>) -> String {
    let with = match replicas {
        0 => String::new(),
        replicas => format!(" with {}", count(replicas)),
    };
    match chosen.len() {
        0 => format!("it needs a master{with}"),
        others => {
            let other = if others == 1 { "another" } else { "a third" };
            let other = if others > 2 { "one more" } else { other };
            format!("it needs {other} master{with} for n{number}")
        }
    }
}

fn count(replicas: u16) -> String {
    match replicas {
        1 => "a replica".to_owned(),
        replicas => format!("{replicas} replicas"),
    }
}

/// The chosen names, and free numbers for the others.
fn name_all(chosen: &BTreeMap<u16, usize>, shape: &Shape) -> Names {
    let mut free = (1..=u16::MAX).filter(|number| !chosen.contains_key(number));
    let shards = shape.shards.iter().enumerate().map(|(place, shard)| {
        let own = chosen.iter().filter(|(_, other)| **other == place);
        let mut numbers: Vec<_> = own.map(|(number, _)| *number).collect();
        if numbers.is_empty() {
            numbers.extend(free.next());
        }
        NamedShard {
            numbers,
            slots: shard.slots.clone(),
            replicas: shard.replicas,
        }
    });
    Names {
        shards: shards.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binding::transcript;

    /// A cluster written as `0-5460 +1, 5461-16383`.
    fn shape(text: &str) -> Shape {
        let shard = |text: &str| {
            let (slots, replicas) = text.split_once('+').unwrap_or((text, "0"));
            Shard {
                slots: slots.trim().parse().unwrap(),
                replicas: replicas.parse().unwrap(),
            }
        };
        Shape {
            shards: text.split(", ").map(shard).collect(),
        }
    }

    fn bound(topology: &str, steps: &str, text: &str) -> String {
        match bind(&transcript(topology, steps), &shape(text)) {
            Ok(names) => {
                let each = names.shards.iter().map(|shard| {
                    let numbers: Vec<_> = shard.numbers.iter().map(|n| format!("n{n}")).collect();
                    numbers.join("=")
                });
                each.collect::<Vec<_>>().join(" ")
            }
            Err(reason) => reason,
        }
    }

    #[test]
    fn names_go_by_the_slots_that_they_own() {
        let (even, odd) = ("0-5460, 5461-10922, 10923-16383", "8192-16383, 0-8191");
        let moved = "n1> GET a\n(error) MOVED 15495 <n3>\n";
        for (steps, cluster, expected) in [
            (moved, even, "n1 n2 n3"),
            (moved, odd, "n3 n1"),
            // b, c and a of four masters: c is of the second, and the third is nobody's.
            (
                "n2> GET c\n(nil)\n",
                "0-4095, 4096-8191, 8192-12287, 12288-16383",
                "n1 n2 n3 n4",
            ),
            (
                "n3> GET a\n(nil)\n",
                "0-4095, 4096-8191, 8192-12287, 12288-16383",
                "n1 n2 n4 n3",
            ),
            // Who only looks on is anybody else.
            ("n2> GET c\n(error) MOVED 7365 <n1>\n", odd, "n2 n1"),
            (
                "n1> GET b\n(error) MOVED 15495 <n3>\n",
                "0-16383",
                "it needs another master for n1",
            ),
            (
                "n1> GET b\n(nil)\n\nn3> GET a\n(nil)\n",
                "0-1000,3000-16383, 1001-2999",
                "it needs two masters, n1 and n3, and one serves the slots of both",
            ),
            (
                "n1> GET b\n(nil)\n\nn1> GET hello\n(nil)\n",
                "0-999, 1000-16383",
                "it needs one master, n1, that serves the slots 866, 3300",
            ),
        ] {
            assert_eq!(bound("3 masters", steps, cluster), expected, "{steps}");
        }
    }

    #[test]
    fn replicas_follow_their_masters() {
        let steps = "r3> GET a\n(error) MOVED 15495 <n3>\n";
        let topology = "3 masters, 1 replica each";
        assert_eq!(bound(topology, steps, "0-8191, 8192-16383 +2"), "n1 n3");
        assert_eq!(
            bound(topology, steps, "0-8191 +1, 8192-16383"),
            "it needs a master with a replica, and n3 has 0"
        );
        // Of those who are free, one that has a replica.
        let steps = "r1> GET a\n(error) MOVED 15495 <n3>\n";
        assert_eq!(
            bound(topology, steps, "0-4000, 4001-8191 +1, 8192-16383"),
            "n2 n1 n3"
        );
    }

    #[test]
    fn where_any_node_will_do_one_may_have_all_names() {
        let steps = "n1> GET b\n(nil)\n\nn2> GET c\n(nil)\n\nn3> PING\nPONG\n";
        assert_eq!(bound("any", steps, "0-16383"), "n1=n2=n3");
        assert_eq!(bound("any", steps, "8192-16383, 0-8191"), "n3 n1=n2");
    }

    #[test]
    fn exactly_is_no_more_and_no_less() {
        let steps = "n1> PING\nPONG\n";
        let bound = |text| bound("exactly 2 masters", steps, text);
        assert_eq!(bound("0-8191, 8192-16383"), "n1 n2");
        for other in ["0-8191, 8192-16383 +1", "0-16383"] {
            assert_eq!(bound(other), "it needs exactly 2 masters, and no replica");
        }
        let evenly = "exactly 2 masters, slots spread evenly";
        let bound = |text| tests::bound(evenly, steps, text);
        assert_eq!(bound("0-8191, 8192-16383"), "n1 n2");
        for other in ["0-8190, 8191-16383", "0-8191, 8192-16383 +1"] {
            assert_eq!(bound(other), format!("it needs {evenly}, and no replica"));
        }
    }
}
