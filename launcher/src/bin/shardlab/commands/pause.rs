//! `pause` and `resume`: nodes that stand still, whatever else is at work on the cluster.

use serde::Serialize;
use shardlab::{Error, exit};

use super::lab::{Lab, names};
use crate::cli::{Pause, Resume};

/// What is told as JSON when the command ends; of `pause --for` when the nodes go on.
#[derive(Serialize)]
struct PauseReport<'a> {
    cluster: &'a str,
    /// Paused by this command.
    paused: &'a [String],
    /// Let go on by this command.
    resumed: &'a [String],
}

/// Freezes nodes; with a time, stays and resumes them then, or when it is interrupted.
pub(crate) async fn pause(lab: &Lab<'_>, args: &Pause) -> Result<u8, Error> {
    let cluster = lab.open()?;
    let paused = cluster.pause(&names(&args.nodes)).await?;
    let nodes: Vec<_> = paused.names().into_iter().map(ToOwned::to_owned).collect();
    let names = nodes.join(", ");
    let report = |resumed: &[String]| {
        if args.json.json {
            lab.term.json(&PauseReport {
                cluster: cluster.name().as_str(),
                paused: &nodes,
                resumed,
            });
        }
    };
    let Some(time) = args.time else {
        paused.keep();
        report(&[]);
        lab.term.note(&format!(
            "paused {names}; to resume, `shardlab resume{}`",
            lab.name_option()
        ));
        return Ok(exit::DONE);
    };
    lab.term.note(&format!(
        "paused {names} for {}; Ctrl-C resumes at once",
        humantime::format_duration(time)
    ));
    let whole = paused.hold(time).await;
    drop(paused);
    report(if whole { &nodes } else { &[] });
    lab.term.note(&if whole {
        format!("resumed {names}")
    } else {
        format!("another command has already resumed or stopped {names}")
    });
    Ok(exit::DONE)
}

/// Lets nodes go on that stand still.
pub(crate) async fn resume(lab: &Lab<'_>, args: &Resume) -> Result<u8, Error> {
    let cluster = lab.open()?;
    let resumed = cluster.resume(&names(&args.nodes)).await?;
    if args.json.json {
        lab.term.json(&PauseReport {
            cluster: cluster.name().as_str(),
            paused: &[],
            resumed: &resumed,
        });
    }
    lab.term.note(&match resumed.as_slice() {
        [] => format!("nothing was paused in the cluster `{}`", cluster.name()),
        some => format!("resumed {}", some.join(", ")),
    });
    Ok(exit::DONE)
}
