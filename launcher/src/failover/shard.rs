//! Who is who in the shard that is to fail over, and who is to take over. Pure.

use std::collections::BTreeSet;

use super::timeline::{Health, Sight};
use super::{FailoverError, Mode};
use crate::reshape::survey::Survey;
use crate::slots::Slot;
use crate::view::NodeLine;

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

/// A replica that might take over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standby {
    /// Its place in the cluster.
    pub(super) node: usize,
    /// Whether its link to the master is up.
    pub(super) linked: bool,
    /// How much of the master's stream it has.
    pub(super) offset: u64,
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
        let Some(slot) = a_slot(master_line) else {
            let heir = heir(survey, members, node).filter(|_| !speaks && replicates.is_none());
            return Err(match heir {
                Some(heir) => FailoverError::FailedOver {
                    node: asked,
                    master: Some(heir),
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
        if mode == Mode::Takeover {
            Ok(())
        } else {
            self.check_votes(survey, mode)
        }
    }

    /// The replica that is to take over: the one that was named, or the one that has most of the
    /// master's data. `careful`: the server does not survive a take-over without a link.
    pub(super) fn choose(
        &self,
        standbys: &[Standby],
        members: &[Member],
        mode: Mode,
        careful: bool,
    ) -> Result<usize, FailoverError> {
        let wanted = self.wanted.filter(|_| mode != Mode::Crash);
        let eligible = || {
            standbys
                .iter()
                .filter(|standby| wanted.is_none_or(|wanted| standby.node == wanted))
        };
        let linked = eligible()
            .filter(|standby| standby.linked)
            .max_by_key(|standby| standby.offset);
        let needs_link = match mode {
            Mode::Graceful | Mode::Crash => true,
            Mode::Force => false,
            Mode::Takeover => careful,
        };
        let best = linked.or_else(|| {
            eligible()
                .filter(|_| !needs_link)
                .max_by_key(|standby| standby.offset)
        });
        best.map(|standby| standby.node)
            .ok_or_else(|| FailoverError::LinkDown {
                replicas: eligible()
                    .map(|standby| name_of(members, standby.node))
                    .collect(),
                mode,
            })
    }

    /// What the node at `node` says of the shard.
    pub(super) fn sight(&self, node: usize, lines: &[NodeLine], ids: &[Option<String>]) -> Sight {
        let old = lines.iter().find(|line| line.id == self.master_id);
        let owner = lines.iter().find(|line| owns(line, self.slot));
        let place = |id: &str| ids.iter().position(|other| other.as_deref() == Some(id));
        Sight {
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
    fn check_votes(&self, survey: &Survey, mode: Mode) -> Result<(), FailoverError> {
        let ids: BTreeSet<&str> = every_line(survey).map(|line| line.id.as_str()).collect();
        let masters: Vec<&NodeLine> = ids
            .into_iter()
            .filter_map(|id| line_about(survey, id))
            .filter(|line| line.has("master") && !line.slots.is_empty())
            .collect();
        let can_vote = |line: &&&NodeLine| {
            survey.name_of(&line.id).is_some() && (mode != Mode::Crash || line.id != self.master_id)
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
fn heir(survey: &Survey, members: &[Member], node: usize) -> Option<String> {
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

fn a_slot(line: &NodeLine) -> Option<Slot> {
    let is_open = |slot: &Slot| {
        let mark = format!("[{slot}-");
        line.open.iter().any(|open| open.starts_with(&mark))
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
mod tests {
    use super::*;
    use crate::reshape::survey::Account;
    use crate::resp::{Frame, Value};
    use crate::view;

    /// n1 n2 n3 with r1 r2 r3, and r1b: what each of them says, if it speaks.
    const NAMES: [&str; 7] = ["n1", "n2", "n3", "r1", "r2", "r3", "r1b"];
    const TRUTH: [&str; 7] = [
        "aa 127.0.0.1:1@2 master - 0 0 1 connected 0-99 [0->-bb]",
        "bb 127.0.0.1:3@4 master - 0 0 2 connected 100-199",
        "cc 127.0.0.1:5@6 master - 0 0 3 connected 200-16383",
        "dd 127.0.0.1:7@8 slave aa 0 0 1 connected",
        "ee 127.0.0.1:9@10 slave bb 0 0 2 connected",
        "ff 127.0.0.1:11@12 slave cc 0 0 3 connected",
        "ab 127.0.0.1:13@14 slave aa 0 0 1 connected",
    ];

    /// `lines` as all nodes tell them; those named are silent.
    fn cluster(lines: [&str; 7], silent: &[&str]) -> (Survey, Vec<Member>) {
        let account = |(index, name): (usize, &&str)| {
            let own = lines[index];
            let mine = own.replacen(" master", " myself,master", 1);
            let mine = mine.replacen(" slave", " myself,slave", 1);
            let text = lines.join("\n").replace(own, &mine);
            let reply = Frame::from_value(Value::BulkString(text.into_bytes().into()));
            Account {
                node: (*name).to_owned(),
                says: if silent.contains(name) {
                    Err("it is silent".to_owned())
                } else {
                    Ok(view::nodes(&reply).unwrap())
                },
            }
        };
        let survey = Survey::new(NAMES.iter().enumerate().map(account).collect());
        let member = |(index, name): (usize, &&str)| Member {
            name: (*name).to_owned(),
            id: Some(lines[index][..2].to_owned()),
            birth: index % 3,
            paused: false,
        };
        (survey, NAMES.iter().enumerate().map(member).collect())
    }

    fn place(name: &str) -> usize {
        NAMES.iter().position(|other| *other == name).unwrap()
    }

    fn shard_of(name: &str, silent: &[&str]) -> Result<Shard, FailoverError> {
        let (survey, members) = cluster(TRUTH, silent);
        Shard::of(&survey, &members, place(name))
    }

    fn refusal(name: &str, silent: &[&str], mode: Mode) -> Option<String> {
        let (survey, members) = cluster(TRUTH, silent);
        let shard = Shard::of(&survey, &members, place(name)).unwrap();
        let checked = shard.check(&survey, &members, mode);
        checked.err().map(|error| error.to_string())
    }

    #[test]
    fn any_node_names_its_shard_also_a_dead_one() {
        for (name, silent, wanted) in [
            ("n1", vec![], None),
            ("r1", vec![], Some("r1")),
            ("n1", vec!["n1"], None),
            ("r1b", vec!["r1b", "n1"], Some("r1b")),
        ] {
            let shard = shard_of(name, &silent).unwrap();
            assert_eq!(shard.master, place("n1"));
            assert_eq!(shard.wanted, wanted.map(place));
            assert_eq!(shard.epoch, 1);
            assert_eq!(shard.slot.number(), 1, "0 is on its way");
        }
        let living = shard_of("n1", &["r1b"]).unwrap().replicas;
        assert_eq!(living, [place("r1")]);
    }

    #[test]
    fn a_dead_master_whose_slots_have_gone_has_failed_over_already() {
        let mut lines = TRUTH;
        lines[0] = "aa 127.0.0.1:1@2 master,fail - 0 0 1 connected";
        lines[3] = "dd 127.0.0.1:7@8 master - 0 0 7 connected 0-99";
        lines[6] = "ab 127.0.0.1:13@14 slave dd 0 0 7 connected";
        let (survey, members) = cluster(lines, &["n1"]);
        let error = Shard::of(&survey, &members, place("n1")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`n1` does not answer, and its shard has failed over already to `r1`"
        );
        let shard = Shard::of(&survey, &members, place("r1")).unwrap();
        assert_eq!(shard.replicas, [place("r1b")]);
    }

    #[test]
    fn a_master_without_slots_is_not_replaced() {
        let mut lines = TRUTH;
        lines[0] = "aa 127.0.0.1:1@2 master - 0 0 0 connected";
        let (survey, members) = cluster(lines, &[]);
        for (name, why) in [
            ("n1", "is a master without slots"),
            ("r1", "replicates a master without slots"),
        ] {
            let error = Shard::of(&survey, &members, place(name)).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
    }

    #[test]
    fn what_cannot_come_about_is_refused() {
        for (name, silent, mode, said) in [
            ("n1", vec![], Mode::Graceful, None),
            ("n1", vec![], Mode::Crash, None),
            ("n1", vec!["n1"], Mode::Force, None),
            ("n1", vec!["n1", "n2"], Mode::Takeover, None),
            (
                "r1",
                vec!["n1"],
                Mode::Graceful,
                Some("`n1`, the master, does not answer, which a graceful failover cannot do with"),
            ),
            (
                "n1",
                vec!["n1"],
                Mode::Crash,
                Some("`n1`, the master, does not answer, which a crash failover cannot do with"),
            ),
            (
                "r1",
                vec!["r1"],
                Mode::Force,
                Some("`r1` does not answer and cannot take over"),
            ),
            ("r1", vec!["r1"], Mode::Crash, None),
            (
                "n2",
                vec!["r2"],
                Mode::Graceful,
                Some("no replica of `n2` answers: `r2` might be one"),
            ),
            (
                "n1",
                vec!["n2"],
                Mode::Crash,
                Some("1 of 3 masters could vote, and 2 votes elect a replica"),
            ),
            ("n1", vec!["n2"], Mode::Graceful, None),
        ] {
            assert_eq!(
                refusal(name, &silent, mode).as_deref(),
                said,
                "{name} {silent:?} {mode}"
            );
        }
    }

    #[test]
    fn the_replica_that_has_most_takes_over_unless_one_was_named() {
        let (_, members) = cluster(TRUTH, &[]);
        let standby = |name, linked, offset| Standby {
            node: place(name),
            linked,
            offset,
        };
        let choose = |named: &str, standbys: &[Standby], mode, careful| {
            let shard = shard_of(named, &[]).unwrap();
            let chosen = shard.choose(standbys, &members, mode, careful);
            chosen
                .map(|node| NAMES[node])
                .map_err(|error| error.to_string())
        };
        let both = [standby("r1", true, 5), standby("r1b", true, 9)];
        assert_eq!(choose("n1", &both, Mode::Graceful, false), Ok("r1b"));
        assert_eq!(choose("r1", &both, Mode::Graceful, false), Ok("r1"));
        assert_eq!(choose("r1", &both, Mode::Crash, false), Ok("r1b"));

        let cut = [standby("r1", true, 5), standby("r1b", false, 9)];
        assert_eq!(choose("n1", &cut, Mode::Force, false), Ok("r1"));
        assert_eq!(choose("r1b", &cut, Mode::Force, false), Ok("r1b"));
        assert_eq!(choose("r1b", &cut, Mode::Takeover, false), Ok("r1b"));
        for (mode, careful) in [(Mode::Graceful, false), (Mode::Takeover, true)] {
            let error = choose("r1b", &cut, mode, careful).unwrap_err();
            assert!(
                error.starts_with("the link of `r1b` to its master is down: "),
                "{error}"
            );
        }
    }

    #[test]
    fn a_sight_is_what_a_node_says_of_the_old_master_and_of_the_owner() {
        let (survey, members) = cluster(TRUTH, &[]);
        let shard = Shard::of(&survey, &members, place("n1")).unwrap();
        let ids: Vec<_> = members.into_iter().map(|member| member.id).collect();
        let see = |text: &str| {
            let reply = Frame::from_value(Value::BulkString(text.as_bytes().to_vec().into()));
            let sight = shard.sight(1, &view::nodes(&reply).unwrap(), &ids);
            (sight.old_master, sight.master, sight.epoch)
        };
        assert_eq!(
            see("aa :0@0 master,fail?,nofailover - 0 0 1 disconnected 0-99"),
            (Health::Suspected, Some(place("n1")), 1)
        );
        assert_eq!(
            see("aa :0@0 master,nofailover - 0 0 1 connected 0-99").0,
            Health::Fine
        );
        assert_eq!(
            see("aa :0@0 master,fail - 0 0 1 connected\ndd :0@0 master - 0 0 7 connected 0-99"),
            (Health::Failed, Some(place("r1")), 7)
        );
        assert_eq!(
            see("zz :0@0 master - 0 0 9 connected 0-99"),
            (Health::Fine, None, 9)
        );
    }
}
