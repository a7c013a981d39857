//! `pause` and `resume`: nodes that stand still, whatever else is at work on the cluster.

use shardlab::{Error, exit};

use super::Lab;
use crate::cli::{Pause, Resume};

/// Freezes nodes; with a time, stays and lets them go on then, or when it is interrupted.
pub(crate) async fn pause(lab: &Lab<'_>, args: &Pause) -> Result<u8, Error> {
    let cluster = lab.open()?;
    let paused = cluster.pause(&args.nodes).await?;
    let names = paused.names().join(", ");
    let Some(time) = args.time else {
        paused.keep();
        lab.term.note(&format!(
            "paused {names}; `shardlab resume{}` lets them go on",
            lab.name_option()
        ));
        return Ok(exit::DONE);
    };
    lab.term.note(&format!(
        "paused {names} for {}; Ctrl-C ends it",
        humantime::format_duration(time)
    ));
    let whole = paused.hold(time).await;
    drop(paused);
    lab.term.note(&if whole {
        format!("resumed {names}")
    } else {
        format!("another command has resumed or ended {names}")
    });
    Ok(exit::DONE)
}

/// Lets nodes go on that stand still.
pub(crate) async fn resume(lab: &Lab<'_>, args: &Resume) -> Result<u8, Error> {
    let cluster = lab.open()?;
    let resumed = cluster.resume(&args.nodes).await?;
    lab.term.note(&match resumed.as_slice() {
        [] => format!("nothing was paused in the cluster `{}`", cluster.name()),
        some => format!("resumed {}", some.join(", ")),
    });
    Ok(exit::DONE)
}
