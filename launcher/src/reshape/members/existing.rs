//! A server that somebody else has started and that is to be taken in.

use std::net::{IpAddr, SocketAddr};

use crate::error::Error;
use crate::error::members::MemberError;
use crate::machine::message::{Text, text};
use crate::machine::parameter::Parameter;
use crate::machine::text::counted;
use crate::machine::wait::Deadline;
use crate::plan::Options;
use crate::probe::survey::Survey;
use crate::wire::client::{Connection, REPLY_TIMEOUT};
use crate::wire::resp::{Frame, Limits};
use crate::wire::slots::SlotRanges;
use crate::wire::view::{self, NodeId, NodeLine};

/// How much memory each of its replies may take, in bytes: all that it knows of itself has a thousandth of it,
/// and of a cluster of a thousand nodes with their slots in pieces half.
const MOST: usize = 1 << 20;

/// What is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Existing {
    pub(super) address: SocketAddr,
    pub(super) bus_port: u16,
    pub(super) id: NodeId,
    /// The name of the master that it copies.
    pub(super) master: Option<String>,
    pub(super) slots: SlotRanges,
}

/// Looks whether the server can be taken in. It must be in cluster mode, and without data, without
/// slots and alone, unless somebody else has made it a node of this cluster. With `replica_of` it is to
/// copy the node of this name.
///
/// # Errors
/// [`MemberError::Unfit`], with the reason.
pub(super) async fn inspect(
    address: SocketAddr,
    options: &Options,
    survey: &Survey,
    replica_of: Option<&str>,
) -> Result<Existing, Error> {
    let unfit = |reason: Text| Error::from(MemberError::Unfit { address, reason });
    if !address.ip().is_loopback() && options.bind.iter().all(IpAddr::is_loopback) {
        return Err(unfit(text![
            "the cluster listens on loopback addresses only (",
            Parameter::Bind,
            "), where it cannot reach it"
        ]));
    }
    let replies = ask(address, options)
        .await
        .map_err(|reason| unfit(format!("it does not answer as it should: {reason}").into()))?;
    let [info, keyspace, nodes] = replies.as_slice() else {
        return Err(unfit("it gave too few answers".into()));
    };
    if let Some(error) = [info, keyspace].into_iter().find_map(Frame::as_error) {
        return Err(unfit(crate::wire::resp::escape(error).into()));
    }
    if view::info_field(info, "cluster_enabled") != Some("1") {
        return Err(unfit(
            "it is not running in cluster mode (`cluster-enabled yes`)".into(),
        ));
    }
    let lines = view::nodes(nodes).unwrap_or_default();
    let own = lines.iter().find(|line| line.is_myself());
    let own = own.ok_or_else(|| unfit("its CLUSTER NODES cannot be understood".into()))?;
    let bus_port = own
        .address
        .bus_port()
        .ok_or_else(|| unfit("it does not say on which port its cluster bus is".into()))?;
    let unready = if is_member(&lines, own, survey) {
        misplaced(own, survey, holds_data(keyspace), replica_of)
    } else {
        unready(&lines, own, holds_data(keyspace)).map(Text::from)
    };
    if let Some(reason) = unready {
        return Err(unfit(reason));
    }
    let master = own.master.as_ref().and_then(|id| survey.name_of(id));
    Ok(Existing {
        address,
        bus_port,
        id: own.id.clone(),
        master: master.map(ToOwned::to_owned),
        slots: own.slots.clone(),
    })
}

/// Whether a server belongs to the cluster already, by its own word: it knows one of the nodes.
fn is_member(lines: &[NodeLine], own: &NodeLine, survey: &Survey) -> bool {
    let others = lines.iter().filter(|line| line.id != own.id);
    let mut known = others.filter(|line| !line.shakes_hands());
    known.any(|line| survey.name_of(&line.id).is_some())
}

/// Why a node of the cluster cannot have the part that it is to have.
fn misplaced(
    own: &NodeLine,
    survey: &Survey,
    holds_data: bool,
    replica_of: Option<&str>,
) -> Option<Text> {
    if replica_of.is_none() {
        let id = own.master.as_ref()?;
        return survey.name_of(id).is_none().then(|| {
            text![format!(
                "it copies {id}, which Shardlab does not know; take that node in first"
            )]
        });
    }
    if own.master.is_some() {
        None
    } else if !own.slots.is_empty() {
        Some(text![
            "it is a master with slots of this cluster; without ",
            Parameter::ReplicaOf,
            " it is taken in as such"
        ])
    } else if holds_data {
        Some("it holds data; FLUSHALL deletes it".into())
    } else {
        None
    }
}

async fn ask(address: SocketAddr, options: &Options) -> Result<Vec<Frame>, String> {
    let deadline = Deadline::after(REPLY_TIMEOUT);
    let talk = async {
        // Not a `Session`: nobody knows yet who that is, so that its replies may take less.
        let connection = Connection::open(address, deadline).await?;
        let mut connection = connection.with_limits(Limits::of_frame(MOST));
        let password = options.password.as_deref();
        connection.log_in(password, deadline).await?;
        let commands: [&[&str]; 3] = [
            &["INFO", "cluster"],
            &["INFO", "keyspace"],
            &["CLUSTER", "NODES"],
        ];
        connection.pipeline(&commands, deadline).await
    };
    talk.await.map_err(|error| error.to_string())
}

fn unready(lines: &[NodeLine], myself: &NodeLine, holds_data: bool) -> Option<String> {
    let others = lines.len().saturating_sub(1);
    if others > 0 {
        let others = counted(others, "other node");
        return Some(format!("it knows {others}; CLUSTER RESET makes it forget"));
    }
    if holds_data {
        return Some("it holds data; FLUSHALL deletes it".to_owned());
    }
    if !myself.slots.is_empty() {
        return Some("it owns slots; CLUSTER RESET takes them away".to_owned());
    }
    None
}

/// INFO keyspace has a line `db0:keys=…` for each database that is not empty.
fn holds_data(keyspace: &Frame) -> bool {
    keyspace.as_text().is_some_and(|text| {
        String::from_utf8_lossy(text)
            .lines()
            .any(|line| line.starts_with("db"))
    })
}
