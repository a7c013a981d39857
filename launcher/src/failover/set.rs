//! Who is who in a set with one master, without cluster mode, that is to fail over. Pure.

use super::timeline::{Health, NodeView};
use super::{FailoverError, Mode};
use crate::ladder::{Answers, Observation, SentinelAnswers, present_master};
use crate::plan::Role;
use crate::wire::view::{Epoch, WatchFlag};

/// A node with its birth.
#[derive(Debug, Clone)]
pub(super) struct Born {
    pub(super) name: String,
    pub(super) role: Role,
    /// Whether it stands still.
    pub(super) paused: bool,
}

/// A master and its replicas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Set {
    /// The master's place.
    pub(super) master: usize,
    /// Whether it answers.
    pub(super) master_speaks: bool,
    /// The places of the nodes with data that answer, but for the master.
    pub(super) replicas: Vec<usize>,
    /// The place of the first sentinel that answers and names that master.
    pub(super) sentinel: Option<usize>,
    /// The node that was named, if it is not the master.
    pub(super) wanted: Option<usize>,
    /// The epoch of the sentinels' last failover, where there are any.
    pub(super) epoch: Option<Epoch>,
    /// Of each node: the port by which others name it.
    ports: Vec<u16>,
}

impl Set {
    /// The set, one node of which was named, by what the nodes say.
    pub(super) fn of(
        round: &[Observation],
        born: &[Born],
        node: usize,
    ) -> Result<Self, FailoverError> {
        let outside = |why| FailoverError::NoShard {
            node: name(born, node),
            why,
        };
        if born
            .get(node)
            .is_some_and(|born| born.role == Role::Sentinel)
        {
            return Err(outside("is a sentinel"));
        }
        let ports: Vec<u16> = round.iter().map(|one| one.port).collect();
        let watched = sentinels(round).next().is_some();
        let claims: Vec<usize> = with_role(round, Role::Master).collect();
        if let [first, second, ..] = claims.as_slice() {
            return Err(FailoverError::TwoMasters {
                first: name(born, *first),
                second: name(born, *second),
                watched,
            });
        }
        let master = present_master(round)
            .or_else(|| most_named(round))
            .ok_or_else(|| outside("follows nobody that is known"))?;
        let named = ports.get(master).copied();
        let names_it =
            |(_, says): &(usize, &SentinelAnswers)| Some(says.master.address.port) == named;
        let epochs = sentinels(round).map(|(_, says)| says.master.epoch.unwrap_or(Epoch::NONE));
        Ok(Self {
            master,
            master_speaks: claims.contains(&master),
            replicas: with_role(round, Role::Replica)
                .filter(|replica| *replica != master)
                .collect(),
            sentinel: sentinels(round).find(names_it).map(|(place, _)| place),
            wanted: (node != master).then_some(node),
            epoch: epochs.max(),
            ports,
        })
    }

    /// Refuses what cannot come about, whichever replica it is.
    pub(super) fn check(
        &self,
        round: &[Observation],
        born: &[Born],
        mode: Mode,
    ) -> Result<(), FailoverError> {
        let paused = |node: usize| born.get(node).is_some_and(|born| born.paused);
        if let Some(wanted) = self.wanted
            && !self.replicas.contains(&wanted)
        {
            let node = name(born, wanted);
            return Err(if mode == Mode::Crash && self.master_speaks {
                FailoverError::FailedOver {
                    node,
                    master: Some(name(born, self.master)),
                }
            } else {
                FailoverError::SilentReplica {
                    node,
                    paused: paused(wanted),
                }
            });
        }
        let needs_master = match mode {
            Mode::Graceful => !self.master_speaks,
            // A paused one can be killed.
            Mode::Crash => !self.master_speaks && !paused(self.master),
            Mode::Force | Mode::Takeover => false,
        };
        if needs_master {
            return Err(FailoverError::SilentMaster {
                master: name(born, self.master),
                paused: paused(self.master),
                mode,
            });
        }
        if self.replicas.is_empty() {
            let data = born
                .iter()
                .zip(round)
                .enumerate()
                .filter(|(place, _)| *place != self.master);
            let silent = data
                .filter(|(_, (born, one))| born.role != Role::Sentinel && one.answers.is_err())
                .map(|(_, (born, _))| born.name.clone());
            return Err(FailoverError::NoReplica {
                master: name(born, self.master),
                silent: silent.collect(),
            });
        }
        self.check_sentinels(round, born, mode)
    }

    /// By its own order one sentinel does; the master's death takes a quorum of them.
    fn check_sentinels(
        &self,
        round: &[Observation],
        born: &[Born],
        mode: Mode,
    ) -> Result<(), FailoverError> {
        let watched = born.iter().any(|born| born.role == Role::Sentinel);
        if watched && self.sentinel.is_none() {
            return Err(FailoverError::NoSentinel {
                master: name(born, self.master),
                answering: sentinels(round).next().is_some(),
            });
        }
        // A sentinel that has just died counts as usable with the others until their down-after.
        let of_all = born.iter().zip(round);
        let of_all = of_all.filter(|(born, _)| born.role == Role::Sentinel);
        let all = of_all.clone().count();
        let silent = of_all.filter(|(_, one)| one.answers.is_err());
        let silent: Vec<String> = silent.map(|(born, _)| born.name.clone()).collect();
        let answering = all - silent.len();
        if mode == Mode::Crash && watched && answering <= all / 2 {
            return Err(FailoverError::FewSentinels {
                silent,
                answering,
                all,
            });
        }
        let mut complaints = sentinels(round).filter_map(|(place, says)| {
            let reply = says.no_quorum.clone()?;
            Some((name(born, place), reply))
        });
        match complaints.next().filter(|_| mode == Mode::Crash) {
            Some((sentinel, reply)) => Err(FailoverError::NoQuorum { sentinel, reply }),
            None => Ok(()),
        }
    }

    /// What must be changed so that Sentinel prefers the replica at `wanted`: the priority that it is
    /// to have, `None` if it is preferred as it is. Sentinel takes the lowest priority first, 0 never
    /// (`sentinelSelectReplica`, `sentinelSelectSlave`, sentinel.c).
    pub(super) fn priority_for(
        &self,
        round: &[Observation],
        wanted: usize,
    ) -> Result<Option<u32>, FailoverError> {
        let of_wanted = self.priority_seen(round, wanted);
        let others = self.replicas.iter().filter(|place| **place != wanted);
        let others = others.filter_map(|place| self.priority_seen(round, *place));
        match others.filter(|priority| *priority > 0).min() {
            None if of_wanted.is_some_and(|priority| priority > 0) => Ok(None),
            Some(least) if of_wanted.is_some_and(|own| own > 0 && own < least) => Ok(None),
            Some(0 | 1) => Err(FailoverError::Unsupported(
                "another replica has `replica-priority` 1, so that none can be preferred to it"
                    .into(),
            )),
            None | Some(_) => Ok(Some(1)),
        }
    }

    /// The priority of a replica as the sentinel knows it that is to act.
    pub(super) fn priority_seen(&self, round: &[Observation], replica: usize) -> Option<u32> {
        let port = *self.ports.get(replica)?;
        let (_, says) = sentinels(round).find(|(place, _)| Some(*place) == self.sentinel)?;
        let seen = says
            .replicas
            .iter()
            .find(|seen| seen.address.port == port)?;
        seen.priority
    }

    /// What the node at `node` says of the set.
    pub(super) fn view(&self, node: usize, answers: &Answers) -> NodeView {
        let place = |port: u16| self.ports.iter().position(|other| *other == port);
        match answers {
            Answers::Sentinel(Some(says)) => {
                let master = place(says.master.address.port);
                NodeView {
                    node,
                    old_master: match master {
                        Some(named) if named != self.master => Health::Fine,
                        // Valkey 9.1 takes for down, for a moment, whom it is told to replace.
                        _ if says.master.has(WatchFlag::ForcedFailover) => Health::Fine,
                        _ if says.master.has(WatchFlag::ObjectivelyDown) => Health::Failed,
                        _ if says.master.has(WatchFlag::SubjectivelyDown) => Health::Suspected,
                        _ => Health::Fine,
                    },
                    master,
                    epoch: says.master.epoch.unwrap_or(Epoch::NONE),
                }
            }
            Answers::Server(says) => NodeView {
                node,
                old_master: Health::Fine,
                master: match &says.master {
                    None => Some(node),
                    Some(master) => place(master.port),
                },
                epoch: Epoch::NONE,
            },
            Answers::Sentinel(None) | Answers::Cluster(_) => NodeView {
                node,
                old_master: Health::Fine,
                master: None,
                epoch: Epoch::NONE,
            },
        }
    }
}

fn with_role(round: &[Observation], role: Role) -> impl Iterator<Item = usize> {
    let says = move |one: &Observation| one.answers.as_ref().ok().and_then(Answers::role);
    let all = round.iter().enumerate();
    all.filter(move |(_, one)| says(one) == Some(role))
        .map(|(place, _)| place)
}

/// The sentinels that answer and watch somebody.
fn sentinels(round: &[Observation]) -> impl Iterator<Item = (usize, &SentinelAnswers)> {
    round
        .iter()
        .enumerate()
        .filter_map(|(place, one)| match &one.answers {
            Ok(Answers::Sentinel(Some(says))) => Some((place, says)),
            _ => None,
        })
}

/// The silent node whom most replicas follow.
fn most_named(round: &[Observation]) -> Option<usize> {
    let followers = |port: u16| {
        let answers = round.iter().filter_map(|one| one.answers.as_ref().ok());
        let named = answers.filter_map(|answers| Some(answers.replicates()?.port));
        named.filter(|named| *named == port).count()
    };
    let all = round.iter().enumerate();
    all.map(|(place, one)| (followers(one.port), place))
        .filter(|(followers, _)| *followers > 0)
        .max_by_key(|(followers, _)| *followers)
        .map(|(_, place)| place)
}

fn name(born: &[Born], node: usize) -> String {
    born.get(node)
        .map(|born| born.name.clone())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
