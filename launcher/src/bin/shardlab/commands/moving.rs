//! What `reshard` and `rebalance` share: the plan, progress and the summary.

use serde::Serialize;
use shardlab::reshape::{Move, MoveOptions, MovePlan, Moved, moves};
use shardlab::wire::slots::{SlotRanges, as_list};
use shardlab::{Cluster, Error, exit};

use super::hints;
use super::lab::Lab;
use super::report::milliseconds;
use crate::cli::Moving;
use crate::term::{MovingBar, counted, table};

/// What is told as JSON of a command that moves slots.
#[derive(Debug, Serialize)]
struct MovingReport<'a> {
    cluster: &'a str,
    command: &'a str,
    /// Only shown, not done.
    dry_run: bool,
    /// The same command was interrupted before, and this finishes it.
    resumed: bool,
    moves: Vec<PlannedMove<'a>>,
    /// What was moved now; none for a dry run.
    moved: Option<MovedReport>,
}

#[derive(Debug, Serialize)]
struct PlannedMove<'a> {
    from: &'a str,
    to: &'a str,
    #[serde(serialize_with = "as_list")]
    slots: SlotRanges,
    slot_count: u16,
}

#[derive(Debug, Serialize)]
struct MovedReport {
    slot_count: usize,
    keys: usize,
    elapsed_ms: f64,
}

/// Plans, shows the plan, moves, and tells what has been moved.
pub(super) async fn carry_out(
    lab: &Lab<'_>,
    args: Moving,
    plan: impl AsyncFnOnce(&Cluster) -> Result<MovePlan, Error>,
) -> Result<u8, Error> {
    if args.dry_run {
        let plan = plan(&lab.open_with_slots()?).await?;
        tell(lab, args, &plan, None);
        return Ok(exit::DONE);
    }
    let lock = lab.lock().await?;
    // As the command before this one has left it.
    let cluster = lab.open_with_slots()?;
    cluster.refuse_unfinished()?;
    cluster.moves_atomically(args.way)?;
    let plan = plan(&cluster).await?;
    if plan.resumed {
        lab.term
            .note("this command was interrupted before; continuing with its plan");
    }
    lab.term.note(&picture(&plan));
    let options = MoveOptions {
        way: args.way,
        ..MoveOptions::default()
    };
    let mut bar = MovingBar::new(lab.term);
    let done = cluster
        .make_moves(&lock, &plan, options, |event| bar.event(event))
        .await;
    drop(bar);
    tell(lab, args, &plan, Some(done?));
    Ok(exit::DONE)
}

/// A table, with its sum.
fn picture(plan: &MovePlan) -> String {
    if plan.moves.is_empty() {
        return "no slot needs to move".to_owned();
    }
    let heads = ["FROM", "TO", "COUNT", "SLOTS"].map(ToOwned::to_owned);
    let mut rows = vec![heads.to_vec()];
    rows.extend(plan.moves.iter().map(|part| {
        vec![
            part.from.clone(),
            part.to.clone(),
            part.slots.count().to_string(),
            part.slots.to_string(),
        ]
    }));
    let sum = moves::count(&plan.moves);
    format!("{}{} to move", table(&rows), counted(sum, "slot"))
}

/// The end of the command; nothing is `done` by a dry run.
fn tell(lab: &Lab<'_>, args: Moving, plan: &MovePlan, done: Option<Moved>) {
    if args.json.json {
        lab.term.json(&MovingReport {
            cluster: lab.global.name.as_str(),
            command: &hints::command(plan.intent(), &lab.global.name),
            dry_run: args.dry_run,
            resumed: plan.resumed,
            moves: plan.moves.iter().map(planned).collect(),
            moved: done.map(|done| MovedReport {
                slot_count: done.slots,
                keys: done.keys,
                elapsed_ms: milliseconds(done.elapsed),
            }),
        });
        return;
    }
    lab.term.data(&match done {
        None => picture(plan),
        Some(done) if done.slots == 0 => "moved nothing".to_owned(),
        Some(done) => format!(
            "moved {} with {} in {:.2} s",
            counted(done.slots, "slot"),
            counted(done.keys, "key"),
            done.elapsed.as_secs_f64()
        ),
    });
}

fn planned(part: &Move) -> PlannedMove<'_> {
    PlannedMove {
        from: &part.from,
        to: &part.to,
        slots: part.slots.clone(),
        slot_count: part.slots.count(),
    }
}
