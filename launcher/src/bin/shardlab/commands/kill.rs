//! `kill`: a signal to nodes, whatever else is at work on the cluster.

use serde::Serialize;
use shardlab::cluster::Effect;
use shardlab::{Error, exit};

use super::lab::{Lab, names};
use crate::cli::Kill;

#[derive(Serialize)]
struct KillReport<'a> {
    cluster: &'a str,
    /// Without SIG.
    signal: &'a str,
    nodes: Vec<NodeReport<'a>>,
}

#[derive(Serialize)]
struct NodeReport<'a> {
    node: &'a str,
    /// `ended`, `sent`, or `kept` until the node, which is paused, goes on.
    effect: &'static str,
}

/// Sends the signal; waits until the nodes are gone if it ends them.
pub(crate) async fn kill(lab: &Lab<'_>, args: &Kill) -> Result<u8, Error> {
    let cluster = lab.open()?;
    let signal = args.signal.name();
    let effects = cluster.kill(&names(&args.nodes), args.signal).await?;
    if args.json.json {
        let nodes = effects.iter().map(|(node, effect)| NodeReport {
            node,
            effect: word(*effect),
        });
        lab.term.json(&KillReport {
            cluster: cluster.name().as_str(),
            signal,
            nodes: nodes.collect(),
        });
    }
    for (node, effect) in effects {
        lab.term.note(&match effect {
            Effect::Ended => format!(
                "SIG{signal} ended `{node}`; `shardlab start{} {node}` starts it again",
                lab.name_option()
            ),
            Effect::Sent => format!("sent SIG{signal} to `{node}`"),
            Effect::Kept => format!(
                "`{node}` is paused and gets SIG{signal} when it resumes; `shardlab resume{} {node}` resumes it",
                lab.name_option()
            ),
        });
    }
    Ok(exit::DONE)
}

fn word(effect: Effect) -> &'static str {
    match effect {
        Effect::Ended => "ended",
        Effect::Sent => "sent",
        Effect::Kept => "kept",
    }
}
