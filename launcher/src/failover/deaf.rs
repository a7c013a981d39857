//! Nodes that cannot hear of a new master, since they have slots of its open.

use std::time::Duration;

use super::FailoverError;
use crate::cluster::Cluster;
use crate::machine::wait::{Deadline, pause};
use crate::probe::survey::{Direction, Survey};
use crate::wire::client::REPLY_TIMEOUT;
use crate::wire::slots::SlotRanges;

/// How often nodes are asked.
const EVERY: Duration = Duration::from_millis(100);
/// How long news may take to reach a node that can hear of it.
const GOSSIP: Duration = Duration::from_secs(1);

/// A node that says of slots that it is getting that nobody has them.
#[derive(Debug, PartialEq, Eq)]
struct Deaf {
    node: String,
    slots: SlotRanges,
    owner: String,
}

impl Cluster {
    /// Waits until there is a node that will never hear who has a slot, whatever else is waited for. While
    /// it imports a slot it takes nobody's word for whose it is, and its former owner, a replica now, has
    /// none (`clusterUpdateSlotsConfigWith`, cluster.c, Redis up to 6): to this node the cluster is down.
    pub(super) async fn deaf(&self) -> FailoverError {
        loop {
            let first = deaf(&self.survey(Deadline::after(REPLY_TIMEOUT)).await);
            let every = if first.is_some() { GOSSIP } else { EVERY };
            pause(every).await;
            let Some(first) = first else {
                continue;
            };
            let again = deaf(&self.survey(Deadline::after(REPLY_TIMEOUT)).await);
            if again.as_ref() == Some(&first) {
                return FailoverError::Open {
                    node: first.node,
                    slots: first.slots,
                    owner: first.owner,
                };
            }
        }
    }
}

/// The first node that is getting slots, of which it says that nobody has them and another node that they
/// are its own.
fn deaf(survey: &Survey) -> Option<Deaf> {
    let mut found: Option<Deaf> = None;
    for open in survey.open_slots() {
        let mut lines = survey.told_by(&open.node).iter();
        let mut owners = survey.owners(open.slot);
        let (Some(owner), None) = (owners.next(), owners.next()) else {
            continue;
        };
        if open.direction != Direction::Importing
            || lines.any(|line| line.slots.contains(open.slot))
        {
            continue;
        }
        let deaf = found.get_or_insert_with(|| Deaf {
            node: open.node.clone(),
            slots: SlotRanges::default(),
            owner: owner.to_owned(),
        });
        if deaf.node == open.node && deaf.owner == owner {
            deaf.slots.insert(open.slot);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::survey::Account;

    /// n1 is importing slots from n3, whose place r3 has taken, and gives `known` to r3.
    fn survey(known: &str) -> Survey {
        let r3 = "cc 127.0.0.1:5@6 myself,master - 0 0 9 connected 8-16383\n";
        let of_r3 = r3.replace("myself,", "").replace("8-16383", known);
        let n1 = "aa 127.0.0.1:1@2 myself,master - 0 0 1 connected 0-7 [8-<-bb] [9-<-bb]\n";
        Survey::new(vec![
            Account::written("n1", &format!("{n1}{of_r3}")),
            Account::written("r3", r3),
        ])
    }

    #[test]
    fn who_gives_a_slot_that_it_is_getting_to_nobody_is_deaf() {
        let deaf = |known: &str| {
            let deaf = deaf(&survey(known))?;
            Some(format!("{} {} {}", deaf.node, deaf.slots, deaf.owner))
        };
        assert_eq!(deaf("10-16383").as_deref(), Some("n1 8-9 r3"));
        assert_eq!(deaf("9-16383").as_deref(), Some("n1 8 r3"));
        assert_eq!(deaf("8-16383"), None);
    }
}
