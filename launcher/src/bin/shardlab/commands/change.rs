//! What `add-node`, `del-node` and `scale` share: the plan is shown, then made, then what is there.

use serde::Serialize;
use shardlab::reshape::members::{Change, ChangeEvent, Step};
use shardlab::state::Lock;
use shardlab::{Cluster, Error, exit};

use super::lab::Lab;
use super::report::ClusterReport;
use crate::cli::Show;
use crate::term::MovingBar;

/// What is told as JSON.
#[derive(Serialize)]
struct ChangeReport<'a> {
    cluster: &'a str,
    /// Only shown, not done.
    dry_run: bool,
    steps: &'a [Step],
    /// How it is afterwards; none for a dry run.
    status: Option<ClusterReport>,
}

impl<'a> ChangeReport<'a> {
    fn of(lab: &'a Lab<'_>, change: &'a Change, status: Option<ClusterReport>) -> Self {
        Self {
            cluster: lab.global.name.as_str(),
            dry_run: status.is_none(),
            steps: change.steps(),
            status,
        }
    }
}

/// Shows what would be done; nothing is touched.
pub(super) fn tell_plan(lab: &Lab<'_>, change: &Change, show: Show) -> u8 {
    if show.json.json {
        lab.term.json(&ChangeReport::of(lab, change, None));
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
        lab.term.json(&ChangeReport::of(lab, change, Some(report)));
    } else {
        lab.term.data(&report.text());
        if let Some(advice) = advice {
            lab.term.note(&advice);
        }
    }
    Ok(exit::DONE)
}

/// Tells that there was nothing to change.
pub(super) async fn tell_unchanged(lab: &Lab<'_>, cluster: &Cluster, show: Show, why: &str) -> u8 {
    lab.term.note(why);
    if show.json.json {
        let report = ClusterReport::of(cluster, &lab.home).await;
        let nothing = Change::default();
        lab.term
            .json(&ChangeReport::of(lab, &nothing, Some(report)));
    }
    exit::DONE
}

fn picture(change: &Change) -> String {
    if change.steps().is_empty() {
        return "nothing to do".to_owned();
    }
    let steps = change.steps().iter().zip(1..);
    let lines: Vec<_> = steps
        .map(|(step, number)| format!("{number:>3}. {step}"))
        .collect();
    lines.join("\n")
}
