//! `status --watch`: the same again and again, on a terminal in place.

use std::io;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use shardlab::machine::interrupt::Interrupts;
use shardlab::machine::wait::{Deadline, next_round};
use shardlab::{Error, Signal, exit};
use tokio::signal::unix::{SignalKind, signal};

use super::lab::Lab;
use super::report::ClusterReport;
use crate::cli::Status;
use crate::term::{Screen, Term};

/// How long a node may take to answer: one that is paused must not hold up the others' figures.
const PATIENCE: Duration = Duration::from_millis(500);

/// One look.
#[derive(Serialize)]
struct Look<'a> {
    /// When it was taken, in UTC.
    time: &'a str,
    #[serde(flatten)]
    report: &'a ClusterReport,
}

/// Looks until it is interrupted, its reader has gone away, or the cluster is removed.
pub(crate) async fn watch(
    lab: &Lab<'_>,
    args: &Status,
    interrupts: &mut Interrupts,
) -> Result<u8, Error> {
    tokio::select! {
        ended = look_on(lab, args) => ended,
        signal = interrupts.next() => match signal {
            // That is how one ends it.
            Signal::INT => Ok(exit::DONE),
            other => Err(Error::Interrupted(other)),
        },
    }
}

async fn look_on(lab: &Lab<'_>, args: &Status) -> Result<u8, Error> {
    // There must be one at first.
    lab.look()?;
    let mut resized = signal(SignalKind::window_change()).map_err(no_signal)?;
    let screen = lab.term.screen().filter(|_| !args.json.json);
    let mut first = true;
    loop {
        let deadline = Deadline::after(args.every);
        let cluster = match lab.open() {
            // On its way out it is as good as gone.
            Err(Error::NoCluster(_) | Error::HalfRemoved(_)) => break,
            cluster => cluster?,
        };
        let report = ClusterReport::with_figures(&cluster, &lab.home, PATIENCE).await;
        let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        match &screen {
            Some(screen) => draw(screen, &report, &now),
            None if args.json.json => lab.term.json_line(&Look {
                time: &now,
                report: &report,
            }),
            None => {
                let gap = if first { "" } else { "\n" };
                lab.term.data(&format!("{gap}{now}\n{}", report.text()));
            }
        }
        if lab.term.is_deaf() {
            return Ok(exit::DONE);
        }
        first = false;
        while !deadline.passed() {
            tokio::select! {
                () = next_round(args.every, deadline) => {}
                _ = resized.recv() => {
                    if let Some(screen) = &screen {
                        draw(screen, &report, &now);
                    }
                }
            }
        }
    }
    drop(screen);
    lab.term
        .note(&format!("the cluster `{}` was removed", lab.global.name));
    Ok(exit::DONE)
}

fn draw(screen: &Screen<'_>, report: &ClusterReport, now: &str) {
    let (columns, _) = Term::size();
    let mut lines = vec![format!("{}   {now}", report.headline())];
    lines.extend(report.live(columns));
    screen.draw(&lines);
}

fn no_signal(source: io::Error) -> Error {
    Error::Io {
        action: "hear of the size of",
        path: "/dev/tty".into(),
        source,
    }
}
