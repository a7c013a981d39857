//! `status`: the nodes of a cluster, on which rung they stand, and how they fare.

use shardlab::wire::client::REPLY_TIMEOUT;
use shardlab::{Error, exit};

use super::lab::Lab;
use super::report::ClusterReport;
use crate::cli::Json;

/// Asks every node and prints what it says.
pub(crate) async fn status(lab: &Lab<'_>, json: Json) -> Result<u8, Error> {
    let cluster = lab.look()?;
    let report = ClusterReport::with_figures(&cluster, &lab.home, REPLY_TIMEOUT).await;
    report.show(lab.term, json);
    Ok(exit::DONE)
}
