//! Climbing the ladder: asks all nodes at once, round after round, until they stand on the rung.

use std::mem;
use std::time::{Duration, Instant};

use crate::ladder::{Observation, Rung, Standing, common, judge};
use crate::machine::wait::{Deadline, Rounds};
use crate::node::{Endpoint, Session};
use crate::plan::{Options, Role, Topology};
use crate::probe::ask_all;
use crate::probe::questions::Questions;
use crate::wire::client::REPLY_TIMEOUT;
use crate::wire::view::Vitals;

/// When each node first stood on each rung, counted from the launcher's start.
#[derive(Debug, Clone, Default)]
pub struct Climb {
    /// In the order of the plan.
    pub nodes: Vec<NodeClimb>,
}

/// One node's times.
#[derive(Debug, Clone)]
pub struct NodeClimb {
    /// The node's name.
    pub node: String,
    /// The time at which it first stood on each of [`Rung::ALL`], if it did.
    pub reached: [Option<Duration>; Rung::ALL.len()],
}

impl Climb {
    /// When the last node reached a rung; `None` if one has not.
    pub fn reached(&self, rung: Rung) -> Option<Duration> {
        self.nodes
            .iter()
            .map(|node| node.reached[rung as usize])
            .try_fold(Duration::ZERO, |last, at| Some(last.max(at?)))
    }

    /// The same climb with the earlier times of a climb before it.
    #[must_use]
    pub fn after(mut self, before: &Self) -> Self {
        for (node, earlier) in self.nodes.iter_mut().zip(&before.nodes) {
            for (at, earlier) in node.reached.iter_mut().zip(earlier.reached) {
                *at = earlier.or(*at);
            }
        }
        self
    }

    fn note(&mut self, standings: &[Standing], at: Duration) {
        for (node, standing) in self.nodes.iter_mut().zip(standings) {
            let height = standing.rung.map_or(0, |rung| rung as usize + 1);
            for reached in node.reached.iter_mut().take(height) {
                reached.get_or_insert(at);
            }
        }
    }
}

/// Looks at a cluster again and again; keeps one connection to each node.
#[derive(Debug)]
pub struct Prober {
    topology: Topology,
    /// The roles that the nodes, in their order, are to have; `None` if any will do.
    roles: Option<Vec<Role>>,
    nodes: Vec<Probed>,
}

/// One node that is looked at.
#[derive(Debug)]
struct Probed {
    session: Session,
    questions: Questions,
}

impl Prober {
    /// A prober of these nodes, each with what it was born as; nothing is connected yet.
    pub fn new(options: &Options, nodes: impl IntoIterator<Item = (Endpoint, Role)>) -> Self {
        let probed = |(endpoint, role)| Probed {
            session: Session::unconnected(endpoint),
            questions: Questions::to(options, role),
        };
        Self {
            topology: options.topology,
            roles: None,
            nodes: nodes.into_iter().map(probed).collect(),
        }
    }

    /// The same, but no node counts as formed before it has its role.
    #[must_use]
    pub fn expecting(self, roles: Option<Vec<Role>>) -> Self {
        Self { roles, ..self }
    }

    /// Asks every node once, all at the same time.
    pub async fn round(&mut self, deadline: Deadline) -> Vec<Observation> {
        self.ask(false, deadline).await.0
    }

    /// The same, and how each node fares, if it tells.
    pub(crate) async fn round_with_vitals(
        &mut self,
        deadline: Deadline,
    ) -> (Vec<Observation>, Vec<Option<Vitals>>) {
        self.ask(true, deadline).await
    }

    async fn ask(
        &mut self,
        with_vitals: bool,
        deadline: Deadline,
    ) -> (Vec<Observation>, Vec<Option<Vitals>>) {
        let questions = self.nodes.iter_mut().map(|node| {
            let anew = Session::unconnected(node.session.endpoint().clone());
            let mut session = mem::replace(&mut node.session, anew);
            let questions = node.questions.clone();
            async move {
                let (answers, vitals) = if with_vitals {
                    questions.ask_with_vitals(&mut session, deadline).await
                } else {
                    (questions.ask(&mut session, deadline).await, None)
                };
                (session, answers, vitals)
            }
        });
        let asked = ask_all(questions).await.into_iter().zip(&mut self.nodes);
        asked
            .map(|((session, answers, vitals), node)| {
                node.session = session;
                let observation = Observation {
                    node: node.session.endpoint().name.clone(),
                    port: node.session.endpoint().address.port(),
                    answers,
                };
                (observation, vitals)
            })
            .unzip()
    }

    /// Where each node stands, judged by one round.
    pub fn judge(&self, round: &[Observation]) -> Vec<Standing> {
        judge(self.topology, round, self.roles.as_deref())
    }

    /// Climbs to `wanted`. `since` is where the times count from; `observe` sees each round's
    /// standings and may end the climb with an error of its own (a node that died).
    ///
    /// # Errors
    /// `Ok(Err(standings))`: the last round, when time runs out. `Err`: what `observe` ended it with.
    pub async fn climb<E>(
        &mut self,
        wanted: Rung,
        since: Instant,
        deadline: Deadline,
        mut observe: impl FnMut(&[Standing]) -> Result<(), E>,
    ) -> Result<Result<Climb, Vec<Standing>>, E> {
        let mut climb = Climb {
            nodes: self
                .nodes
                .iter()
                .map(|node| NodeClimb {
                    node: node.session.endpoint().name.clone(),
                    reached: [None; 5],
                })
                .collect(),
        };
        // Each round costs every node some milliseconds, growing with the size of its tables.
        let every = Duration::from_millis(10)
            .max(Duration::from_millis(2) * u32::try_from(self.nodes.len()).unwrap_or(1));
        let mut rounds = Rounds::until(deadline, every);
        loop {
            let round = self.round(rounds.look(REPLY_TIMEOUT)).await;
            let standings = self.judge(&round);
            climb.note(&standings, since.elapsed());
            observe(&standings)?;
            if common(&standings) >= Some(wanted) {
                return Ok(Ok(climb));
            }
            if !rounds.next().await {
                return Ok(Err(standings));
            }
        }
    }
}
