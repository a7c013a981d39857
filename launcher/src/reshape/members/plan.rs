//! Working out a change: the record and what the nodes say in, steps out. Nothing is touched.

use super::change::{Addition, Change, Removal, Step};
use super::existing::{Existing, inspect};
use super::goal::{Attach, Goal, Slots, master_of, scaled, with, without};
use super::names::Names;
use super::roster::{Member, Part, roster};
use crate::cluster::Cluster;
use crate::error::Error;
use crate::error::members::MemberError;
use crate::machine::wait::Deadline;
use crate::node::Node;
use crate::plan::{Intent, Scale};
use crate::probe::survey::Survey;
use crate::reshape::plan::{deal, evenly};
use crate::reshape::{Journal, Move};
use crate::state::{NodeRecord, Phase, Stage};
use crate::wire::client::REPLY_TIMEOUT;
use crate::wire::slots::SlotRanges;

impl Cluster {
    /// What adding a node comes to.
    ///
    /// # Errors
    /// [`MemberError`]: the nodes are not one cluster, one that must know the new node is silent, an
    /// existing server is not fit to be taken in, another addition is unfinished. A port is taken.
    pub async fn plan_add_node(&self, addition: &Addition) -> Result<Change, Error> {
        let (survey, members) = self.look().await?;
        refuse_unsound(&survey, &members, None, false)?;
        let asked = match &addition.replica_of {
            Some(node) => member(&members, self.node(node)?.name()),
            None => None,
        };
        let asked = asked.map(|of| master_of(&members, of).name.as_str());
        let existing = match addition.existing {
            Some(address) => Some(inspect(address, &self.record().options, &survey, asked).await?),
            None => None,
        };
        // What others have made a replica stays one.
        let copies = existing
            .as_ref()
            .and_then(|existing| existing.master.as_deref());
        let of = asked.or(copies).and_then(|name| member(&members, name));
        if let Some(pending) = members
            .iter()
            .find(|member| matches!(member.stage, Stage::Joining { .. }))
        {
            let master = of.map(|of| master_of(&members, of).name.clone());
            return if self.is_asked_for(pending, addition, master.as_ref()) {
                Ok(Change::of_comings(self.steps_of_joining(), Vec::new()))
            } else {
                Err(MemberError::Pending {
                    node: pending.name.clone(),
                    part: match &pending.part {
                        Part::Replica(Some(master)) => format!("a replica of `{master}`"),
                        _ => "a master".to_owned(),
                    },
                }
                .into())
            };
        }
        let new = with(&members, of, &mut Names::of(self.record()))?;
        let newcomer = match existing {
            Some(existing) => {
                self.refuse_member(&existing, &survey)?;
                let newcomer = self.taken_in(&new, &existing);
                let steps = steps_of_existing(&newcomer, existing);
                return Ok(Change::of_comings(steps, vec![newcomer]));
            }
            None => self
                .started(&[new], addition.port)?
                .pop()
                .ok_or_else(|| MemberError::Shape("no node is to be added".into()))?,
        };
        Ok(Change::of_comings(steps_of(&newcomer), vec![newcomer]))
    }

    /// What deleting a node comes to.
    ///
    /// # Errors
    /// [`MoveError::Unfinished`](crate::reshape::MoveError::Unfinished): another command that moves slots was interrupted.
    /// [`MemberError`]: it is the last master, or one whose keys cannot be moved; a node that must
    /// forget it is silent.
    pub async fn plan_del_node(&self, removal: &Removal) -> Result<Change, Error> {
        let name = self.node(&removal.node)?.name();
        let (survey, members) = self.look().await?;
        refuse_unsound(&survey, &members, Some(name), removal.force)?;
        let Some(leaver) = member(&members, name) else {
            return Ok(Change::default());
        };
        let goal = without(&members, leaver, removal.force)?;
        let intent = Intent::DelNode {
            node: name.to_owned(),
        };
        self.steps_to(goal, &survey, &members, Vec::new(), intent)
    }

    /// What scaling comes to, what interrupted changes have left undone included.
    ///
    /// # Errors
    /// [`MemberError`]: numbers that make no cluster, or a node is silent.
    pub async fn plan_scale(&self, scale: Scale) -> Result<Change, Error> {
        let (survey, members) = self.look().await?;
        refuse_unsound(&survey, &members, None, false)?;
        let goal = scaled(&members, scale, &mut Names::of(self.record()))?;
        let newcomers = self.started(&goal.new, None)?;
        let intent = Intent::Scale(scale);
        self.steps_to(goal, &survey, &members, newcomers, intent)
    }

    /// The moves of the same intent, if it was interrupted while slots moved.
    ///
    /// # Errors
    /// Other moves were interrupted.
    fn interrupted(&self, intent: &Intent) -> Result<Option<Vec<Move>>, Error> {
        let journal = Journal::of_folder(&self.home().folder(self.name()), intent)?;
        Ok(journal.map(|journal| journal.moves))
    }

    /// What the nodes say, and who is who.
    pub(super) async fn look(&self) -> Result<(Survey, Vec<Member>), Error> {
        if self.record().phase == Phase::Starting {
            return Err(Error::Unfinished(self.name().clone()));
        }
        self.must_have_slots()?;
        if !self.is_running() {
            return Err(Error::NotRunning(self.name().clone()));
        }
        (self.nodes().iter()).try_for_each(Node::must_not_be_paused)?;
        let survey = self.survey(Deadline::after(REPLY_TIMEOUT)).await;
        let members = roster(&self.records(), &survey);
        Ok((survey, members))
    }

    /// The nodes as they stand now, processes and stages included.
    pub(super) fn records(&self) -> Vec<NodeRecord> {
        self.nodes().iter().map(Node::record).collect()
    }

    /// Whether an addition that was interrupted is the one that is asked for.
    fn is_asked_for(&self, pending: &Member, addition: &Addition, master: Option<&String>) -> bool {
        let same_part = match &pending.part {
            Part::Replica(of) => of.as_ref() == master,
            Part::Master => master.is_none(),
        };
        let Ok(node) = self.node(&pending.name) else {
            return false;
        };
        let same_place = match addition.existing {
            Some(address) => !node.is_ours() && node.address() == address,
            None => node.is_ours() && addition.port.is_none_or(|port| port == node.plan().port),
        };
        same_part && same_place
    }

    fn refuse_member(&self, existing: &Existing, survey: &Survey) -> Result<(), MemberError> {
        let name = survey.name_of(&existing.id);
        let mut nodes = self.nodes().iter();
        let is_it = |node: &&Node| {
            node.address() == existing.address || name.is_some_and(|name| name == node.name())
        };
        match nodes.find(is_it) {
            None => Ok(()),
            Some(node) => Err(MemberError::Unfit {
                address: existing.address,
                reason: format!("it is node `{}` of this cluster already", node.name()).into(),
            }),
        }
    }

    fn steps_of_joining(&self) -> Vec<Step> {
        self.records().iter().flat_map(steps_of).collect()
    }

    fn steps_to(
        &self,
        goal: Goal,
        survey: &Survey,
        members: &[Member],
        newcomers: Vec<NodeRecord>,
        intent: Intent,
    ) -> Result<Change, Error> {
        let leaves = |name: &str| goal.leave.iter().any(|leaver| leaver == name);
        let mut steps: Vec<_> = self
            .records()
            .iter()
            .filter(|record| !leaves(&record.plan.name))
            .chain(&newcomers)
            .flat_map(steps_of)
            .collect();
        let comings = steps.len();
        let moves = match self.interrupted(&intent)? {
            Some(moves) => moves,
            None => moves(&goal, survey, members)?,
        };
        steps.extend(moves.iter().map(|part| Step::Move {
            count: part.slots.count(),
            slots: part.slots.clone(),
            from: part.from.clone(),
            to: part.to.clone(),
        }));
        steps.extend(
            goal.attach
                .iter()
                .map(|Attach { replica, master }| Step::Replicate {
                    node: replica.clone(),
                    master: master.clone(),
                }),
        );
        steps.extend(goal.leave.iter().map(|name| {
            match self.node(name).ok().filter(|node| !node.is_ours()) {
                None => Step::Delete { node: name.clone() },
                Some(node) => Step::Release {
                    node: name.clone(),
                    address: node.address(),
                },
            }
        }));
        Ok(Change {
            steps,
            comings,
            newcomers,
            moves,
            attach: goal.attach,
            leave: goal.leave,
            intent: Some(intent),
        })
    }
}

fn member<'a>(members: &'a [Member], name: &str) -> Option<&'a Member> {
    members.iter().find(|member| member.name == name)
}

/// The steps by which a server that runs already is taken in: none that others have done.
fn steps_of_existing(newcomer: &NodeRecord, existing: Existing) -> Vec<Step> {
    let mut steps = steps_of(newcomer);
    steps.retain(|step| match step {
        Step::Replicate { master, .. } => existing.master.as_ref() != Some(master),
        _ => true,
    });
    if let Some(Step::TakeIn { slots, master, .. }) = steps.first_mut() {
        (*slots, *master) = (existing.slots, existing.master);
    }
    steps
}

/// The steps of a node that is joining; none of one that has joined.
fn steps_of(record: &NodeRecord) -> Vec<Step> {
    let Stage::Joining { replica_of } = &record.stage else {
        return Vec::new();
    };
    let node = record.plan.name.clone();
    let first = match record.foreign {
        Some(address) => Step::TakeIn {
            node: node.clone(),
            address,
            slots: SlotRanges::default(),
            master: None,
        },
        None => Step::Start {
            node: node.clone(),
            port: record.plan.port,
            bus_port: record.plan.bus_port.unwrap_or_default(),
        },
    };
    let then = replica_of
        .clone()
        .map(|master| Step::Replicate { node, master });
    std::iter::once(first).chain(then).collect()
}

/// Which slots move, once the new nodes are there.
fn moves(goal: &Goal, survey: &Survey, members: &[Member]) -> Result<Vec<Move>, Error> {
    let stay = members
        .iter()
        .filter(|member| member.is_lasting_master() && !goal.leave.contains(&member.name))
        .map(|member| &member.name);
    let new = goal.new.iter().filter(|new| new.replica_of.is_none());
    let stay: Vec<String> = stay.chain(new.map(|new| &new.name)).cloned().collect();
    match goal.slots {
        Slots::Kept => Ok(Vec::new()),
        Slots::Even => Ok(evenly(survey, &stay)?),
        Slots::Handed => {
            // What those who stay have already they keep, and all of them get as much.
            let receivers: Vec<_> = stay.iter().map(|name| (name.as_str(), 0)).collect();
            let handed = |from: &String, (to, slots): (&str, SlotRanges)| Move {
                slots,
                from: from.clone(),
                to: to.to_owned(),
            };
            let leavers = goal.leave.iter();
            let leavers = leavers.filter_map(|name| Some((name, survey.master(name)?)));
            Ok(leavers
                .flat_map(|(from, line)| {
                    let shares = deal(&line.slots, &receivers).into_iter();
                    shares.map(move |share| handed(from, share))
                })
                .collect())
        }
    }
}

/// Refuses what would leave nodes behind that know another set of nodes: silent ones, and those
/// that are not in one cluster with the others.
fn refuse_unsound(
    survey: &Survey,
    members: &[Member],
    leaver: Option<&str>,
    force: bool,
) -> Result<(), MemberError> {
    let settled = || {
        members
            .iter()
            .filter(|member| member.stage.is_member() && Some(member.name.as_str()) != leaver)
    };
    if let Some(member) = settled().find(|member| member.silent.is_some() && !force) {
        return Err(MemberError::Silent {
            node: member.name.clone(),
            why: member.silent.clone().unwrap_or_default(),
        });
    }
    let asked = survey
        .told()
        .filter(|(node, _)| settled().any(|member| member.name == *node));
    for (node, lines) in asked {
        let stranger = settled().find(|other| {
            other.silent.is_none() && lines.iter().all(|line| other.id.as_ref() != Some(&line.id))
        });
        if let Some(stranger) = stranger {
            return Err(MemberError::Apart {
                node: node.to_owned(),
                stranger: stranger.name.clone(),
            });
        }
    }
    Ok(())
}
