//! `failover`: another node becomes a shard's master, with the times at which what happened.

use std::time::Duration;

use serde::Serialize;
use shardlab::failover::{self, FailoverError, FailoverEvent, Mode, Moment, Phase, Request};
use shardlab::machine::text::counted;
use shardlab::wire::Epoch;
use shardlab::{Error, exit};

use super::lab::Lab;
use super::report::milliseconds;
use crate::cli::Failover;
use crate::term::table;

/// One failover, as it is told.
#[derive(Debug, Serialize)]
struct FailoverReport<'a> {
    cluster: &'a str,
    mode: Mode,
    old_master: &'a str,
    new_master: &'a str,
    /// The old master's; none in a set without cluster mode and without sentinels.
    old_epoch: Option<Epoch>,
    /// The new master's.
    new_epoch: Option<Epoch>,
    /// How often the one who decides was told to.
    orders: u32,
    /// How many times a node has claimed the role in vain.
    undone: u32,
    /// Who has become the master after the new one, where Sentinel has failed over once more.
    replaced_by: Option<&'a str>,
    /// Whether all nodes stood on the top rung at the end.
    ready: bool,
    phases: Vec<PhaseReport<'a>>,
}

#[derive(Debug, Serialize)]
struct PhaseReport<'a> {
    phase: Phase,
    /// From the act on.
    at_ms: f64,
    seen_on: Option<&'a str>,
}

/// Has the shard fail over and prints the timeline.
pub(crate) async fn failover(lab: &Lab<'_>, args: &Failover) -> Result<u8, Error> {
    if args.leave_dead && args.mode != Mode::Crash {
        let text = "only `--mode crash` kills a master that `--leave-dead` could leave dead";
        return Err(FailoverError::Unsupported(text.into()).into());
    }
    lab.open_running()?;
    let lock = lab.lock().await?;
    let mut cluster = lab.open_running()?;
    let request = Request {
        mode: args.mode,
        leave_dead: args.leave_dead,
        timeout: args.timeout,
    };
    let done = cluster
        .failover(&args.node, request, |event| {
            lab.term.under_way(&progress(event));
        })
        .await;
    // A node that was killed and started again has another process now.
    cluster.remember_processes(&lock)?;
    let done = done?;
    if args.json.json {
        lab.term.json(&report(cluster.name().as_str(), &done));
    } else {
        lab.term.data(&text(&done));
    }
    if let Some(later) = &done.replaced_by {
        lab.term.note(&format!(
            "the sentinels failed over once more, to `{later}`: with a `--down-after` of 1s or less they may mistake a new master for one that is down"
        ));
    }
    if done.undone > 0 {
        lab.term.note(&format!(
            "the server undid {} first: it counted the votes of an earlier election as new ones",
            counted(done.undone, "promotion")
        ));
    }
    if !done.covered {
        lab.term.note(&format!(
            "the cluster accepts no writes, since some slots have no master; `shardlab check{}` names them",
            lab.name_option()
        ));
    } else if done.reached(Phase::Ready).is_none() {
        lab.term
            .note("did not wait for the cluster to be ready, since some nodes are not running");
    }
    Ok(exit::DONE)
}

fn progress(event: &FailoverEvent<'_>) -> String {
    match event {
        FailoverEvent::Reached(moment) => {
            format!("{} after {}", moment.phase.name(), clock(moment.at))
        }
        FailoverEvent::Undone(again) => format!(
            "the server undid it, since it counted the votes of an earlier election as new ones; trying again in {}",
            humantime::format_duration(*again)
        ),
        _ => String::new(),
    }
}

fn report<'a>(cluster: &'a str, done: &'a failover::Failover) -> FailoverReport<'a> {
    let phase = |moment: &'a Moment| PhaseReport {
        phase: moment.phase,
        at_ms: milliseconds(moment.at),
        seen_on: moment.seen_on.as_deref(),
    };
    FailoverReport {
        cluster,
        mode: done.mode,
        old_master: &done.old_master,
        new_master: &done.new_master,
        old_epoch: done.epochs.map(|epochs| epochs.before),
        new_epoch: done.epochs.map(|epochs| epochs.after),
        orders: done.orders,
        undone: done.undone,
        replaced_by: done.replaced_by.as_deref(),
        ready: done.reached(Phase::Ready).is_some(),
        phases: done.moments.iter().map(phase).collect(),
    }
}

fn text(done: &failover::Failover) -> String {
    let again = if done.orders > 1 {
        format!("; it had to be told {} times", done.orders)
    } else {
        String::new()
    };
    let epochs = done.epochs.map_or_else(String::new, |epochs| {
        format!(", epoch {} (was {})", epochs.after, epochs.before)
    });
    let head_line = format!(
        "{} failover: `{}` is the master instead of `{}`{epochs}{again}\n",
        done.mode, done.new_master, done.old_master
    );
    let head = ["PHASE", "AFTER", "SEEN ON"]
        .map(ToOwned::to_owned)
        .to_vec();
    let row = |moment: &Moment| {
        vec![
            moment.phase.name().to_owned(),
            clock(moment.at),
            moment.seen_on.clone().unwrap_or_else(|| "all".to_owned()),
        ]
    };
    let rows: Vec<_> = std::iter::once(head)
        .chain(done.moments.iter().map(row))
        .collect();
    head_line + &table(&rows)
}

fn clock(at: Duration) -> String {
    format!("{:.3} s", at.as_secs_f64())
}
