//! The failover of one shard, from the first look to the last.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::order::{Orders, key_in, leave_offset_0, write};
use super::shard::{Member, Shard, Standby};
use super::watch::{Heard, Watch};
use super::{Failover, FailoverError, Mode, Moment, Phase, Request, Timeline, patience};
use crate::client::REPLY_TIMEOUT;
use crate::cluster::Cluster;
use crate::error::Error;
use crate::ladder::Rung;
use crate::node::{Endpoint, Node};
use crate::reshape::survey::Survey;
use crate::view;
use crate::wait::{Deadline, next_round};

/// How long nodes are waited for when one is known to be silent.
const SHORT_LOOK: Duration = Duration::from_secs(1);
/// How long a take-over waits for a moment in which nobody waits for a PONG of the replica.
const REST: Duration = Duration::from_secs(1);
const REST_LOOK: Duration = Duration::from_millis(5);
/// How long a node is waited for that may be silent.
const REST_ANSWER: Duration = Duration::from_millis(200);

impl Cluster {
    /// Makes another node the master of the shard that a node, master or replica, is in: that node
    /// itself if it is a replica, else the one that has most of the master's data ([`Mode::Crash`]:
    /// whoever is elected). Waits until every node that runs says so, a write is accepted, and, if all
    /// nodes run, all stand on [`Rung::Visible`]. `observe` hears of each moment as it comes.
    ///
    /// The write is a key named `shardlab:failover:…` in a slot of the shard, which is deleted at once. A
    /// master that [`Mode::Crash`] kills is started again by whatever way this ends, also if it is dropped,
    /// unless [`Request::leave_dead`].
    ///
    /// # Errors
    /// There is no such node; [`FailoverError`], if it cannot be or does not come about in time;
    /// [`Error::NotReady`], if the shard has failed over and the cluster is not whole in time.
    pub async fn failover(
        &self,
        node: &str,
        request: Request,
        observe: impl FnMut(&Moment),
    ) -> Result<Failover, Error> {
        self.refuse_unfinished()?;
        if !self.record().options.topology.is_cluster() {
            let text = format!(
                "`{}` has no cluster mode, and only a cluster fails over here",
                self.name()
            );
            return Err(FailoverError::Unsupported(text).into());
        }
        let cast = self.cast(node, request.mode).await?;
        let timeout = request
            .timeout
            .unwrap_or_else(|| patience(self.record().options.node_timeout));
        let act = Act {
            cluster: self,
            cast,
            request,
            timeout,
            observe,
            told: 0,
        };
        act.play().await
    }

    /// Finds out who is who, and refuses what cannot come about.
    async fn cast(&self, node: &str, mode: Mode) -> Result<Cast, Error> {
        let node = self.node(node)?;
        let silent = self.nodes().iter().any(|node| !is_up(node));
        let look = if silent { SHORT_LOOK } else { REPLY_TIMEOUT };
        let survey = self.survey(Deadline::after(look)).await;
        let members = members(self.nodes(), &survey);
        let place = members
            .iter()
            .position(|member| member.name == node.name())
            .unwrap_or_default();
        let shard = Shard::of(&survey, &members, place)?;
        shard.check(&survey, &members, mode)?;
        let standbys = self.standbys(&shard).await;
        let careful = !self.record().server.takeover_at_start();
        let heir = shard.choose(&standbys, &members, mode, careful)?;
        let heard = self.nodes().iter().enumerate().map(|(place, node)| {
            let killed = mode == Mode::Crash && place == shard.master;
            !killed && survey.node(node.name()).is_some()
        });
        Ok(Cast {
            heir,
            heard: heard.collect(),
            ids: members.into_iter().map(|member| member.id).collect(),
            shard: Arc::new(shard),
        })
    }

    async fn standbys(&self, shard: &Shard) -> Vec<Standby> {
        let mut standbys = Vec::with_capacity(shard.replicas.len());
        for place in &shard.replicas {
            let Some(node) = self.nodes().get(*place) else {
                continue;
            };
            let info = node.call(&["INFO", "replication"]).await.ok();
            let field = |name| view::info_field(info.as_ref()?, name);
            standbys.push(Standby {
                node: *place,
                linked: field("master_link_status") == Some("up"),
                offset: field("slave_repl_offset")
                    .and_then(|offset| offset.parse().ok())
                    .unwrap_or(0),
            });
        }
        standbys
    }

    /// Waits until nobody waits for a PONG of the node, for a second at most: one that arrives after
    /// the news of a take-over tells of the role before, which can confuse its receiver for good.
    async fn let_rest(&self, id: &str) {
        let deadline = Deadline::after(REST);
        loop {
            let survey = self.survey(deadline.at_most(REST_ANSWER)).await;
            let mut accounts = survey.accounts().iter();
            let rests = accounts.all(|account| {
                let lines = account.says.as_deref().unwrap_or_default();
                let line = lines.iter().find(|line| line.id == id);
                line.is_none_or(|line| line.has("myself") || line.is_at_rest())
            });
            if rests || deadline.passed() {
                return;
            }
            next_round(REST_LOOK, deadline).await;
        }
    }
}

/// Who plays which part.
struct Cast {
    shard: Arc<Shard>,
    /// Who is told to take over, or would be the best.
    heir: usize,
    /// Whose agreement is needed, by place.
    heard: Vec<bool>,
    ids: Arc<[Option<String>]>,
}

struct Act<'a, O> {
    cluster: &'a Cluster,
    cast: Cast,
    request: Request,
    timeout: Duration,
    observe: O,
    /// How many moments have been told of.
    told: usize,
}

impl<O: FnMut(&Moment)> Act<'_, O> {
    async fn play(mut self) -> Result<Failover, Error> {
        let nodes = self.cluster.nodes();
        let endpoints: Vec<Endpoint> = nodes.iter().map(Node::endpoint).collect();
        let names: Vec<String> = nodes.iter().map(|node| node.name().to_owned()).collect();
        let Cast {
            shard, heard, ids, ..
        } = &self.cast;
        let shard = Arc::clone(shard);
        let mut timeline = Timeline::new(names.clone(), shard.master, heard);
        let mut watch = Watch::begin(&endpoints, heard, &shard, ids);
        let speaking = heard.iter().filter(|heard| **heard).count();
        let key = key_in(shard.slot);
        let orders = self.orders().await?;
        watch.warm_up(speaking, &mut timeline).await;
        if let Some((master, _)) = timeline.promoted() {
            // The others were faster than this command.
            return Err(Error::from(FailoverError::FailedOver {
                node: name(&names, shard.master),
                master: names.get(master).cloned(),
            }));
        }

        let deadline = Deadline::after(self.timeout);
        let since = Instant::now();
        let mut revival = Revival(None);
        let mut ordering = None;
        match (orders, nodes.get(shard.master)) {
            (Some(orders), _) => ordering = Some(watch.also(|teller| orders.give(teller))),
            (None, Some(master)) => {
                revival = Revival((!self.request.leave_dead).then_some(master));
                master.kill().await?;
            }
            (None, None) => {}
        }

        let mut given = 0;
        let mut writing = false;
        while !timeline.is_settled() {
            match watch.next(deadline).await {
                Some(Heard::Saw(sight)) => timeline.see(since.elapsed(), &sight),
                Some(Heard::Ordered) => given += 1,
                Some(Heard::Written) => timeline.written(since.elapsed()),
                Some(Heard::Refused(error)) if timeline.promoted().is_none() => {
                    return Err(error.into());
                }
                Some(Heard::Refused(_)) => {}
                None => return Err(self.late(&names, &timeline)),
            }
            self.tell(&timeline);
            if let Some((master, _)) = timeline.promoted()
                && !std::mem::replace(&mut writing, true)
            {
                if let Some(ordering) = ordering.take() {
                    ordering.abort();
                }
                if let Some(endpoint) = endpoints.get(master).cloned() {
                    let key = key.clone();
                    watch.also(|teller| write(endpoint, key, teller));
                }
            }
            if timeline.has(Phase::Agreed) {
                revival.now()?;
            }
        }
        drop(watch);
        if nodes.iter().all(is_up) {
            let left = deadline.remaining();
            self.cluster
                .climb_watched(Rung::Visible, None, Instant::now(), left, |_| {})
                .await?;
            timeline.whole(since.elapsed());
            self.tell(&timeline);
        }
        Ok(self.report(&names, &timeline, given))
    }

    /// Connects to the one who is to take over; there is none if the master is to be killed.
    async fn orders(&self) -> Result<Option<Orders>, Error> {
        let mode = self.request.mode;
        let heir = self.cluster.nodes().get(self.cast.heir);
        let Some(heir) = heir.filter(|_| mode != Mode::Crash) else {
            return Ok(None);
        };
        let master = self.cluster.nodes().get(self.cast.shard.master);
        if let (Mode::Graceful, Some(master)) = (mode, master) {
            let key = key_in(self.cast.shard.slot);
            let left = leave_offset_0(&master.endpoint(), &heir.endpoint(), &key).await;
            left.map_err(|source| heir.failed(source))?;
        }
        let orders = Orders::open(heir.endpoint(), mode).await;
        let orders = orders.map_err(|source| heir.failed(source))?;
        if let (Mode::Takeover, Some(Some(id))) = (mode, self.cast.ids.get(self.cast.heir)) {
            self.cluster.let_rest(id).await;
        }
        Ok(Some(orders))
    }

    fn tell(&mut self, timeline: &Timeline) {
        for moment in timeline.moments().iter().skip(self.told) {
            (self.observe)(moment);
        }
        self.told = timeline.moments().len();
    }

    fn late(&self, names: &[String], timeline: &Timeline) -> Error {
        Error::from(FailoverError::Late {
            master: name(names, self.cast.shard.master),
            waited: self.timeout,
            moments: timeline.moments().to_vec(),
        })
    }

    fn report(&self, names: &[String], timeline: &Timeline, orders: u32) -> Failover {
        let (master, epoch) = timeline.promoted().unwrap_or_default();
        Failover {
            mode: self.request.mode,
            old_master: name(names, self.cast.shard.master),
            new_master: name(names, master),
            epoch_before: self.cast.shard.epoch,
            epoch_after: epoch,
            orders,
            moments: timeline.moments().to_vec(),
        }
    }
}

/// A killed master that is started again, at the latest when this is dropped.
struct Revival<'a>(Option<&'a Node>);

impl Revival<'_> {
    fn now(&mut self) -> Result<(), Error> {
        self.0.take().map_or(Ok(()), Node::start)
    }
}

impl Drop for Revival<'_> {
    fn drop(&mut self) {
        // The error that ended the failover is the one to tell.
        let _ = self.now();
    }
}

fn is_up(node: &Node) -> bool {
    node.may_answer() && !node.is_paused()
}

fn members(nodes: &[Node], survey: &Survey) -> Vec<Member> {
    let member = |node: &Node| Member {
        name: node.name().to_owned(),
        id: survey
            .node(node.name())
            .map(|line| line.id.clone())
            .or_else(|| node.id()),
        birth: node.plan().shard,
        paused: node.is_paused(),
    };
    nodes.iter().map(member).collect()
}

fn name(names: &[String], place: usize) -> String {
    names.get(place).cloned().unwrap_or_default()
}
