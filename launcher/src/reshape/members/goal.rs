//! What add-node, del-node and scale want the cluster to be, worked out from how it is. Pure.
//!
//! What an interrupted command has begun is part of how the cluster is: a goal worked out again
//! is the rest of the way.

use super::names::Names;
use super::roster::{Member, Part};
use crate::error::members::MemberError;
use crate::machine::message::{run, text};
use crate::machine::parameter::Parameter;
use crate::plan::{MAX_NODES, MAX_REPLICAS, Scale};
use crate::state::Stage;

/// A node that is to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewNode {
    /// Its name.
    pub(crate) name: String,
    /// The shard that it is born into.
    pub(crate) shard: usize,
    /// The master that it is to copy.
    pub(crate) replica_of: Option<String>,
}

/// A replica that is to copy another master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attach {
    /// The replica.
    pub(crate) replica: String,
    /// Its master.
    pub(crate) master: String,
}

/// Which masters are to have which slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slots {
    /// All slots evenly on the masters that stay.
    Even,
    /// The slots of the nodes that leave, evenly on the masters that stay; all others where they are.
    Handed,
    /// Each where it is.
    Kept,
}

/// What is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Goal {
    /// Nodes to be started. Those that are joining already are not among them.
    pub(crate) new: Vec<NewNode>,
    /// What becomes of the slots, once the new nodes are there.
    pub(crate) slots: Slots,
    /// Replicas that change their master, once the slots are where they are to be.
    pub(crate) attach: Vec<Attach>,
    /// Nodes that go, replicas first.
    pub(crate) leave: Vec<String>,
}

/// The goal of `scale`.
///
/// # Errors
/// Numbers that make no cluster.
pub(crate) fn scaled(
    members: &[Member],
    wish: Scale,
    names: &mut Names,
) -> Result<Goal, MemberError> {
    refuse_odd(wish)?;
    let mut masters: Vec<&Member> = lasting_masters(members).collect();
    // Last-born last; a replica that was promoted stands for the shard that it was born into.
    masters.sort_by_key(|master| master.shard);
    let wanted = wish.masters.unwrap_or(masters.len());
    let gone = masters.split_off(wanted.min(masters.len()));
    let mut shards: Vec<Shard> = masters
        .into_iter()
        .map(|master| Shard::of(master, members))
        .collect();
    let fewest = shards.iter().map(|shard| shard.replicas.len()).min();
    let mut new = Vec::new();
    while shards.len() < wanted {
        let (name, shard) = names.next_master();
        let replicas = Vec::new();
        let needed = fewest.unwrap_or(0);
        shards.push(Shard {
            master: name.clone(),
            number: shard,
            replicas,
            needed,
        });
        new.push(NewNode {
            name,
            shard,
            replica_of: None,
        });
    }

    let mut spare = homeless(members, &shards);
    for shard in &mut shards {
        shard.needed = wish.replicas.unwrap_or(shard.needed);
        if shard.replicas.len() > shard.needed {
            spare.extend(shard.replicas.split_off(shard.needed));
        }
    }
    let mut attach = Vec::new();
    for shard in &shards {
        for _ in shard.replicas.len()..shard.needed {
            if spare.is_empty() {
                new.push(NewNode {
                    name: names.next_replica(shard.number),
                    shard: shard.number,
                    replica_of: Some(shard.master.clone()),
                });
            } else {
                attach.push(Attach {
                    replica: spare.remove(0),
                    master: shard.master.clone(),
                });
            }
        }
    }
    let leaving = |part: fn(&Part) -> bool| {
        members
            .iter()
            .filter(move |member| member.stage == Stage::Leaving && part(&member.part))
            .map(|member| member.name.clone())
    };
    let mut leave = spare;
    leave.extend(leaving(|part| *part != Part::Master));
    leave.extend(leaving(|part| *part == Part::Master));
    leave.extend(gone.into_iter().map(|master| master.name.clone()));
    Ok(Goal {
        new,
        slots: if wish.masters.is_some() {
            Slots::Even
        } else {
            Slots::Handed
        },
        attach,
        leave,
    })
}

/// The goal of `del-node`. With `force`, what is lost is lost.
///
/// # Errors
/// The last master, or one that is down with slots.
pub(crate) fn without(
    members: &[Member],
    leaver: &Member,
    force: bool,
) -> Result<Goal, MemberError> {
    let leave = vec![leaver.name.clone()];
    if leaver.part != Part::Master {
        return Ok(Goal {
            new: Vec::new(),
            slots: Slots::Kept,
            attach: Vec::new(),
            leave,
        });
    }
    let mut shards: Vec<Shard> = lasting_masters(members)
        .filter(|master| master.name != leaver.name)
        .map(|master| Shard::of(master, members))
        .collect();
    if shards.is_empty() {
        return Err(MemberError::LastMaster(leaver.name.clone()));
    }
    let lost = leaver.silent.is_some() && leaver.slots > 0;
    if lost && !force {
        return Err(MemberError::Lost {
            node: leaver.name.clone(),
            slots: leaver.slots,
        });
    }
    let mut attach = Vec::new();
    let orphans = members.iter().filter(|member| member.copies(&leaver.name));
    for orphan in orphans.filter(|orphan| orphan.stage != Stage::Leaving) {
        if let Some(shard) = shards.iter_mut().min_by_key(|shard| shard.replicas.len()) {
            shard.replicas.push(orphan.name.clone());
            attach.push(Attach {
                replica: orphan.name.clone(),
                master: shard.master.clone(),
            });
        }
    }
    Ok(Goal {
        new: Vec::new(),
        slots: if lost { Slots::Kept } else { Slots::Handed },
        attach,
        leave,
    })
}

/// The goal of `add-node`: a master without slots, or a replica of the shard that `of` is in.
///
/// # Errors
/// The shard's master is about to leave.
pub(crate) fn with(
    members: &[Member],
    of: Option<&Member>,
    names: &mut Names,
) -> Result<NewNode, MemberError> {
    let Some(of) = of else {
        let (name, shard) = names.next_master();
        return Ok(NewNode {
            name,
            shard,
            replica_of: None,
        });
    };
    let master = master_of(members, of);
    if master.stage == Stage::Leaving {
        return Err(MemberError::Leaving(master.name.clone()));
    }
    Ok(NewNode {
        name: names.next_replica(master.shard),
        shard: master.shard,
        replica_of: Some(master.name.clone()),
    })
}

/// The master of the shard that a node is in now: itself, or the one that it copies.
pub(crate) fn master_of<'a>(members: &'a [Member], of: &'a Member) -> &'a Member {
    members
        .iter()
        .find(|member| of.copies(&member.name))
        .unwrap_or(of)
}

/// A master that stays, with its replicas.
struct Shard {
    master: String,
    /// Its number, by birth.
    number: usize,
    replicas: Vec<String>,
    needed: usize,
}

impl Shard {
    fn of(master: &Member, members: &[Member]) -> Self {
        let replicas: Vec<_> = members
            .iter()
            .filter(|member| member.stage != Stage::Leaving && member.copies(&master.name))
            .map(|member| member.name.clone())
            .collect();
        Self {
            master: master.name.clone(),
            number: master.shard,
            needed: replicas.len(),
            replicas,
        }
    }
}

fn lasting_masters(members: &[Member]) -> impl Iterator<Item = &Member> {
    members.iter().filter(|member| member.is_lasting_master())
}

/// Replicas that stay, but whose master does not.
fn homeless(members: &[Member], shards: &[Shard]) -> Vec<String> {
    let housed = |member: &Member| {
        shards
            .iter()
            .any(|shard| shard.replicas.contains(&member.name))
    };
    members
        .iter()
        .filter(|member| member.part != Part::Master && member.stage != Stage::Leaving)
        .filter(|member| !housed(member))
        .map(|member| member.name.clone())
        .collect()
}

fn refuse_odd(wish: Scale) -> Result<(), MemberError> {
    if wish == Scale::default() {
        return Err(MemberError::Shape(text![
            "`scale` needs a number: ",
            Parameter::Masters,
            ", ",
            Parameter::Replicas,
            ", or both"
        ]));
    }
    if wish.masters == Some(0) {
        return Err(MemberError::Shape(text![
            "a cluster needs at least 1 master; ",
            run("down"),
            " removes it"
        ]));
    }
    if let Some(many) = wish.masters.filter(|many| *many > MAX_NODES) {
        return Err(MemberError::Shape(text![format!(
            "{many} masters were asked for; {MAX_NODES} nodes are the most"
        )]));
    }
    match wish.replicas {
        Some(many) if many > MAX_REPLICAS => Err(MemberError::Shape(text![format!(
            "{many} replicas of one master were asked for; {MAX_REPLICAS} is the most"
        )])),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
