//! `logs`: what the servers write.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::time::Duration;

use shardlab::wait::{Deadline, next_round};
use shardlab::{Error, Node, exit};

use super::Lab;
use crate::cli::Logs;

/// How often a log that is followed is looked at.
const FOLLOW: Duration = Duration::from_millis(100);

/// Prints the logs, and what is added to them if asked to.
pub(crate) async fn logs(lab: &Lab<'_>, args: &Logs) -> Result<u8, Error> {
    let cluster = lab.open()?;
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
    for (tail, node) in tails.iter_mut().zip(&nodes) {
        match args.lines {
            Some(lines) => {
                tail.skip_to_end();
                tail.print(lab, node.log_tail(lines).iter().map(String::as_str));
            }
            None => tail.news(lab),
        }
    }
    while args.follow && !lab.term.is_deaf() && lab.home.folder(cluster.name()).exists() {
        for tail in &mut tails {
            tail.news(lab);
        }
        next_round(FOLLOW, Deadline::after(FOLLOW)).await;
    }
    Ok(exit::DONE)
}

/// A log that is read on and on.
struct Tail {
    /// Stands before each line if there are several logs.
    label: String,
    path: std::path::PathBuf,
    read: u64,
    /// A line whose end has not been written yet.
    unfinished: Vec<u8>,
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
            path: node.log_path(),
            read: 0,
            unfinished: Vec::new(),
        }
    }

    fn skip_to_end(&mut self) {
        self.read = std::fs::metadata(&self.path).map_or(0, |file| file.len());
    }

    /// Prints the whole lines that have come since the last look.
    fn news(&mut self, lab: &Lab<'_>) {
        let mut news = Vec::new();
        let read = File::open(&self.path).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.read))?;
            file.read_to_end(&mut news)
        });
        self.read += read.unwrap_or(0) as u64;
        self.unfinished.append(&mut news);
        let Some(end) = self.unfinished.iter().rposition(|byte| *byte == b'\n') else {
            return;
        };
        let whole: Vec<u8> = self.unfinished.drain(..=end).collect();
        self.print(lab, String::from_utf8_lossy(&whole).lines());
    }

    fn print<'a>(&self, lab: &Lab<'_>, lines: impl Iterator<Item = &'a str>) {
        for line in lines {
            lab.term.data(&format!("{}{line}", self.label));
        }
    }
}
