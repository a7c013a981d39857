//! Who is who in the shard that is to fail over, and who is to take over. Pure.

use std::collections::BTreeSet;

use super::candidate::{Candidate, best};
use super::timeline::{Health, NodeView};
use super::{FailoverError, Mode};
use crate::machine::message::{run, text};
use crate::machine::parameter::Parameter;
use crate::probe::survey::Survey;
use crate::wire::slots::Slot;
use crate::wire::view::{Epoch, Flag, NodeId, NodeLine};

/// What is known of a node besides what it says.
#[derive(Debug, Clone)]
pub(super) struct KnownNode {
    pub(super) name: String,
    /// As it says, or as it stands in its folder.
    pub(super) id: Option<NodeId>,
    /// The shard that it was born into.
    pub(super) birth: usize,
    /// Whether it stands still.
    pub(super) paused: bool,
}

/// The shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shard {
    /// The master's place in the cluster.
    pub(super) master: usize,
    pub(super) master_id: NodeId,
    /// Whether it answers.
    pub(super) master_speaks: bool,
    /// Its configuration epoch.
    pub(super) epoch: Epoch,
    /// One of its slots, by whose owner the master is known; not on its way elsewhere if that can be.
    pub(super) slot: Slot,
    /// The places of its replicas that answer.
    pub(super) replicas: Vec<usize>,
    /// The replica that was named.
    pub(super) wanted: Option<usize>,
}

impl Shard {
    /// The shard of the node at `node`, by what the nodes say.
    pub(super) fn of(
        survey: &Survey,
        members: &[KnownNode],
        node: usize,
    ) -> Result<Self, FailoverError> {
        let asked = name_of(members, node);
        let outside = |why| FailoverError::NoShard {
            node: asked.clone(),
            why,
        };
        let id = members.get(node).and_then(|member| member.id.as_ref());
        let id = id.ok_or_else(|| outside("is in no cluster"))?;
        let line = survey
            .latest_of(id)
            .ok_or_else(|| outside("is known to no node that answers"))?;
        let replicates = line.master.as_ref();
        let master_id = replicates.unwrap_or(id);
        let speaks = survey.name_of(id).is_some();
        let master_line = survey.latest_of(master_id).unwrap_or(line);
        let Some(slot) = a_slot(survey, master_line) else {
            let candidate =
                candidate(survey, members, node).filter(|_| !speaks && replicates.is_none());
            return Err(match candidate {
                Some(candidate) => FailoverError::FailedOver {
                    node: asked,
                    master: Some(candidate),
                },
                None if replicates.is_some() => outside("replicates a master without slots"),
                None => outside("is a master without slots"),
            });
        };
        let place = |id: &NodeId| {
            members
                .iter()
                .position(|member| member.id.as_ref() == Some(id))
        };
        let master =
            place(master_id).ok_or_else(|| outside("replicates a node of somebody else's"))?;
        let replicas = survey.replicas_of(master_id);
        Ok(Self {
            master,
            master_id: master_id.clone(),
            master_speaks: survey.name_of(master_id).is_some(),
            epoch: master_line.epoch,
            slot,
            replicas: replicas.filter_map(|(_, line)| place(&line.id)).collect(),
            wanted: (master != node).then_some(node),
        })
    }

    /// Refuses what cannot come about, whichever replica it is.
    pub(super) fn check(
        &self,
        survey: &Survey,
        members: &[KnownNode],
        mode: Mode,
    ) -> Result<(), FailoverError> {
        let paused = |node: usize| members.get(node).is_some_and(|member| member.paused);
        let needs_master = match mode {
            Mode::Graceful => !self.master_speaks,
            // A paused one can be killed.
            Mode::Crash => !self.master_speaks && !paused(self.master),
            Mode::Force | Mode::Takeover => false,
        };
        if needs_master {
            return Err(FailoverError::SilentMaster {
                master: name_of(members, self.master),
                paused: paused(self.master),
                mode,
            });
        }
        if let Some(wanted) = self.wanted.filter(|_| mode != Mode::Crash)
            && !self.replicas.contains(&wanted)
        {
            return Err(FailoverError::SilentReplica {
                node: name_of(members, wanted),
                paused: paused(wanted),
            });
        }
        if self.replicas.is_empty() {
            return Err(FailoverError::NoReplica {
                master: name_of(members, self.master),
                silent: self.silent_mates(survey, members),
            });
        }
        if mode == Mode::Crash
            && let Some(stranger) = self.foreign_replica(survey, members)
        {
            let address = stranger.address.client();
            return Err(FailoverError::Unsupported(text![
                format!(
                    "the replica at {address} might be elected, which is not a node of this cluster; "
                ),
                run("add-node").with(Parameter::Existing, address),
                " adds it"
            ]));
        }
        if mode == Mode::Takeover {
            Ok(())
        } else {
            self.check_votes(survey, members, mode)
        }
    }

    /// The replica that is to take over: the one that was named, or the one that has most of the
    /// master's data. `careful`: the server does not survive a take-over without a link.
    pub(super) fn choose(
        &self,
        candidates: &[Candidate],
        members: &[KnownNode],
        mode: Mode,
        careful: bool,
    ) -> Result<usize, FailoverError> {
        let wanted = self.wanted.filter(|_| mode != Mode::Crash);
        let needs_link = match mode {
            Mode::Graceful | Mode::Crash => true,
            Mode::Force => false,
            Mode::Takeover => careful,
        };
        best(candidates, wanted, needs_link).ok_or_else(|| FailoverError::LinkDown {
            replicas: candidates
                .iter()
                .filter(|candidate| wanted.is_none_or(|wanted| candidate.node == wanted))
                .map(|candidate| name_of(members, candidate.node))
                .collect(),
            mode,
        })
    }

    /// What the node at `node` says of the shard.
    pub(super) fn view(&self, node: usize, lines: &[NodeLine], ids: &[Option<NodeId>]) -> NodeView {
        let old = lines.iter().find(|line| line.id == self.master_id);
        let owner = lines.iter().find(|line| line.owns(self.slot));
        let place = |id: &NodeId| ids.iter().position(|other| other.as_ref() == Some(id));
        NodeView {
            node,
            old_master: match old {
                Some(line) if line.has(Flag::Failed) => Health::Failed,
                Some(line) if line.has(Flag::Suspected) => Health::Suspected,
                _ => Health::Fine,
            },
            master: owner.and_then(|line| place(&line.id)),
            epoch: owner.map_or(Epoch::NONE, |line| line.epoch),
        }
    }

    /// Masters with slots vote, and a majority of them, the dead included, is needed (cluster-spec,
    /// "Replica election and promotion").
    fn check_votes(
        &self,
        survey: &Survey,
        members: &[KnownNode],
        mode: Mode,
    ) -> Result<(), FailoverError> {
        let ids: BTreeSet<&NodeId> = survey.lines().map(|line| &line.id).collect();
        let masters: Vec<&NodeLine> = ids
            .into_iter()
            .filter_map(|id| survey.latest_of(id))
            .filter(|line| line.serves())
            .collect();
        let can_vote = |line: &&&NodeLine| {
            let of_ours = members
                .iter()
                .any(|member| member.id.as_ref() == Some(&line.id));
            // A node that others have added has a vote as well.
            let speaks = survey.name_of(&line.id).is_some() || !of_ours && line.is_present();
            speaks && (mode != Mode::Crash || line.id != self.master_id)
        };
        let voters = masters.iter().filter(can_vote).count();
        let needed = masters.len() / 2 + 1;
        if voters < needed {
            return Err(FailoverError::NoMajority {
                voters,
                masters: masters.len(),
                needed,
            });
        }
        Ok(())
    }

    /// A replica of the master that is there and not ours.
    fn foreign_replica<'a>(
        &self,
        survey: &'a Survey,
        members: &[KnownNode],
    ) -> Option<&'a NodeLine> {
        let is_ours = |line: &NodeLine| {
            members
                .iter()
                .any(|member| member.id.as_ref() == Some(&line.id))
        };
        survey
            .lines()
            .find(|line| line.replicates(&self.master_id) && line.is_present() && !is_ours(line))
    }

    /// Nodes that say nothing and were born where the master was.
    fn silent_mates(&self, survey: &Survey, members: &[KnownNode]) -> Vec<String> {
        let birth = members.get(self.master).map(|member| member.birth);
        let mates = members
            .iter()
            .enumerate()
            .filter(|(node, member)| *node != self.master && Some(member.birth) == birth);
        mates
            .filter(|(_, member)| survey.node(&member.name).is_none())
            .map(|(_, member)| member.name.clone())
            .collect()
    }
}

/// The master, with slots, among those who were born into the same shard.
fn candidate(survey: &Survey, members: &[KnownNode], node: usize) -> Option<String> {
    let birth = members.get(node)?.birth;
    let mates = members.iter().filter(|member| member.birth == birth);
    let is_master = |member: &&KnownNode| survey.node(&member.name).is_some_and(NodeLine::serves);
    mates
        .filter(is_master)
        .map(|member| member.name.clone())
        .next()
}

/// A slot of the line; if that can be, one that nobody has open. A replica of Valkey 8 and later may have one
/// open that its master has not, if who moved it was killed between the two: as a master, it would answer ASK.
fn a_slot(survey: &Survey, line: &NodeLine) -> Option<Slot> {
    let others = survey.selves().flat_map(|(_, own)| &own.open);
    let open: BTreeSet<Slot> = line
        .open
        .iter()
        .chain(others)
        .map(|mark| mark.slot)
        .collect();
    let mut free = line.slots.slots().filter(|slot| !open.contains(slot));
    free.next().or_else(|| line.slots.slots().next())
}

fn name_of(members: &[KnownNode], node: usize) -> String {
    members
        .get(node)
        .map(|member| member.name.clone())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
