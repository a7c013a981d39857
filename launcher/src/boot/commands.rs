//! The commands boot: what people do by hand, in the order that costs least.
//!
//! Slots are assigned first: a master that starts without slots may not turn OK within its first
//! two seconds (`CLUSTER_WRITABLE_DELAY`, `clusterUpdateState`, `cluster_legacy.c`), and one that
//! gets them later waits again. Epochs are set before the nodes meet, so that none collide.

use crate::client::{Connection, REPLY_TIMEOUT};
use crate::error::Error;
use crate::node::Node;
use crate::plan::Role;
use crate::ready::retry;
use crate::resp::Frame;
use crate::server::Identity;
use crate::view;
use crate::wait::Deadline;

/// Forms the cluster out of nodes that listen. Returns when every command has been accepted;
/// gossip is still spreading the news then.
///
/// # Errors
/// A node does not answer or refuses a command until the deadline.
pub(crate) async fn form(
    nodes: &[Node],
    server: &Identity,
    deadline: Deadline,
) -> Result<(), Error> {
    let mut talks = Vec::with_capacity(nodes.len());
    for node in nodes {
        talks.push(Talk::open(node, deadline).await?);
    }
    let mut ids = Vec::with_capacity(nodes.len());
    for (talk, epoch) in talks.iter_mut().zip(1_usize..) {
        ids.push(talk.id().await?);
        talk.order(&[
            "CLUSTER".into(),
            "SET-CONFIG-EPOCH".into(),
            epoch.to_string(),
        ])
        .await?;
        let slots = &talk.node.plan().slots;
        if !slots.is_empty() {
            let command = add_slots(slots, server.addslotsrange());
            talk.order(&command).await?;
        }
    }
    let mut talks = talks.into_iter();
    let Some(mut first) = talks.next() else {
        return Ok(());
    };
    let rest: Vec<_> = talks.collect();
    for talk in &rest {
        let address = talk.node.address();
        let mut command = vec![
            "CLUSTER".to_owned(),
            "MEET".to_owned(),
            address.ip().to_string(),
            address.port().to_string(),
        ];
        // Older servers have no third argument and take the bus port for granted.
        if server.cluster_port_setting() {
            command.push(talk.node.bus_port().to_string());
        }
        first.order(&command).await?;
    }
    for mut talk in rest {
        let plan = talk.node.plan();
        if plan.role == Role::Replica {
            let master = nodes.iter().zip(&ids).find(|(node, _)| {
                node.plan().role == Role::Master && node.plan().shard == plan.shard
            });
            if let Some((_, id)) = master {
                talk.replicate(id, deadline).await?;
            }
        }
    }
    Ok(())
}

fn add_slots(slots: &crate::slots::SlotRanges, by_range: bool) -> Vec<String> {
    let mut command = vec!["CLUSTER".to_owned()];
    if by_range {
        command.push("ADDSLOTSRANGE".to_owned());
        let bounds = slots
            .ranges()
            .iter()
            .flat_map(|range| [range.start(), range.end()]);
        command.extend(bounds.map(|slot| slot.number().to_string()));
    } else {
        command.push("ADDSLOTS".to_owned());
        command.extend(slots.slots().map(|slot| slot.number().to_string()));
    }
    command
}

/// A connection to one node, for orders that must be obeyed.
struct Talk<'a> {
    node: &'a Node,
    connection: Connection,
}

impl<'a> Talk<'a> {
    async fn open(node: &'a Node, deadline: Deadline) -> Result<Self, Error> {
        let endpoint = node.endpoint();
        let connection = retry(deadline, || endpoint.connect(deadline))
            .await
            .map_err(|source| node.failed(source))?;
        Ok(Self { node, connection })
    }

    async fn call(&mut self, command: &[String]) -> Result<Frame, Error> {
        let reply = self
            .connection
            .call(command, Deadline::after(REPLY_TIMEOUT))
            .await;
        reply.map_err(|source| self.node.failed(source))
    }

    async fn order(&mut self, command: &[String]) -> Result<Frame, Error> {
        let reply = self.call(command).await?;
        match reply.as_error() {
            None => Ok(reply),
            Some(error) => Err(Error::Reply {
                node: self.node.name().to_owned(),
                command: command
                    .iter()
                    .take(3)
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .join(" "),
                reply: crate::resp::escape(error),
            }),
        }
    }

    async fn id(&mut self) -> Result<String, Error> {
        let reply = self.order(&["CLUSTER".into(), "MYID".into()]).await?;
        Ok(String::from_utf8_lossy(reply.as_text().unwrap_or_default()).into_owned())
    }

    /// A node replicates a master only once gossip has told it of that one.
    async fn replicate(&mut self, master: &str, deadline: Deadline) -> Result<(), Error> {
        loop {
            let nodes = self.order(&["CLUSTER".into(), "NODES".into()]).await?;
            let known = view::nodes(&nodes)
                .unwrap_or_default()
                .iter()
                .any(|line| line.id == master && !line.has("handshake"));
            if known || deadline.passed() {
                let command = [
                    "CLUSTER".to_owned(),
                    "REPLICATE".to_owned(),
                    master.to_owned(),
                ];
                return self.order(&command).await.map(drop);
            }
            crate::wait::next_round(std::time::Duration::from_millis(5), deadline).await;
        }
    }
}
