//! `stop`: ends nodes and keeps what they are.

use shardlab::{Error, exit};

use super::Lab;

/// Stops the nodes, or all of them.
pub(crate) async fn stop(lab: &Lab<'_>, nodes: &[String]) -> Result<u8, Error> {
    lab.open()?;
    let lock = lab.lock().await?;
    let mut cluster = lab.open()?;
    let stopped = cluster.stop(&lock, nodes).await?;
    let name = cluster.name();
    lab.term.note(&match stopped.as_slice() {
        [] => format!("nothing to stop in the cluster `{name}`"),
        some => format!(
            "stopped {} of the cluster `{name}`; `shardlab start{}` goes on with the data",
            some.join(", "),
            lab.name_option()
        ),
    });
    Ok(exit::DONE)
}
