//! A client that follows MOVED and ASK, as a user's would; for one command at a time.

use std::net::SocketAddr;
use std::time::Duration;

use crate::cluster::Cluster;
use crate::error::Error;
use crate::machine::wait::Deadline;
use crate::node::{Endpoint, Node, Patience};
use crate::wire::client::{ClientError, REPLY_TIMEOUT};
use crate::wire::resp::{Frame, Host, Limits, Redirect, RedirectKind, quote};
use crate::wire::slots::key_slot;

/// How many redirects are followed; redis-cli and most clients stop after 5 to 16.
const MOST_REDIRECTS: usize = 16;
/// How long each node at least may take to answer at all, of those that may be asked first.
const LEAST_SHARE: Duration = Duration::from_secs(1);

/// Sends commands to the node that a cluster says is the right one.
#[derive(Debug)]
pub struct Router<'a> {
    cluster: &'a Cluster,
}

impl<'a> Router<'a> {
    /// A router for this cluster.
    pub fn new(cluster: &'a Cluster) -> Self {
        Self { cluster }
    }

    /// Sends the command, first to the node whose slots by birth hold what would be its key, and
    /// follows where it is sent. Gives the name of the node that answered, and the answer, which
    /// may be an error.
    ///
    /// # Errors
    /// No node can be talked to, patience ends, or the redirects do not end.
    pub async fn call<A: AsRef<[u8]>>(
        &mut self,
        command: &[A],
        patience: impl Into<Patience>,
    ) -> Result<(String, Frame), Error> {
        let patience = patience.into();
        let looking = patience.step().at_most(REPLY_TIMEOUT);
        let mut target = self.first(command, looking).await?;
        let mut asking = false;
        for _ in 0..MOST_REDIRECTS {
            let failed = |source| Error::Client {
                node: target.name.clone(),
                source,
            };
            let reply = ask(&target, command, asking, patience).await;
            let reply = reply.map_err(failed)?;
            let Some(redirect) = Redirect::parse(&reply) else {
                return Ok((target.name, reply));
            };
            asking = redirect.kind == RedirectKind::Ask;
            target = self.endpoint(&target, &redirect)?;
        }
        let command: Vec<_> = command.iter().map(|word| quote(word.as_ref())).collect();
        Err(Error::Redirects {
            command: command.join(" "),
            redirects: MOST_REDIRECTS,
        })
    }

    /// Where there is one master, that. Else the first argument is the key of almost every command that has one, and a wrong guess costs
    /// one redirect. Who is silent is passed over; if everybody is, the first one is told of.
    async fn first<A: AsRef<[u8]>>(
        &self,
        command: &[A],
        deadline: Deadline,
    ) -> Result<Endpoint, Error> {
        if let Some(master) = self.master(deadline).await {
            return Ok(master.endpoint());
        }
        let slot = command.get(1).map(|key| key_slot(key.as_ref()));
        let nodes = self.cluster.nodes();
        let mut candidates: Vec<_> = nodes.iter().filter(|node| node.may_answer()).collect();
        candidates.sort_by_key(|node| !slot.is_some_and(|slot| node.plan().slots.contains(slot)));
        let mut first_error = None;
        for (asked, node) in candidates.iter().enumerate() {
            let others = u32::try_from(candidates.len() - asked).unwrap_or(u32::MAX);
            let share = (deadline.remaining() / others).max(LEAST_SHARE);
            match node.endpoint().ping(deadline.at_most(share)).await {
                Ok(()) => return Ok(node.endpoint()),
                Err(source) => {
                    let node = node.name().to_owned();
                    first_error.get_or_insert(Error::Client { node, source });
                }
            }
        }
        Err(first_error.unwrap_or_else(|| Error::NotRunning(self.cluster.name().clone())))
    }

    /// The master, where there is one: who says so, else who is to be it and runs.
    async fn master(&self, deadline: Deadline) -> Option<&'a Node> {
        if !self.cluster.record().options.topology.has_one_master() {
            return None;
        }
        // The other half is for the command.
        let half = deadline.at_most(deadline.remaining() / 2);
        let present = self.cluster.present_master_by(half).await;
        present.or_else(|| {
            let remembered = self.cluster.remembered_master();
            remembered.filter(|node| node.may_answer())
        })
    }

    fn endpoint(&self, from: &Endpoint, redirect: &Redirect) -> Result<Endpoint, Error> {
        // Nodes may announce a name or another address; the port is a node of ours all the same.
        if let Some(node) = self
            .cluster
            .nodes()
            .iter()
            .find(|node| node.plan().port == redirect.port)
        {
            return Ok(Node::endpoint(node));
        }
        let host = match &redirect.host {
            Host::Named(host) => host.parse().ok(),
            Host::SameAsAsked | Host::Unknown => Some(from.address.ip()),
        };
        let stray = || Error::Stray {
            node: from.name.clone(),
            port: redirect.port,
        };
        let address = SocketAddr::new(host.ok_or_else(stray)?, redirect.port);
        // Whoever redirects does not decide who is told the password.
        let known = address.ip().is_loopback() || address.ip() == from.address.ip();
        Ok(Endpoint {
            name: address.to_string(),
            address,
            password: from.password.clone().filter(|_| known),
        })
    }
}

async fn ask<A: AsRef<[u8]>>(
    target: &Endpoint,
    command: &[A],
    asking: bool,
    patience: Patience,
) -> Result<Frame, ClientError> {
    let connection = target.connect(patience.step()).await?;
    let mut connection = connection.with_limits(Limits::default());
    if asking {
        connection.call(&["ASKING"], patience.step()).await?;
    }
    target.reply(&mut connection, command, patience).await
}
