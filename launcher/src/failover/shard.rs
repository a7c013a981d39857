//! Who is who in the shard that is to fail over, and who is to take over. Pure.

use std::collections::BTreeSet;

use super::candidate::{Candidate, best};
use super::timeline::{Health, Report};
use super::{FailoverError, Mode};
use crate::probe::survey::Survey;
use crate::wire::slots::Slot;
use crate::wire::view::NodeLine;

/// What is known of a node besides what it says.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) name: String,
    /// As it says, or as it stands in its folder.
    pub(super) id: Option<String>,
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
    pub(super) master_id: String,
    /// Whether it answers.
    pub(super) master_speaks: bool,
    /// Its configuration epoch.
    pub(super) epoch: u64,
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
        members: &[Member],
        node: usize,
    ) -> Result<Self, FailoverError> {
        let asked = name_of(members, node);
        let outside = |why| FailoverError::NoShard {
            node: asked.clone(),
            why,
        };
        let id = members.get(node).and_then(|member| member.id.as_deref());
        let id = id.ok_or_else(|| outside("is in no cluster"))?;
        let line =
            line_about(survey, id).ok_or_else(|| outside("is known to no node that answers"))?;
        let replicates = line.master.as_deref();
        let master_id = replicates.unwrap_or(id);
        let speaks = survey.name_of(id).is_some();
        let master_line = line_about(survey, master_id).unwrap_or(line);
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
        let place = |id: &str| {
            members
                .iter()
                .position(|member| member.id.as_deref() == Some(id))
        };
        let master =
            place(master_id).ok_or_else(|| outside("replicates a node of somebody else's"))?;
        let replicas = survey.replicas_of(master_id);
        Ok(Self {
            master,
            master_id: master_id.to_owned(),
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
        members: &[Member],
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
            let address = stranger.address.split('@').next().unwrap_or_default();
            return Err(FailoverError::Unsupported(format!(
                "the replica at {address} might be elected, which is not a node of this cluster; \
                 `shardlab add-node --existing {address}` takes it in"
            )));
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
        members: &[Member],
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
    pub(super) fn report(&self, node: usize, lines: &[NodeLine], ids: &[Option<String>]) -> Report {
        let old = lines.iter().find(|line| line.id == self.master_id);
        let owner = lines.iter().find(|line| owns(line, self.slot));
        let place = |id: &str| ids.iter().position(|other| other.as_deref() == Some(id));
        Report {
            node,
            old_master: match old {
                Some(line) if line.has("fail") => Health::Failed,
                Some(line) if line.has("fail?") => Health::Suspected,
                _ => Health::Fine,
            },
            master: owner.and_then(|line| place(&line.id)),
            epoch: owner.map_or(0, |line| line.epoch),
        }
    }

    /// Masters with slots vote, and a majority of them, the dead included, is needed (cluster-spec,
    /// "Replica election and promotion").
    fn check_votes(
        &self,
        survey: &Survey,
        members: &[Member],
        mode: Mode,
    ) -> Result<(), FailoverError> {
        let ids: BTreeSet<&str> = every_line(survey).map(|line| line.id.as_str()).collect();
        let masters: Vec<&NodeLine> = ids
            .into_iter()
            .filter_map(|id| line_about(survey, id))
            .filter(|line| line.has("master") && !line.slots.is_empty())
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
    fn foreign_replica<'a>(&self, survey: &'a Survey, members: &[Member]) -> Option<&'a NodeLine> {
        let is_ours = |line: &NodeLine| {
            members
                .iter()
                .any(|member| member.id.as_ref() == Some(&line.id))
        };
        every_line(survey).find(|line| {
            line.master.as_ref() == Some(&self.master_id) && line.is_present() && !is_ours(line)
        })
    }

    /// Nodes that say nothing and were born where the master was.
    fn silent_mates(&self, survey: &Survey, members: &[Member]) -> Vec<String> {
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
fn candidate(survey: &Survey, members: &[Member], node: usize) -> Option<String> {
    let birth = members.get(node)?.birth;
    let mates = members.iter().filter(|member| member.birth == birth);
    let is_master = |member: &&Member| {
        survey
            .node(&member.name)
            .is_some_and(|line| line.has("master") && !line.slots.is_empty())
    };
    mates
        .filter(is_master)
        .map(|member| member.name.clone())
        .next()
}

fn every_line(survey: &Survey) -> impl Iterator<Item = &NodeLine> {
    let accounts = survey.accounts().iter();
    accounts.flat_map(|account| account.says.as_deref().unwrap_or_default())
}

/// What a node says of itself; if it is silent, what those say of it who have heard the latest.
fn line_about<'a>(survey: &'a Survey, id: &str) -> Option<&'a NodeLine> {
    let own = survey
        .selves()
        .map(|(_, line)| line)
        .find(|line| line.id == id);
    own.or_else(|| {
        every_line(survey)
            .filter(|line| line.id == id)
            .max_by_key(|line| line.epoch)
    })
}

fn owns(line: &NodeLine, slot: Slot) -> bool {
    line.has("master") && line.slots.iter().any(|range| range.contains(slot))
}

/// A slot of the line; if that can be, one that nobody has open. A replica of Valkey 8 and later may have one
/// open that its master has not, if who moved it was killed between the two: as a master, it would answer ASK.
fn a_slot(survey: &Survey, line: &NodeLine) -> Option<Slot> {
    let others = survey.selves().flat_map(|(_, own)| &own.open);
    let open: Vec<&String> = line.open.iter().chain(others).collect();
    let is_open = |slot: &Slot| {
        let mark = format!("[{slot}-");
        open.iter().any(|open| open.starts_with(&mark))
    };
    let slots = || line.slots.iter().flat_map(|range| range.slots());
    slots()
        .find(|slot| !is_open(slot))
        .or_else(|| slots().next())
}

fn name_of(members: &[Member], node: usize) -> String {
    members
        .get(node)
        .map(|member| member.name.clone())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
