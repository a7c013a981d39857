//! What has happened in a failover, and when: what nodes say goes in, moments come out. Pure: it knows
//! no clock, so that whoever watches gives the time, which must not run backwards.
//!
//! The moments are in order because each is established by the facts that the one before it rests on,
//! in the order in which they were seen: a node is flagged `fail` by the view that flags it or by a
//! later one than the view that suspects it; a replica is promoted by its own word, which after an
//! election still carries the old master's `fail` (it stands for election only if it sees that flag,
//! `clusterHandleReplicaFailover`, `cluster_legacy.c`); nobody agrees on a master before there is one.
//! The first write and the agreement of all nodes come in either order: a new master may serve while
//! another node still answers CLUSTERDOWN.
//!
//! Not every claim is a promotion, and a promotion can be undone. A slot belongs to the claim with the
//! highest configuration epoch (`clusterUpdateSlotsConfigWith`, `cluster_legacy.c`). Redis up to 8.2
//! keeps the votes of an election that a replica has won (`failover_auth_count`, `failover_auth_sent`);
//! if the replica loses the role again and is told to fail over within max(2T, 2 s) of that election,
//! where T is the node timeout, it takes the old votes for new ones and claims the slots with the old
//! epoch (`clusterHandleSlaveFailover`). All others answer with an UPDATE, and some 40 ms later it is a
//! replica again. Valkey forgets these votes (8.1, valkey#1711 and #1274). So a claim counts only if its epoch is
//! higher than the old master's, and a promotion that its own node takes back is forgotten with all
//! that rests on it. Once every node names such a master, only a new election can replace it.

use std::time::Duration;

use serde::Serialize;

use crate::wire::view::Epoch;

/// A step of a failover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The first node flags the old master `fail?`, or the first sentinel `s_down`.
    Suspected,
    /// The first node flags it `fail`: a majority of masters has told it so. A sentinel: `o_down`, as
    /// many as the quorum say so.
    Failed,
    /// A replica says that it is the master of the shard, in a cluster with a higher configuration epoch
    /// than the old master's.
    Promoted,
    /// Every node that is listened to names it: nodes as their master, sentinels as whom they watch.
    Agreed,
    /// The new master has accepted a write.
    FirstWrite,
    /// All nodes stand on the top rung again.
    Ready,
}

impl Phase {
    /// The phase's name, in text and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Suspected => "suspected",
            Self::Failed => "failed",
            Self::Promoted => "promoted",
            Self::Agreed => "agreed",
            Self::FirstWrite => "first-write",
            Self::Ready => "ready",
        }
    }
}

/// A step that was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// Which one.
    pub phase: Phase,
    /// When it was seen, from the act on.
    pub at: Duration,
    /// The node on which it was seen: the last one to agree, of [`Phase::Agreed`]; none of
    /// [`Phase::Ready`], which all are asked for.
    pub seen_on: Option<String>,
}

/// What a node thinks of the old master.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// Nothing bad, or nothing at all.
    Fine,
    /// It does not answer this node.
    Suspected,
    /// It does not answer a majority.
    Failed,
}

/// What one node says of the shard at one moment. Nodes are known by their place in the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeView {
    /// Who says it.
    pub node: usize,
    /// What it thinks of the old master.
    pub old_master: Health,
    /// Who it says is the master of the shard's slots, if it is one of ours.
    pub master: Option<usize>,
    /// That master's configuration epoch, or 0 of who knows none.
    pub epoch: Epoch,
}

/// One failover, as far as it has been seen.
#[derive(Debug, Clone)]
pub struct Timeline {
    names: Vec<String>,
    old_master: usize,
    /// Of each node: whether it is listened to, and whom it named last.
    voices: Vec<(bool, Option<usize>)>,
    /// The old master's configuration epoch, which the new one's must exceed; none outside a cluster.
    epoch_before: Option<Epoch>,
    promoted: Option<(usize, Epoch)>,
    undone: u32,
    /// Whether no write can be accepted, since slots that nobody serves keep the cluster from it.
    without_writes: bool,
    moments: Vec<Moment>,
}

impl Timeline {
    /// A failover away from the node at `old_master`, of which nothing has been seen. `heard` says of
    /// each node whether its agreement is needed: not of those that are dead. `epoch_before`: in a
    /// cluster, the old master's configuration epoch.
    pub fn new(
        names: Vec<String>,
        old_master: usize,
        heard: &[bool],
        epoch_before: Option<Epoch>,
    ) -> Self {
        let voice = |index: usize| (heard.get(index).copied().unwrap_or(false), None);
        Self {
            voices: (0..names.len()).map(voice).collect(),
            names,
            old_master,
            epoch_before,
            promoted: None,
            undone: 0,
            without_writes: false,
            moments: Vec::new(),
        }
    }

    /// Takes in what a node says; `at` is not before that of any earlier call.
    pub fn see(&mut self, at: Duration, view: &NodeView) {
        let Some(voice) = self.voices.get_mut(view.node) else {
            return;
        };
        let named_before = std::mem::replace(&mut voice.1, view.master);
        let of_itself = view.node == self.old_master;
        let claims = view.master == Some(view.node);
        if let Some((master, _)) = self.promoted
            && view.node == master
            && view.master.is_some()
            && !claims
        {
            self.undo();
        }
        if self.promoted.is_none() && !of_itself {
            // Once there is a new master, what is said of the old one is no part of the story.
            if view.old_master >= Health::Suspected {
                self.establish(Phase::Suspected, at, Some(view.node));
            }
            if view.old_master == Health::Failed {
                self.establish(Phase::Failed, at, Some(view.node));
            }
            let counts = self.epoch_before.is_none_or(|before| view.epoch > before);
            if claims && !counts && named_before != view.master {
                self.undone += 1;
            }
            if claims && counts {
                self.promoted = Some((view.node, view.epoch));
                self.establish(Phase::Promoted, at, Some(view.node));
            }
        }
        let Some((master, epoch)) = &mut self.promoted else {
            return;
        };
        let master = *master;
        if view.master == Some(master) {
            // Whoever names it has heard of its epoch or does not know it; sentinels know before the rest.
            *epoch = view.epoch.max(*epoch);
        }
        let agrees = |(heard, named): &(bool, Option<usize>)| !heard || *named == Some(master);
        if self.voices.iter().all(agrees) {
            self.establish(Phase::Agreed, at, Some(view.node));
        }
    }

    /// The node has accepted a write, which counts if it is the new master.
    pub fn written(&mut self, at: Duration, node: usize) {
        if let Some((master, _)) = self.promoted
            && master == node
        {
            self.establish(Phase::FirstWrite, at, Some(master));
        }
    }

    /// No node accepts writes, neither before the failover nor after it: none is waited for.
    #[must_use]
    pub fn without_writes(self, without_writes: bool) -> Self {
        Self {
            without_writes,
            ..self
        }
    }

    /// All nodes stand on the top rung again, looked at after [`Timeline::is_settled`].
    pub fn ready(&mut self, at: Duration) {
        if self.is_settled() {
            self.establish(Phase::Ready, at, None);
        }
    }

    /// What has been reached, in the order in which it was seen.
    pub fn moments(&self) -> &[Moment] {
        &self.moments
    }

    /// Whether a phase has been reached.
    pub fn has(&self, phase: Phase) -> bool {
        self.moments.iter().any(|moment| moment.phase == phase)
    }

    /// The new master's place and its configuration epoch.
    pub fn promoted(&self) -> Option<(usize, Epoch)> {
        self.promoted
    }

    /// How many times a node has claimed to be the new master in vain: with an epoch that no other node
    /// accepts, or until it was made a replica again.
    pub fn undone(&self) -> u32 {
        self.undone
    }

    /// Whether all agree on a new master, and it accepts writes if any node does.
    pub fn is_settled(&self) -> bool {
        self.has(Phase::Agreed) && (self.without_writes || self.has(Phase::FirstWrite))
    }

    /// The new master is none any more.
    fn undo(&mut self) {
        self.promoted = None;
        self.undone += 1;
        let before = |moment: &Moment| matches!(moment.phase, Phase::Suspected | Phase::Failed);
        self.moments.retain(before);
    }

    fn establish(&mut self, phase: Phase, at: Duration, node: Option<usize>) {
        if !self.has(phase) {
            let name = node.and_then(|node| self.names.get(node));
            self.moments.push(Moment {
                phase,
                at,
                seen_on: name.cloned(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const N1: usize = 0;
    const N2: usize = 1;
    const N3: usize = 2;
    const R1: usize = 3;

    /// `n1` fails over; it is heard as well unless it is `dead`.
    fn timeline(dead: bool) -> Timeline {
        let names = ["n1", "n2", "n3", "r1"].map(ToOwned::to_owned).to_vec();
        Timeline::new(names, N1, &[!dead, true, true, true], Some(Epoch(6)))
    }

    fn view(node: usize, old_master: Health, master: usize) -> NodeView {
        NodeView {
            node,
            old_master,
            master: Some(master),
            epoch: Epoch(7),
        }
    }

    fn told(timeline: &Timeline) -> Vec<(Phase, u64, &str)> {
        let moments = timeline.moments().iter();
        moments
            .map(|moment| {
                let at = moment.at.as_millis().try_into().unwrap();
                (moment.phase, at, moment.seen_on.as_deref().unwrap_or("all"))
            })
            .collect()
    }

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn a_crash_has_all_phases_each_on_the_node_that_showed_it() {
        use Health::{Failed, Fine, Suspected};
        let mut seen = timeline(true);
        for (at, view) in [
            (1, view(N2, Fine, N1)),
            (1000, view(N3, Suspected, N1)),
            (1010, view(R1, Suspected, N1)),
            (1020, view(N2, Failed, N1)),
            (1600, view(R1, Failed, R1)),
            (1601, view(N3, Failed, R1)),
        ] {
            seen.see(ms(at), &view);
        }
        seen.written(ms(1602), R1);
        assert!(!seen.is_settled());
        seen.see(ms(1603), &view(N2, Failed, R1));
        assert!(seen.is_settled());
        seen.ready(ms(2500));
        assert_eq!(
            told(&seen),
            [
                (Phase::Suspected, 1000, "n3"),
                (Phase::Failed, 1020, "n2"),
                (Phase::Promoted, 1600, "r1"),
                (Phase::FirstWrite, 1602, "r1"),
                (Phase::Agreed, 1603, "n2"),
                (Phase::Ready, 2500, "all"),
            ]
        );
        assert_eq!(seen.promoted(), Some((R1, Epoch(7))));
    }

    #[test]
    fn whoever_blinked_sees_suspicion_failure_and_promotion_in_one_instant() {
        let mut seen = timeline(true);
        seen.see(ms(1600), &view(R1, Health::Failed, R1));
        assert_eq!(
            told(&seen),
            [
                (Phase::Suspected, 1600, "r1"),
                (Phase::Failed, 1600, "r1"),
                (Phase::Promoted, 1600, "r1"),
            ]
        );
    }

    #[test]
    fn an_orderly_failover_is_neither_suspected_nor_failed_and_the_old_master_must_agree() {
        let mut seen = timeline(false);
        for node in [R1, N2, N3] {
            seen.see(ms(100), &view(node, Health::Fine, R1));
        }
        assert_eq!(told(&seen), [(Phase::Promoted, 100, "r1")]);
        seen.see(ms(105), &view(N1, Health::Fine, R1));
        assert_eq!(told(&seen).last(), Some(&(Phase::Agreed, 105, "n1")));
    }

    #[test]
    fn a_promotion_is_the_word_of_the_new_master_alone() {
        let mut seen = timeline(false);
        seen.see(ms(100), &view(N2, Health::Fine, R1));
        assert_eq!(told(&seen), []);
    }

    #[test]
    fn a_suspicion_after_the_promotion_is_no_part_of_it() {
        let mut seen = timeline(false);
        seen.see(ms(100), &view(R1, Health::Fine, R1));
        seen.see(ms(300), &view(N2, Health::Suspected, R1));
        assert_eq!(told(&seen), [(Phase::Promoted, 100, "r1")]);
    }

    #[test]
    fn a_write_without_a_master_and_wholeness_without_agreement_are_not_believed() {
        let mut seen = timeline(false);
        seen.written(ms(1), R1);
        seen.ready(ms(2));
        assert_eq!(told(&seen), []);
    }

    #[test]
    fn a_claim_with_an_old_epoch_is_no_promotion() {
        let mut seen = timeline(false);
        let stale = NodeView {
            epoch: Epoch(6),
            ..view(R1, Health::Fine, R1)
        };
        seen.see(ms(10), &stale);
        seen.written(ms(11), R1);
        seen.see(ms(12), &stale);
        assert_eq!((told(&seen), seen.undone()), (vec![], 1));
        seen.see(ms(50), &view(R1, Health::Fine, N1));
        seen.see(ms(4000), &view(R1, Health::Fine, R1));
        assert_eq!(told(&seen), [(Phase::Promoted, 4000, "r1")]);
        assert_eq!(seen.undone(), 1);
    }

    #[test]
    fn a_promotion_that_is_undone_is_forgotten_with_what_rests_on_it() {
        let mut seen = timeline(false);
        seen.see(ms(5), &view(N2, Health::Suspected, N1));
        for node in [R1, N1, N2, N3] {
            seen.see(ms(10), &view(node, Health::Fine, R1));
        }
        seen.written(ms(11), R1);
        assert!(seen.is_settled());
        seen.see(ms(50), &view(R1, Health::Fine, N1));
        assert_eq!(told(&seen), [(Phase::Suspected, 5, "n2")]);
        assert_eq!((seen.undone(), seen.promoted()), (1, None));
        // A write that another node had accepted is not the new master's.
        seen.see(ms(60), &view(N2, Health::Fine, N2));
        seen.written(ms(61), R1);
        assert!(!seen.has(Phase::FirstWrite));
    }

    proptest! {
        #[test]
        fn whatever_is_seen_the_moments_are_in_order_and_rest_on_each_other(
            steps in proptest::collection::vec((0_usize..4, 0_u8..3, 0_usize..4, 0_u8..4), 0..40)
        ) {
            let mut seen = timeline(false);
            for (at, (node, health, master, deed)) in (0_u64..).zip(steps) {
                let health = [Health::Fine, Health::Suspected, Health::Failed][usize::from(health)];
                match deed {
                    0 => seen.written(ms(at), node),
                    1 => seen.ready(ms(at)),
                    _ => seen.see(ms(at), &view(node, health, master)),
                }
            }
            let moments = seen.moments();
            prop_assert!(moments.is_sorted_by_key(|moment| moment.at));
            let place = |phase| moments.iter().position(|moment| moment.phase == phase);
            for (before, after) in [
                (Phase::Suspected, Phase::Failed),
                (Phase::Promoted, Phase::Agreed),
                (Phase::Promoted, Phase::FirstWrite),
                (Phase::Agreed, Phase::Ready),
                (Phase::FirstWrite, Phase::Ready),
            ] {
                if place(after).is_some() {
                    prop_assert!(place(before) < place(after), "{before:?} {after:?}");
                    prop_assert!(place(before).is_some());
                }
            }
        }
    }
}
