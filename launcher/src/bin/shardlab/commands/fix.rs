//! `fix`: repairs the cluster's shape.

use std::fmt::Write as _;

use serde::Serialize;
use shardlab::reshape::fix::{FixEvent, Repair};
use shardlab::wire::slots::{SlotRanges, as_list};
use shardlab::{Cluster, Error, exit};

use super::check::{FindingReport, findings_text, sound_text};
use super::lab::Lab;
use super::report::Verdict;
use crate::cli::Fix;
use crate::term::MovingBar;

#[derive(Serialize)]
struct FixReport<'a> {
    cluster: &'a str,
    /// Only shown, not done.
    dry_run: bool,
    /// None for a dry run.
    verdict: Option<Verdict>,
    repairs: Vec<RepairReport>,
    /// What is still wrong; none for a dry run.
    findings: Option<&'a [FindingReport]>,
}

#[derive(Serialize)]
struct RepairReport {
    kind: &'static str,
    #[serde(serialize_with = "as_list")]
    slots: SlotRanges,
    message: String,
}

impl From<&Repair> for RepairReport {
    fn from(repair: &Repair) -> Self {
        Self {
            kind: repair.kind(),
            slots: repair.slots().cloned().unwrap_or_default(),
            message: repair.to_string(),
        }
    }
}

/// Shows what it is going to do, does it, and checks again; ends with 1 if something is still wrong.
pub(crate) async fn fix(lab: &Lab<'_>, args: &Fix) -> Result<u8, Error> {
    if args.dry_run {
        return dry_run(lab, args).await;
    }
    lab.open_with_slots()?;
    let lock = lab.lock().await?;
    let mut cluster = lab.open_with_slots()?;
    let mut bar = MovingBar::new(lab.term);
    let fixed = cluster
        .fix_locked(&lock, |event| tell(lab, &mut bar, event))
        .await?;
    drop(bar);
    let sound = fixed.left.is_empty();
    let findings: Vec<_> = fixed
        .left
        .iter()
        .map(|finding| FindingReport::of(finding, cluster.name()))
        .collect();
    if args.json.json {
        lab.term.json(&FixReport {
            cluster: cluster.name().as_str(),
            dry_run: false,
            verdict: Some(Verdict::of(sound)),
            repairs: fixed.done.iter().map(Into::into).collect(),
            findings: Some(&findings),
        });
    } else if sound {
        if fixed.done.is_empty() {
            lab.term.note("nothing to repair");
        }
        lab.term.data(&sound_text(&cluster));
    } else {
        lab.term.data(&findings_text(&cluster, &findings));
    }
    Ok(if sound { exit::DONE } else { exit::NO })
}

async fn dry_run(lab: &Lab<'_>, args: &Fix) -> Result<u8, Error> {
    let cluster = lab.open_with_slots()?;
    let repairs = cluster.repairs().await;
    if args.json.json {
        lab.term.json(&FixReport {
            cluster: cluster.name().as_str(),
            dry_run: true,
            verdict: None,
            repairs: repairs.iter().map(Into::into).collect(),
            findings: None,
        });
    } else {
        lab.term.data(&plan_text(&cluster, &repairs));
    }
    Ok(exit::DONE)
}

fn plan_text(cluster: &Cluster, repairs: &[Repair]) -> String {
    if repairs.is_empty() {
        return format!(
            "cluster `{}`: nothing that `fix` can repair\n",
            cluster.name()
        );
    }
    format!(
        "cluster `{}`: planned repairs:{}\n",
        cluster.name(),
        lines(repairs)
    )
}

/// A line for each; all that one node meets are on one.
fn lines(repairs: &[Repair]) -> String {
    let acquaintance = |repair: &Repair| match repair {
        Repair::Meet { node, .. } => Some(node.clone()),
        _ => None,
    };
    let mut text = String::new();
    let same_node = |one: &Repair, next: &Repair| {
        let node = acquaintance(one);
        node.is_some() && node == acquaintance(next)
    };
    for alike in repairs.chunk_by(same_node) {
        let _ = write!(text, "\n  {}", alike[0]); // a String takes all that is written
        for repair in &alike[1..] {
            if let Repair::Meet { with, .. } = repair {
                let _ = write!(text, ", {with}");
            }
        }
    }
    text
}

fn tell(lab: &Lab<'_>, bar: &mut MovingBar<'_>, event: &FixEvent<'_>) {
    match event {
        FixEvent::Planned(repairs) => {
            lab.term.note(&format!("repairing:{}", lines(repairs)));
        }
        FixEvent::Moves(event) => bar.event(event),
        _ => {}
    }
}
