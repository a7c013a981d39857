//! What a node is asked to know where it stands, and what its replies mean.

use crate::ladder::{Answers, ClusterAnswers, SentinelAnswers};
use crate::machine::wait::Deadline;
use crate::node::Session;
use crate::plan::{Options, Role, Topology};
use crate::wire::resp::Frame;
use crate::wire::view::{self, ClusterState, Link, Vitals};

/// The questions to one kind of node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Questions {
    /// To a node in cluster mode.
    Cluster,
    /// To a server without.
    Server,
    /// To a sentinel, of the master of this name.
    Sentinel(String),
}

impl Questions {
    /// The questions to a node of this birth.
    pub(crate) fn to(options: &Options, role: Role) -> Self {
        match (options.topology, role) {
            (_, Role::Sentinel) => Self::Sentinel(options.sentinels.master_name.clone()),
            (Topology::Cluster, _) => Self::Cluster,
            _ => Self::Server,
        }
    }

    /// Asks once: what a node refuses for a moment is what it answers at this moment.
    ///
    /// # Errors
    /// It does not answer by the deadline, or cannot be understood, with the reason.
    pub(crate) async fn ask(
        &self,
        session: &mut Session,
        deadline: Deadline,
    ) -> Result<Answers, String> {
        let commands = self.commands();
        let commands: Vec<&[&str]> = commands.iter().map(Vec::as_slice).collect();
        let replies = session.pipeline(&commands, deadline).await;
        self.answers(&replies.map_err(|error| error.to_string())?)
    }

    /// The same, and how the node fares, in one write. A node that loads its data tells that, if nothing else.
    pub(crate) async fn ask_with_vitals(
        &self,
        session: &mut Session,
        deadline: Deadline,
    ) -> (Result<Answers, String>, Option<Vitals>) {
        let commands = self.commands();
        let mut commands: Vec<&[&str]> = commands.iter().map(Vec::as_slice).collect();
        commands.push(&["INFO"]);
        match session.pipeline(&commands, deadline).await {
            Err(error) => (Err(error.to_string()), None),
            Ok(mut replies) => {
                let info = replies.pop();
                (self.answers(&replies), info.as_ref().and_then(Vitals::of))
            }
        }
    }

    fn commands(&self) -> Vec<Vec<&str>> {
        match self {
            Self::Cluster => vec![
                vec!["CLUSTER", "NODES"],
                vec!["CLUSTER", "INFO"],
                vec!["INFO", "replication"],
                vec!["CLUSTER", "SLOTS"],
            ],
            // INFO is answered while data is loaded, PING is not.
            Self::Server => vec![vec!["PING"], vec!["INFO", "replication"]],
            Self::Sentinel(master) => ["MASTER", "REPLICAS", "SENTINELS", "CKQUORUM"]
                .map(|what| vec!["SENTINEL", what, master])
                .into(),
        }
    }

    fn answers(&self, replies: &[Frame]) -> Result<Answers, String> {
        match (self, replies) {
            (Self::Cluster, [nodes, info, replication, slots]) => {
                refuse_errors(replies)?;
                of_cluster(nodes, info, replication, slots).map(Answers::Cluster)
            }
            (Self::Server, [_, replication]) => {
                refuse_errors(replies)?;
                view::replication(replication)
                    .map(Answers::Server)
                    .ok_or_else(|| strange("INFO replication"))
            }
            (Self::Sentinel(_), [master, replicas, sentinels, quorum]) => {
                of_sentinel(master, replicas, sentinels, quorum).map(Answers::Sentinel)
            }
            _ => Err("it gave too few answers".to_owned()),
        }
    }
}

fn of_cluster(
    nodes: &Frame,
    info: &Frame,
    replication: &Frame,
    slots: &Frame,
) -> Result<ClusterAnswers, String> {
    let answers = ClusterAnswers {
        nodes: view::nodes(nodes).ok_or_else(|| strange("CLUSTER NODES"))?,
        state: ClusterState::in_info(info).ok_or_else(|| strange("CLUSTER INFO"))?,
        link: Link::in_info(replication),
        slots: view::slots(slots).ok_or_else(|| strange("CLUSTER SLOTS"))?,
    };
    match answers.myself() {
        None => Err(strange("CLUSTER NODES")),
        // A replica that does not tell its link is not one whose link is up.
        Some(line) if line.master.is_some() && answers.link.is_none() => {
            Err(strange("INFO replication"))
        }
        Some(_) => Ok(answers),
    }
}

fn of_sentinel(
    master: &Frame,
    replicas: &Frame,
    sentinels: &Frame,
    quorum: &Frame,
) -> Result<Option<SentinelAnswers>, String> {
    // `sentinelGetMasterByNameOrReplyError`, sentinel.c.
    if master
        .as_error()
        .is_some_and(|error| error.starts_with(b"ERR No such master"))
    {
        return Ok(None);
    }
    refuse_errors([master, replicas, sentinels])?;
    Ok(Some(SentinelAnswers {
        master: view::watched(master).ok_or_else(|| strange("SENTINEL MASTER"))?,
        replicas: view::all_watched(replicas).ok_or_else(|| strange("SENTINEL REPLICAS"))?,
        sentinels: view::all_watched(sentinels).ok_or_else(|| strange("SENTINEL SENTINELS"))?,
        no_quorum: quorum.as_error().map(crate::wire::resp::escape),
    }))
}

fn refuse_errors<'a>(replies: impl IntoIterator<Item = &'a Frame>) -> Result<(), String> {
    match replies.into_iter().find_map(Frame::as_error) {
        Some(error) => Err(crate::wire::resp::escape(error)),
        None => Ok(()),
    }
}

fn strange(command: &str) -> String {
    format!("its {command} cannot be understood")
}
