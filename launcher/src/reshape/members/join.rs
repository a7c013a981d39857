//! Nodes that come: started, met, known by all, and replicas of whom they are to copy.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::goal::Attach;
use super::reported::{is_linked, shakes_hands, unattached};
use crate::cluster::Cluster;
use crate::config::boot_values::Method;
use crate::error::Error;
use crate::error::members::MemberError;
use crate::machine::wait::{Deadline, Rounds};
use crate::node::{Node, Session};
use crate::probe::survey::Survey;
use crate::state::{Lock, Stage, create_folders, make_node_folder};
use crate::wire::client::REPLY_TIMEOUT;
use crate::wire::view::Epoch;

/// How often the nodes are looked at while they come to terms.
const ROUND: Duration = Duration::from_millis(20);
/// How long a handshake is given before it is begun anew. The server itself gives up after the node
/// timeout, at least one second (`clusterCron`, `cluster_legacy.c`).
const HANDSHAKE: Duration = Duration::from_secs(2);

impl Cluster {
    /// Starts all nodes that are joining, has them meet the others, and makes replicas of those that
    /// are to be.
    /// They are members once all is whole again, if the cluster was `sound` before.
    pub(super) async fn bring_in(
        &mut self,
        sound: bool,
        lock: &Lock,
        timeout: Duration,
    ) -> Result<(), Error> {
        let deadline = Deadline::after(timeout);
        let joining: Vec<String> = self.joining().map(|node| node.name().to_owned()).collect();
        self.start_joining(lock, deadline).await?;
        self.give_epochs(deadline).await?;
        self.meet_all(deadline, timeout).await?;
        let common = self.equipment().await?;
        for node in self.joining() {
            if *node.stage() == (Stage::Joining { replica_of: None }) {
                self.load_libraries(node, &common).await?;
            }
        }
        let attach: Vec<Attach> = self
            .joining()
            .filter_map(|node| match node.stage() {
                Stage::Joining {
                    replica_of: Some(master),
                } => Some(Attach {
                    replica: node.name().to_owned(),
                    master: master.clone(),
                }),
                _ => None,
            })
            .collect();
        self.attach(&attach, timeout).await?;
        self.restore_those(Method::Commands, |node| {
            joining.iter().any(|name| name == node.name())
        })
        .await?;
        for node in self.joining() {
            self.set_alike(node, &common).await?;
        }
        self.settle(sound, timeout).await?;
        for name in &joining {
            self.set_stage(name, &Stage::Member);
        }
        self.remember(lock, self.record().phase)
    }

    fn joining(&self) -> impl Iterator<Item = &Node> {
        self.nodes()
            .iter()
            .filter(|node| matches!(node.stage(), Stage::Joining { .. }))
    }

    async fn start_joining(&mut self, lock: &Lock, deadline: Deadline) -> Result<(), Error> {
        let arguments = self.boot_arguments(Method::Commands);
        create_folders(&self.record().dir)?;
        for node in self.joining().filter(|node| node.is_ours()) {
            // Whoever was interrupted may have made it.
            if node.dir().symlink_metadata().is_err() {
                make_node_folder(node.dir())?;
            }
            self.write_config(node)?;
            node.spawn(&arguments)?;
        }
        self.remember(lock, self.record().phase)?;
        for node in self.joining() {
            node.answer_ping(deadline).await?;
        }
        Ok(())
    }

    /// Gives each new master an epoch of its own, as long as it is alone.
    async fn give_epochs(&self, deadline: Deadline) -> Result<(), Error> {
        let survey = self.survey(Deadline::after(REPLY_TIMEOUT)).await;
        let mut epoch = (survey.lines().map(|line| line.epoch).max()).unwrap_or(Epoch::NONE);
        for node in self.joining() {
            let alone = matches!(survey.told_by(node.name()), [line] if line.epoch == Epoch::NONE);
            if alone && *node.stage() == (Stage::Joining { replica_of: None }) {
                epoch = epoch.next();
                let mut orders = Session::open(node, deadline).await?;
                orders
                    .give(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch.to_string()])
                    .await?;
            }
        }
        Ok(())
    }

    /// Has every node meet those that are joining. By gossip alone it takes longer, and a node that was
    /// deleted less than a minute ago is not taken up by it (`CLUSTER_BLACKLIST_TTL`, `cluster_legacy.c`).
    async fn meet_all(&self, deadline: Deadline, timeout: Duration) -> Result<(), Error> {
        let mut met: BTreeMap<(String, String), Instant> = BTreeMap::new();
        let mut rounds = Rounds::until(deadline, ROUND);
        loop {
            let survey = self.survey(rounds.look(REPLY_TIMEOUT)).await;
            let unknown = self.unacquainted(&survey);
            let mut joining = self.joining().map(Node::name);
            let silent = joining.find(|node| survey.node(node).is_none());
            let last = match (silent, unknown.first()) {
                (None, None) => return Ok(()),
                (Some(node), _) => format!("`{node}` does not answer"),
                (None, Some((node, stranger))) => {
                    format!("`{node}` has no whole link to `{stranger}` yet")
                }
            };
            if rounds.is_last() {
                return Err(MemberError::Late {
                    what: "getting to know the new nodes".to_owned(),
                    waited: timeout,
                    last,
                }
                .into());
            }
            for (node, stranger) in unknown {
                let lacks = survey
                    .node(&stranger)
                    .is_some_and(|line| survey.told_of(&node, &line.id).is_none());
                let recent = met
                    .get(&(node.clone(), stranger.clone()))
                    .is_some_and(|at| at.elapsed() < HANDSHAKE);
                if lacks && !recent {
                    let order = self.node(&stranger)?.meet_command();
                    Session::open(self.node(&node)?, deadline)
                        .await?
                        .give(&order)
                        .await?;
                    met.insert((node, stranger), Instant::now());
                }
            }
            rounds.next().await;
        }
    }

    /// Pairs of nodes, one of which is joining, of which the first does not fully know the second.
    fn unacquainted(&self, survey: &Survey) -> Vec<(String, String)> {
        let joining: BTreeSet<&str> = self.joining().map(Node::name).collect();
        // A node that is about to be deleted and owns nothing may have been forgotten already.
        let present: Vec<_> = survey
            .selves()
            .filter(|(name, line)| {
                !line.slots.is_empty()
                    || self
                        .node(name)
                        .is_ok_and(|node| *node.stage() != Stage::Leaving)
            })
            .collect();
        let mut unknown = Vec::new();
        for (node, _) in &present {
            for (other, line) in &present {
                let concerns = joining.contains(node) || joining.contains(other);
                let linked = is_linked(survey, node, &line.id) && !shakes_hands(survey, node);
                if node != other && concerns && !linked {
                    unknown.push(((*node).to_owned(), (*other).to_owned()));
                }
            }
        }
        unknown
    }

    /// Makes replicas of nodes and waits until their masters have sent them everything and everybody
    /// shows them.
    pub(in crate::reshape) async fn attach(
        &self,
        pairs: &[Attach],
        timeout: Duration,
    ) -> Result<(), Error> {
        if pairs.is_empty() {
            return Ok(());
        }
        let deadline = Deadline::after(timeout);
        let survey = self.survey(Deadline::after(REPLY_TIMEOUT)).await;
        for Attach { replica, master } in pairs {
            let master = survey.node(master).ok_or_else(|| MemberError::Silent {
                node: master.clone(),
                why: "a replica was to copy it".to_owned(),
            })?;
            let is_so = survey
                .node(replica)
                .is_some_and(|line| line.replicates(&master.id));
            if !is_so {
                let mut session = Session::open(self.node(replica)?, deadline).await?;
                session.replicate(&master.id, deadline).await?;
            }
        }
        let mut prober = self.prober();
        let mut rounds = Rounds::until(deadline, ROUND);
        loop {
            let round = prober.round(rounds.look(REPLY_TIMEOUT)).await;
            let Some((pair, why)) = unattached(&round, pairs) else {
                return Ok(());
            };
            if rounds.is_last() {
                return Err(MemberError::Late {
                    what: format!("`{}` becoming a replica of `{}`", pair.replica, pair.master),
                    waited: timeout,
                    last: why,
                }
                .into());
            }
            // A replica at offset 0 is hidden until its master sends something (`isReplicaAvailable`,
            // cluster.c): a WAIT has it ask for an acknowledgement, and touches no key.
            let _ = self.node(&pair.master)?.call(&["WAIT", "1000", "1"]).await;
            rounds.next().await;
        }
    }
}
