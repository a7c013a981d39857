//! The failover of one shard, from the first look to the last.

use std::time::{Duration, Instant};

use tokio::task::AbortHandle;

use super::candidate::best;
use super::order::{Again, Order, follow, leave_offset_0, write};
use super::rejoin::Rejoin;
use super::roles::{Means, Roles, has_data, is_up};
use super::watch::{Heard, Scene, Watch};
use super::{
    Epochs, Failover, FailoverError, FailoverEvent, Mode, Moment, Phase, Request, Timeline,
    patience,
};
use crate::cluster::Cluster;
use crate::error::Error;
use crate::ladder::Rung;
use crate::machine::wait::{Deadline, Rounds};
use crate::node::{Endpoint, NO_WRITES, Node, Temporary};
use crate::wire::view::{Epoch, NodeId, NodeLine};

/// How long a take-over waits for a moment in which nobody waits for a PONG of the replica.
const REST: Duration = Duration::from_secs(1);
const REST_LOOK: Duration = Duration::from_millis(5);
/// How long a node is waited for that may be silent.
const REST_ANSWER: Duration = Duration::from_millis(200);

impl Cluster {
    /// Makes another node the master of the shard that a node, master or replica, is in: that node
    /// itself if it is a replica, else the one that has most of the master's data, or that Sentinel
    /// chooses ([`Mode::Crash`]: whoever is elected). Waits until every node that runs says so, a write
    /// is accepted, and, if all nodes run, all stand on [`Rung::Ready`]. `observe` hears of each moment
    /// as it comes.
    ///
    /// The write is a key named `shardlab:failover:…` in a slot of the shard, which is deleted at once. A
    /// master that [`Mode::Crash`] kills is started again by whatever way this ends, also if it is dropped,
    /// unless [`Request::leave_dead`]; so are settings given back that are changed meanwhile.
    ///
    /// # Errors
    /// There is no such node; [`FailoverError`], if it cannot be or does not come about in time;
    /// [`FailoverError::Open`] or [`Error::NotReady`], if the shard has failed over and the cluster cannot
    /// be whole, or is not in time.
    pub async fn failover(
        &self,
        node: &str,
        request: Request,
        observe: impl FnMut(&FailoverEvent<'_>),
    ) -> Result<Failover, Error> {
        self.refuse_unfinished()?;
        let roles = self.failover_roles(node, request.mode).await?;
        let timeout = request
            .timeout
            .unwrap_or_else(|| patience(&self.record().options));
        let act = Act {
            cluster: self,
            roles,
            request,
            timeout,
            observe,
            told: 0,
        };
        act.play().await
    }

    /// Waits until nobody waits for a PONG of the node, for a second at most: one that arrives after
    /// the news of a take-over tells of the role before, which can confuse its receiver for good.
    async fn let_rest(&self, id: &NodeId) {
        let mut rounds = Rounds::until(Deadline::after(REST), REST_LOOK);
        loop {
            let survey = self.survey(Deadline::after(REST_ANSWER)).await;
            let rests = |line: &NodeLine| line.is_myself() || line.is_at_rest();
            let mut known = survey.lines().filter(|line| line.id == *id);
            if known.all(rests) || !rounds.next().await {
                return;
            }
        }
    }
}

struct Act<'a, O> {
    cluster: &'a Cluster,
    roles: Roles,
    request: Request,
    timeout: Duration,
    observe: O,
    /// How many moments have been told of.
    told: usize,
}

/// What the act has begun.
struct Begun<'a> {
    rejoin: Rejoin<'a>,
    /// Keeps the master from taking writes.
    without_writes: Option<Temporary>,
    /// What a node is told, and who tells it.
    order: Option<Order>,
    ordering: Option<AbortHandle>,
    /// Who writes to the new master and has the others follow it.
    handing_over: Vec<AbortHandle>,
}

impl<'a, O: FnMut(&FailoverEvent<'_>)> Act<'a, O> {
    async fn play(mut self) -> Result<Failover, Error> {
        let nodes = self.cluster.nodes();
        let endpoints: Vec<Endpoint> = nodes.iter().map(Node::endpoint).collect();
        let names: Vec<String> = nodes.iter().map(|node| node.name().to_owned()).collect();
        let heard = &self.roles.heard;
        let mut timeline =
            Timeline::new(names.clone(), self.roles.master, heard, self.epoch_before())
                .without_writes(!self.roles.covered);
        let mut watch = Watch::begin(&endpoints, heard, &self.roles.scene);
        let speaking = heard.iter().filter(|heard| **heard).count();
        let order = self.order().await?;
        watch.warm_up(speaking, &mut timeline).await;
        if let Some((master, _)) = timeline.promoted() {
            // The others were faster than this command.
            return Err(Error::from(FailoverError::FailedOver {
                node: name(&names, self.roles.master),
                master: names.get(master).cloned(),
            }));
        }

        let deadline = Deadline::after(self.timeout);
        let since = Instant::now();
        let mut begun = self.begin(order, &mut watch, deadline).await?;
        let mut given = 0;
        let mut undone = timeline.undone();
        let mut handed_over = None;
        while !timeline.is_settled() {
            match watch.next(deadline).await {
                Some(Heard::Saw(report)) => timeline.see(since.elapsed(), &report),
                Some(Heard::Ordered) => given += 1,
                Some(Heard::Written(node)) => timeline.written(since.elapsed(), node),
                Some(Heard::Refused(error)) if timeline.promoted().is_none() => {
                    return Err(error.into());
                }
                Some(Heard::Refused(_)) => {}
                None => return Err(self.late(&names, &timeline)),
            }
            self.tell(&timeline);
            if undone != timeline.undone() {
                undone = timeline.undone();
                self.order_again(&mut begun, &mut watch);
            }
            let master = timeline.promoted().map(|(master, _)| master);
            if handed_over != master {
                handed_over = master;
                self.hand_over(master, &mut begun, &mut watch);
            }
            if timeline.has(Phase::Agreed) {
                begun.rejoin.now()?;
            }
        }
        drop(watch);
        self.roles.preferred = None;
        if let Some((master, _)) = timeline.promoted()
            && let Some(master) = nodes.get(master)
        {
            self.cluster.write_roles_down(master).await?;
        }
        if nodes.iter().all(is_up) && self.roles.covered {
            let whole = self
                .cluster
                .climb_watched(Rung::Ready, None, since, self.timeout, |_| {});
            if self.roles.means == Means::Cluster {
                tokio::select! {
                    biased;
                    whole = whole => drop(whole?),
                    deaf = self.cluster.deaf() => return Err(deaf.into()),
                }
            } else {
                whole.await?;
            }
            timeline.ready(since.elapsed());
            self.tell(&timeline);
        }
        let mut done = self.report(&names, &timeline, given);
        let now = self.cluster.present_master().await.map(Node::name);
        done.replaced_by = now
            .filter(|now| *now != done.new_master)
            .map(ToOwned::to_owned);
        Ok(done)
    }

    /// Connects to the one who is to be told; there is nobody if the master is to be killed.
    async fn order(&self) -> Result<Option<Order>, Error> {
        let mode = self.request.mode;
        let nodes = self.cluster.nodes();
        let told = match self.roles.means {
            Means::Cluster | Means::Hand => self.roles.candidate,
            Means::Sentinel(sentinel) => sentinel,
            Means::Master => self.roles.master,
        };
        let (Some(told), Some(candidate)) = (nodes.get(told), nodes.get(self.roles.candidate))
        else {
            return Ok(None);
        };
        if mode == Mode::Crash {
            return Ok(None);
        }
        if let (Means::Cluster, Mode::Graceful, Some(master)) =
            (&self.roles.means, mode, nodes.get(self.roles.master))
        {
            leave_offset_0(master).await?;
        }
        let endpoint = told.endpoint();
        let order = match self.roles.means {
            Means::Cluster => Order::to_cluster(endpoint, mode).await?,
            Means::Sentinel(_) => {
                let sentinels = &self.cluster.record().options.sentinels;
                Order::to_sentinel(endpoint, sentinels).await?
            }
            Means::Master => Order::to_master(endpoint, &self.cluster.announced(candidate)).await?,
            Means::Hand => Order::to_replica(endpoint).await?,
        };
        if let (Mode::Takeover, Scene::Shard(_, ids)) = (mode, &self.roles.scene)
            && let Some(Some(id)) = ids.get(self.roles.candidate)
        {
            self.cluster.let_rest(id).await;
        }
        Ok(Some(order))
    }

    /// The act itself: the first order, or the SIGKILL.
    async fn begin(
        &self,
        mut order: Option<Order>,
        watch: &mut Watch,
        deadline: Deadline,
    ) -> Result<Begun<'a>, Error> {
        let mut begun = Begun {
            rejoin: Rejoin::default(),
            without_writes: None,
            order: None,
            ordering: None,
            handing_over: Vec::new(),
        };
        let nodes = self.cluster.nodes();
        let Some(master) = nodes.get(self.roles.master) else {
            return Ok(begun);
        };
        if self.request.mode == Mode::Crash {
            if !self.request.leave_dead {
                begun.rejoin = Rejoin::of(master);
            }
            master.kill().await?;
            if self.roles.means == Means::Hand {
                // Only now it is certain who has most.
                let candidates = self.cluster.candidates(&self.roles.replicas).await;
                let candidate = best(&candidates, None, false).unwrap_or(self.roles.candidate);
                if let Some(candidate) = nodes.get(candidate) {
                    order = Some(Order::to_replica(candidate.endpoint()).await?);
                }
            }
        } else if self.request.mode == Mode::Graceful
            && matches!(self.roles.means, Means::Sentinel(_) | Means::Hand)
        {
            let settings = &self.cluster.record().options.settings;
            let taken = Temporary::take(master.endpoint(), &NO_WRITES, settings, false).await?;
            begun.without_writes = Some(taken);
            self.cluster
                .catch_up(&self.roles, deadline, self.timeout)
                .await?;
        }
        begun.order = order.as_ref().map(Order::anew);
        begun.ordering = order.map(|order| watch.also(|teller| order.give(teller)));
        Ok(begun)
    }

    /// The old master's configuration epoch, where a claim counts by it.
    fn epoch_before(&self) -> Option<Epoch> {
        match &self.roles.scene {
            Scene::Shard(shard, _) => Some(shard.epoch),
            Scene::Set(..) => None,
        }
    }

    /// The server has undone what it was told: it is told once more, as soon as that can succeed. Where
    /// others decide they have done so for another node.
    fn order_again(&mut self, begun: &mut Begun<'_>, watch: &mut Watch) {
        if let (Means::Cluster, Some(order)) = (self.roles.means, &begun.order) {
            let node_timeout = self.cluster.record().options.node_timeout;
            let again = Again::after_stale_votes(node_timeout, self.master_speaks());
            (self.observe)(&FailoverEvent::Undone(again.after));
            if let Some(ordering) = begun.ordering.take() {
                ordering.abort();
            }
            let order = order.anew();
            begun.ordering = Some(watch.also(|teller| order.give_again(again, teller)));
        }
    }

    fn master_speaks(&self) -> bool {
        self.roles.heard.get(self.roles.master) == Some(&true)
    }

    /// There is a new master: it is written to, and where nobody else does, the others are told; or there is
    /// none any more.
    fn hand_over(&self, new: Option<usize>, begun: &mut Begun<'_>, watch: &mut Watch) {
        begun.handing_over.drain(..).for_each(|task| task.abort());
        let nodes = self.cluster.nodes();
        let Some((new, master)) = new.and_then(|new| Some((new, nodes.get(new)?))) else {
            return;
        };
        if let Some(ordering) = begun.ordering.take() {
            ordering.abort();
        }
        let key = self.roles.key.clone();
        let writing = watch.also(|teller| write(new, master.endpoint(), key, teller));
        begun.handing_over.push(writing);
        let address = self.cluster.announced(master);
        let by_sentinel = match self.roles.means {
            Means::Cluster => return,
            Means::Sentinel(_) => true,
            Means::Master | Means::Hand => false,
        };
        if !by_sentinel {
            begun.rejoin.follows(address.clone());
        }
        for (place, node) in nodes.iter().enumerate() {
            let speaks = self.roles.heard.get(place) == Some(&true);
            if place == new || !speaks || !has_data(node) {
                continue;
            }
            let is_old = place == self.roles.master;
            // Sentinels tell the old master only some ten seconds later, which an orderly failover does
            // not wait for.
            if by_sentinel && !(is_old && self.request.mode == Mode::Graceful) {
                continue;
            }
            let without_writes = begun.without_writes.take_if(|_| is_old);
            let (endpoint, address) = (node.endpoint(), address.clone());
            let following = watch.also(|_| follow(endpoint, address, without_writes, by_sentinel));
            begun.handing_over.push(following);
        }
    }

    fn tell(&mut self, timeline: &Timeline) {
        for moment in timeline.moments().iter().skip(self.told) {
            (self.observe)(&FailoverEvent::Reached(moment));
        }
        self.told = timeline.moments().len();
    }

    fn late(&self, names: &[String], timeline: &Timeline) -> Error {
        Error::from(FailoverError::Late {
            master: name(names, self.roles.master),
            waited: self.timeout,
            reached: reached(timeline.moments()),
            undone: timeline.undone(),
        })
    }

    fn report(&self, names: &[String], timeline: &Timeline, orders: u32) -> Failover {
        let (master, epoch) = timeline.promoted().unwrap_or_default();
        Failover {
            mode: self.request.mode,
            old_master: name(names, self.roles.master),
            new_master: name(names, master),
            epochs: self.roles.epoch.map(|before| Epochs {
                before,
                after: epoch,
            }),
            orders,
            covered: self.roles.covered,
            undone: timeline.undone(),
            replaced_by: None,
            moments: timeline.moments().to_vec(),
        }
    }
}

fn name(names: &[String], place: usize) -> String {
    names.get(place).cloned().unwrap_or_default()
}

/// What has happened until now, in words.
fn reached(moments: &[Moment]) -> String {
    match moments {
        [] => "nothing has happened".to_owned(),
        some => some
            .iter()
            .map(|moment| format!("{} {:.2} s", moment.phase.name(), moment.at.as_secs_f64()))
            .collect::<Vec<_>>()
            .join(", "),
    }
}
