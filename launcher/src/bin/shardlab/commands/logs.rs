//! `logs`: what the servers write.

use std::time::Duration;

use shardlab::machine::wait::pause;
use shardlab::node::Log;
use shardlab::{Error, Node, exit};

use super::lab::Lab;
use crate::cli::Logs;

/// How often a log that is followed is looked at.
const FOLLOW: Duration = Duration::from_millis(100);

/// How much of one log is read before the others have their turn, in bytes.
const TURN: u64 = 1 << 20;

/// Prints the logs, and what is added to them if asked to.
pub(crate) async fn logs(lab: &Lab<'_>, args: &Logs) -> Result<u8, Error> {
    let cluster = lab.look()?;
    let nodes: Vec<&Node> = if args.nodes.is_empty() {
        cluster.nodes().iter().collect()
    } else {
        args.nodes
            .iter()
            .map(|node| cluster.node(node))
            .collect::<Result<_, _>>()?
    };
    let (nodes, foreign): (Vec<&Node>, Vec<&Node>) =
        nodes.into_iter().partition(|node| node.is_ours());
    for node in foreign {
        lab.term.note(&format!(
            "the log of `{}` is where the server at {} was started",
            node.name(),
            node.address()
        ));
    }
    let mut tails: Vec<_> = nodes
        .iter()
        .map(|node| Tail::of(node, nodes.len() > 1))
        .collect();
    for tail in &mut tails {
        // A log that is not there, or cannot be read, has no lines.
        if let Some(lines) = args.lines {
            let _ = tail.log.skip_to_last(lines);
        }
        while !lab.term.is_deaf() && tail.news(lab) {
            // Ctrl-C has its turn.
            tokio::task::yield_now().await;
        }
        if !args.follow {
            tail.end(lab);
        }
    }
    while args.follow && !lab.term.is_deaf() && lab.home.folder(cluster.name()).exists() {
        let mut more = false;
        for tail in &mut tails {
            more |= tail.news(lab);
        }
        if more {
            tokio::task::yield_now().await;
        } else {
            pause(FOLLOW).await;
        }
    }
    Ok(exit::DONE)
}

/// A log that is read on and on.
struct Tail {
    /// Stands before each line if there are several logs.
    label: String,
    log: Log,
}

impl Tail {
    fn of(node: &Node, labelled: bool) -> Self {
        let label = if labelled {
            format!("{:<4}| ", node.name())
        } else {
            String::new()
        };
        Self {
            label,
            log: node.log(),
        }
    }

    /// Prints the whole lines that have come since the last look; whether there are more.
    fn news(&mut self, lab: &Lab<'_>) -> bool {
        let Self { label, log } = self;
        log.read(TURN, |line| lab.term.data(&format!("{label}{line}")))
            .unwrap_or(false)
    }

    /// Prints the line that is not whole.
    fn end(&mut self, lab: &Lab<'_>) {
        let Self { label, log } = self;
        log.unfinished(|line| lab.term.data(&format!("{label}{line}")));
    }
}
