//! A client that follows MOVED and ASK, as a user's would; for one command at a time.

use std::net::SocketAddr;

use crate::client::{ClientError, Connection};
use crate::cluster::Cluster;
use crate::error::Error;
use crate::node::{Endpoint, Node};
use crate::resp::{Frame, Host, Redirect, RedirectKind, quote};
use crate::slots::key_slot;
use crate::wait::Deadline;

/// How many redirects are followed; redis-cli and most clients stop after 5 to 16.
const MOST_REDIRECTS: usize = 16;

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
    /// No node can be talked to, or the redirects do not end.
    pub async fn call<A: AsRef<[u8]>>(
        &mut self,
        command: &[A],
        deadline: Deadline,
    ) -> Result<(String, Frame), Error> {
        let mut target = self.first(command, deadline).await?;
        let mut asking = false;
        for _ in 0..MOST_REDIRECTS {
            let failed = |source| Error::Client {
                node: target.name.clone(),
                source,
            };
            let mut connection = target.connect(deadline).await.map_err(failed)?;
            let reply = ask(&mut connection, command, asking, deadline)
                .await
                .map_err(failed)?;
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
    /// one redirect.
    async fn first<A: AsRef<[u8]>>(
        &self,
        command: &[A],
        deadline: Deadline,
    ) -> Result<Endpoint, Error> {
        if self.cluster.record().options.topology.has_one_master()
            && let Some(master) = self.cluster.present_master().await
        {
            return Ok(master.endpoint());
        }
        let slot = command.get(1).map(|key| key_slot(key.as_ref()));
        let nodes = self.cluster.nodes();
        let likely =
            slot.and_then(|slot| nodes.iter().find(|node| node.plan().slots.contains(slot)));
        let mut last = Error::NotRunning(self.cluster.name().clone());
        for node in likely
            .into_iter()
            .chain(nodes)
            .filter(|node| node.may_answer())
        {
            match node.endpoint().connect(deadline).await {
                Ok(_) => return Ok(node.endpoint()),
                Err(source) => {
                    last = Error::Client {
                        node: node.name().to_owned(),
                        source,
                    }
                }
            }
        }
        Err(last)
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
        Ok(Endpoint {
            name: address.to_string(),
            address,
            password: from.password.clone(),
        })
    }
}

async fn ask<A: AsRef<[u8]>>(
    connection: &mut Connection,
    command: &[A],
    asking: bool,
    deadline: Deadline,
) -> Result<Frame, ClientError> {
    if asking {
        connection.call(&["ASKING"], deadline).await?;
    }
    connection.call(command, deadline).await
}
