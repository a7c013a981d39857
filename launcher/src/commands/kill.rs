//! `kill`: a signal to nodes, whatever else is at work on the cluster.

use shardlab::cluster::Effect;
use shardlab::{Error, exit, signal};

use super::Lab;
use crate::cli::Kill;

/// Sends the signal; waits until the nodes are gone if it ends them.
pub(crate) async fn kill(lab: &Lab<'_>, args: &Kill) -> Result<u8, Error> {
    let cluster = lab.open()?;
    let signal = signal::name(args.signal);
    for (node, effect) in cluster.kill(&args.nodes, args.signal).await? {
        lab.term.note(&match effect {
            Effect::Ended => format!(
                "`{node}` is gone by {signal}; `shardlab start{} {node}` brings it back",
                lab.name_option()
            ),
            Effect::Sent => format!("{signal} was sent to `{node}`"),
            Effect::Kept => format!(
                "`{node}` is paused and gets {signal} when it goes on; `shardlab resume{} {node}` lets it",
                lab.name_option()
            ),
        });
    }
    Ok(exit::DONE)
}
