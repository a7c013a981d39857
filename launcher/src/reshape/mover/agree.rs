//! Until all nodes say of the slots that have moved that they have.

use std::ops::ControlFlow;
use std::time::Duration;

use crate::cluster::Cluster;
use crate::error::Error;
use crate::machine::wait::{self, Deadline};
use crate::node::Session;
use crate::probe::survey::Survey;
use crate::reshape::MoveError;
use crate::reshape::{Move, moves};
use crate::wire::slots::{Slot, SlotRanges};
use crate::wire::view::Epoch;

/// How long gossip may take: the new owner tells all nodes at once, and again with each ping.
const BY_ITSELF: Duration = Duration::from_millis(500);
/// How long two nodes may take to find out that they have the same epoch.
const COLLISION: Duration = Duration::from_secs(5);
/// How long everything may take after each node was told.
const PATIENCE: Duration = Duration::from_secs(20);
const ROUND: Duration = Duration::from_millis(20);

/// Slots of which a node says something else.
struct Doubt {
    node: String,
    slots: Vec<Slot>,
    /// The node that has them.
    owner: String,
}

impl Cluster {
    /// Waits until every node that speaks has heard of the moves; those that are late are told.
    pub(super) async fn agree(&self, moves: &[Move]) -> Result<(), Error> {
        let Err(doubts) = self.heard(moves, BY_ITSELF).await? else {
            return Ok(());
        };
        if doubts.is_empty() {
            // Two new owners have the same epoch; they find out by themselves, and nobody minds meanwhile.
            let _ = self.heard(moves, COLLISION).await?;
            return Ok(());
        }
        for doubt in doubts {
            self.tell(&doubt).await?;
        }
        let late = self.heard(moves, PATIENCE).await?;
        if late.as_ref().is_err_and(Vec::is_empty) {
            return Ok(());
        }
        late.map_err(|doubts| {
            let what: Vec<_> = doubts.iter().map(Doubt::told).collect();
            MoveError::NotAgreed {
                what: what.join(", "),
                waited: PATIENCE,
            }
            .into()
        })
    }

    async fn heard(
        &self,
        moves: &[Move],
        patience: Duration,
    ) -> Result<Result<(), Vec<Doubt>>, Error> {
        let deadline = Deadline::after(patience);
        wait::until(deadline, ROUND, || async {
            let survey = self.survey(Deadline::after(PATIENCE)).await;
            match doubts(moves, &survey) {
                Ok(doubts) if doubts.is_empty() && !collide(&survey) => {
                    ControlFlow::Break(Ok(Ok(())))
                }
                Ok(doubts) => ControlFlow::Continue(doubts),
                Err(error) => ControlFlow::Break(Err(error.into())),
            }
        })
        .await
        .unwrap_or_else(|doubts| Ok(Err(doubts)))
    }

    /// Has a node know who owns slots of which it gives or gets keys. While a slot is open it hears nothing of a
    /// new owner (`clusterUpdateSlotsConfigWith`, `cluster.c`), such as a replica that was elected in the midst
    /// of a move; then the slot is nobody's to it, and it refuses MIGRATE and what MIGRATE brings
    /// (`getNodeByQuery`).
    pub(super) async fn tell_owner(
        &self,
        survey: &Survey,
        node: &str,
        owner: &str,
        slots: &SlotRanges,
    ) -> Result<(), Error> {
        let id = &moves::line(survey, owner)?.id;
        let known = survey.slots_told_of(node, id);
        let is_owners = |slot| survey.owners(slot).eq(std::iter::once(owner));
        let slots = slots
            .slots()
            .filter(|slot| !known.contains(*slot) && is_owners(*slot));
        let doubt = Doubt {
            node: node.to_owned(),
            slots: slots.collect(),
            owner: owner.to_owned(),
        };
        if doubt.slots.is_empty() {
            Ok(())
        } else {
            self.tell(&doubt).await
        }
    }

    /// Tells a node who owns the slots. A replica refuses that: its master is told, and passes it on. So it
    /// does to a replica that has become one in the midst of a move and still has the slot open (Valkey
    /// 8.1, whose SETSLOT is replicated). An owner that has been talked out of slots must speak with a
    /// higher epoch than whoever did so.
    async fn tell(&self, doubt: &Doubt) -> Result<(), Error> {
        let survey = self.survey(Deadline::after(PATIENCE)).await;
        let owner = moves::line(&survey, &doubt.owner)?.id.clone();
        let line = moves::line(&survey, &doubt.node)?;
        let told = match &line.master {
            None => &doubt.node,
            Some(id) => match survey.name_of(id) {
                Some(master) => master,
                None => return Ok(()),
            },
        };
        let mut session = Session::lasting(self.node(told)?.endpoint()).await?;
        session
            .try_set_slots(&doubt.slots, &["NODE", &owner])
            .await?;
        if told == doubt.owner {
            session.ask(&[vec!["CLUSTER", "BUMPEPOCH"]]).await?;
        }
        Ok(())
    }
}

impl Doubt {
    fn told(&self) -> String {
        let slots: SlotRanges = self.slots.iter().copied().collect();
        format!(
            "`{}` does not know that `{}` has {slots}",
            self.node, self.owner
        )
    }
}

/// Whether two masters with slots have the same epoch, as they may for a moment when both have become
/// owners at the same time (`clusterHandleConfigEpochCollision`, `cluster_legacy.c`).
fn collide(survey: &Survey) -> bool {
    let owners = survey.masters().filter(|(_, line)| line.serves());
    let mut epochs: Vec<Epoch> = owners.map(|(_, line)| line.epoch).collect();
    epochs.sort_unstable();
    epochs
        .windows(2)
        .any(|pair| matches!(pair, [one, other] if one == other))
}

/// Who says something else of the slots than that they have moved.
fn doubts(moves: &[Move], survey: &Survey) -> Result<Vec<Doubt>, MoveError> {
    let mut doubts = Vec::new();
    for part in moves {
        let owner = &moves::line(survey, &part.to)?.id;
        for (node, lines) in survey.told() {
            // Whoever does not know the owner at all is no member of the cluster.
            let Some(known) = lines.iter().find(|line| line.id == *owner) else {
                continue;
            };
            let slots: Vec<_> = part
                .slots
                .slots()
                .filter(|slot| !known.slots.contains(*slot))
                .collect();
            if !slots.is_empty() {
                doubts.push(Doubt {
                    node: node.to_owned(),
                    slots,
                    owner: part.to.clone(),
                });
            }
        }
        for open in survey.open_slots() {
            if part.slots.contains(open.slot) {
                doubts.push(Doubt {
                    node: open.node,
                    slots: vec![open.slot],
                    owner: part.to.clone(),
                });
            }
        }
    }
    Ok(doubts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::survey::Account;

    #[test]
    fn whoever_has_not_heard_of_a_move_or_has_it_open_is_in_doubt() {
        let survey = Survey::new(vec![
            Account::written(
                "n1",
                "aa h:1@2 myself,master - 0 0 1 connected\nbb h:3@4 master - 0 0 2 connected 0-9\n",
            ),
            Account::written(
                "n2",
                "bb h:3@4 myself,master - 0 0 2 connected 0-9 [3-<-aa]\n",
            ),
            Account::written(
                "n3",
                "cc h:5@6 myself,master - 0 0 1 connected\nbb h:3@4 master - 0 0 2 connected 0-4\n",
            ),
        ]);
        let part = Move {
            slots: "0-9".parse().unwrap(),
            from: "n1".to_owned(),
            to: "n2".to_owned(),
        };
        let doubts = doubts(&[part], &survey).unwrap();
        let told: Vec<_> = doubts.iter().map(Doubt::told).collect();
        assert_eq!(
            told,
            [
                "`n3` does not know that `n2` has 5-9",
                "`n2` does not know that `n2` has 3"
            ]
        );
    }
}
