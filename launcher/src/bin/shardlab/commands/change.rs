//! What `add-node`, `del-node` and `scale` share: the plan is shown, then made, then what is there.

use serde::Serialize;
use shardlab::reshape::members::{Change, ChangeEvent, Step};
use shardlab::state::Lock;
use shardlab::{Cluster, Error, exit};

use super::lab::Lab;
use super::report::{ClusterReport, SCHEMA};
use crate::cli::Show;
use crate::term::MovingBar;

/// What is told as JSON.
#[derive(Serialize)]
struct ChangeReport<'a> {
    schema: u32,
    /// Only shown, not done.
    dry_run: bool,
    steps: &'a [Step],
    /// How it is afterwards; absent for a dry run.
    cluster: Option<ClusterReport>,
}

/// Shows what would be done; nothing is touched.
pub(super) fn tell_plan(lab: &Lab<'_>, change: &Change, show: Show) -> u8 {
    if show.json.json {
        lab.term.json(&ChangeReport {
            schema: SCHEMA,
            dry_run: true,
            steps: change.steps(),
            cluster: None,
        });
    } else {
        lab.term.data(&picture(change));
    }
    exit::DONE
}

/// Makes the change, step by step, and tells how the cluster is then.
pub(super) async fn make(
    lab: &Lab<'_>,
    lock: &Lock,
    cluster: &mut Cluster,
    change: &Change,
    show: Show,
    advice: Option<String>,
) -> Result<u8, Error> {
    lab.term.note(&picture(change));
    let (all, mut begun) = (change.steps().len(), 0);
    let mut bar = MovingBar::new(lab.term);
    let changed = cluster.change(lock, change, |event| match event {
        ChangeEvent::Begun(steps) => {
            for step in *steps {
                begun += 1;
                lab.term.note(&format!("[{begun}/{all}] {step}"));
            }
        }
        ChangeEvent::Moving(event) => bar.event(event),
        _ => {}
    });
    let changed = changed.await;
    drop(bar);
    changed?;
    let report = ClusterReport::of(cluster, &lab.home).await;
    if show.json.json {
        lab.term.json(&ChangeReport {
            schema: SCHEMA,
            dry_run: false,
            steps: change.steps(),
            cluster: Some(report),
        });
    } else {
        lab.term.data(&report.text());
        if let Some(advice) = advice {
            lab.term.note(&advice);
        }
    }
    Ok(exit::DONE)
}

fn picture(change: &Change) -> String {
    if change.steps().is_empty() {
        return "nothing is to be done".to_owned();
    }
    let steps = change.steps().iter().zip(1..);
    let lines: Vec<_> = steps
        .map(|(step, number)| format!("{number:>3}. {step}"))
        .collect();
    lines.join("\n")
}
