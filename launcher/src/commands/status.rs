//! `status`: the nodes of a cluster, and on which rung they stand.

use shardlab::{Error, exit};

use super::Lab;
use super::report::ClusterReport;

/// Asks every node and prints what it says.
pub(crate) async fn status(lab: &Lab<'_>, json: bool) -> Result<u8, Error> {
    let cluster = lab.open()?;
    let report = ClusterReport::of(&cluster, &lab.home).await;
    if json {
        lab.term.json(&report);
    } else {
        lab.term.data(&report.text());
    }
    Ok(exit::DONE)
}
