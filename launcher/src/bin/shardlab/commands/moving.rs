//! What `reshard` and `rebalance` share: the plan, the journal, progress and the summary.

use serde::Serialize;
use shardlab::machine::wait::Deadline;
use shardlab::probe::survey::Survey;
use shardlab::reshape::plan::WishError;
use shardlab::reshape::{Journal, Move, MoveOptions, Moved, moves};
use shardlab::wire::client::REPLY_TIMEOUT;
use shardlab::wire::slots::{SlotRanges, as_list};
use shardlab::{Cluster, Error, exit};

use super::lab::Lab;
use super::report::milliseconds;
use crate::cli::Moving;
use crate::term::{MovingBar, counted, table};

/// What is told as JSON of a command that moves slots.
#[derive(Debug, Serialize)]
struct Report<'a> {
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

/// Plans, shows the plan, moves, and tells what has been moved. `command` is the command in one
/// spelling, by which it is known again when it was interrupted.
pub(super) async fn carry_out(
    lab: &Lab<'_>,
    args: Moving,
    command: &str,
    wish: impl FnOnce(&Survey) -> Result<Vec<Move>, WishError>,
) -> Result<u8, Error> {
    if args.dry_run {
        let cluster = lab.open_with_slots()?;
        let begun = Journal::of_folder(&lab.home.folder(cluster.name()), command)?;
        let plan = Plan::of(&cluster, command, begun, wish).await?;
        plan.tell(lab, args, None);
        return Ok(exit::DONE);
    }
    let lock = lab.lock().await?;
    // As the command before this one has left it.
    let cluster = lab.open_with_slots()?;
    cluster.refuse_unfinished()?;
    // Before anything is written down.
    cluster.moves_atomically(args.way)?;
    let plan = Plan::of(&cluster, command, Journal::of(&lock, command)?, wish).await?;
    if plan.resumed {
        lab.term
            .note("this command was interrupted before; continuing with its plan");
    } else if !plan.moves.is_empty() {
        Journal::write(&lock, command, &plan.moves)?;
    }
    lab.term.note(&plan.picture());
    let options = MoveOptions {
        way: args.way,
        ..MoveOptions::default()
    };
    let mut bar = MovingBar::new(lab.term);
    let done = cluster
        .move_slots(&plan.moves, options, |event| bar.event(event))
        .await;
    drop(bar);
    let done = done?;
    Journal::remove(&lock)?;
    plan.tell(lab, args, Some(done));
    Ok(exit::DONE)
}

/// What a command sets out to do.
struct Plan<'a> {
    command: &'a str,
    moves: Vec<Move>,
    /// The same command was interrupted before.
    resumed: bool,
}

impl<'a> Plan<'a> {
    async fn of(
        cluster: &Cluster,
        command: &'a str,
        begun: Option<Journal>,
        wish: impl FnOnce(&Survey) -> Result<Vec<Move>, WishError>,
    ) -> Result<Self, Error> {
        let (moves, resumed) = if let Some(journal) = begun {
            (journal.moves, true)
        } else {
            let survey = cluster.survey(Deadline::after(REPLY_TIMEOUT)).await;
            (wish(&survey)?, false)
        };
        Ok(Self {
            command,
            moves,
            resumed,
        })
    }

    /// A table, with its sum.
    fn picture(&self) -> String {
        if self.moves.is_empty() {
            return "no slot needs to move".to_owned();
        }
        let heads = ["FROM", "TO", "COUNT", "SLOTS"].map(ToOwned::to_owned);
        let mut rows = vec![heads.to_vec()];
        rows.extend(self.moves.iter().map(|part| {
            vec![
                part.from.clone(),
                part.to.clone(),
                part.slots.count().to_string(),
                part.slots.to_string(),
            ]
        }));
        let sum = moves::count(&self.moves);
        format!("{}{} to move", table(&rows), counted(sum, "slot"))
    }

    /// The end of the command; nothing is `done` by a dry run.
    fn tell(&self, lab: &Lab<'_>, args: Moving, done: Option<Moved>) {
        if args.json.json {
            lab.term.json(&Report {
                cluster: lab.global.name.as_str(),
                command: self.command,
                dry_run: args.dry_run,
                resumed: self.resumed,
                moves: self.moves.iter().map(planned).collect(),
                moved: done.map(|done| MovedReport {
                    slot_count: done.slots,
                    keys: done.keys,
                    elapsed_ms: milliseconds(done.elapsed),
                }),
            });
            return;
        }
        lab.term.data(&match done {
            None => self.picture(),
            Some(done) if done.slots == 0 => "moved nothing".to_owned(),
            Some(done) => format!(
                "moved {} with {} in {:.2} s",
                counted(done.slots, "slot"),
                counted(done.keys, "key"),
                done.elapsed.as_secs_f64()
            ),
        });
    }
}

fn planned(part: &Move) -> PlannedMove<'_> {
    PlannedMove {
        from: &part.from,
        to: &part.to,
        slots: part.slots.clone(),
        slot_count: part.slots.count(),
    }
}
