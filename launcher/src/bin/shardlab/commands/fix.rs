//! `fix`: mends the cluster's shape.

use serde::Serialize;
use shardlab::reshape::fix::{FixEvent, Repair};
use shardlab::{Cluster, Error, exit};

use super::check::{FindingReport, findings_text, sound_text};
use super::lab::Lab;
use super::report::SCHEMA;
use crate::cli::Fix;
use crate::term::MovingBar;

#[derive(Serialize)]
struct Plan {
    schema: u32,
    name: String,
    repairs: Vec<RepairReport>,
}

#[derive(Serialize)]
struct FixReport {
    schema: u32,
    name: String,
    sound: bool,
    repairs: Vec<RepairReport>,
    /// What is still wrong.
    findings: Vec<FindingReport>,
}

#[derive(Serialize)]
struct RepairReport {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    slots: Option<String>,
    text: String,
}

impl From<&Repair> for RepairReport {
    fn from(repair: &Repair) -> Self {
        Self {
            kind: repair.kind(),
            slots: repair.slots().map(ToString::to_string),
            text: repair.to_string(),
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
    let option = lab.name_option();
    let findings: Vec<_> = fixed
        .left
        .iter()
        .map(|finding| FindingReport::of(finding, &option))
        .collect();
    if args.json.json {
        lab.term.json(&FixReport {
            schema: SCHEMA,
            name: cluster.name().to_string(),
            sound,
            repairs: fixed.done.iter().map(Into::into).collect(),
            findings,
        });
    } else if sound {
        if fixed.done.is_empty() {
            lab.term.note("nothing to mend");
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
        lab.term.json(&Plan {
            schema: SCHEMA,
            name: cluster.name().to_string(),
            repairs: repairs.iter().map(Into::into).collect(),
        });
    } else {
        lab.term.data(&plan_text(&cluster, &repairs));
    }
    Ok(exit::DONE)
}

fn plan_text(cluster: &Cluster, repairs: &[Repair]) -> String {
    if repairs.is_empty() {
        return format!("cluster `{}`: nothing that can be mended\n", cluster.name());
    }
    format!("cluster `{}`: would{}\n", cluster.name(), lines(repairs))
}

fn lines(repairs: &[Repair]) -> String {
    let lines: Vec<_> = repairs.iter().map(ToString::to_string).collect();
    format!("\n  {}", lines.join("\n  "))
}

fn tell(lab: &Lab<'_>, bar: &mut MovingBar<'_>, event: &FixEvent<'_>) {
    match event {
        FixEvent::Planned(repairs) => {
            lab.term.note(&format!("mending:{}", lines(repairs)));
        }
        FixEvent::Moves(event) => bar.event(event),
        _ => {}
    }
}
