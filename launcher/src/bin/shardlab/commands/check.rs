//! `check`: whether the cluster's shape is sound.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;
use shardlab::machine::text::counted;
use shardlab::machine::wait::Deadline;
use shardlab::reshape::check::Finding;
use shardlab::state::{Name, is_locked};
use shardlab::wire::slots::{SlotRanges, as_list};
use shardlab::{Cluster, Error, exit};

use super::hints::told;
use super::lab::Lab;
use super::report::Verdict;
use crate::cli::Check;

/// How long the nodes may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);

#[derive(Serialize)]
struct CheckReport<'a> {
    cluster: &'a str,
    verdict: Verdict,
    findings: Vec<FindingReport>,
}

/// One finding, as a program reads it.
#[derive(Debug, Serialize)]
pub(super) struct FindingReport {
    kind: &'static str,
    /// Those that it is about.
    node_names: Vec<String>,
    #[serde(serialize_with = "as_list")]
    slots: SlotRanges,
    message: String,
    /// What fixes it.
    hint: String,
}

impl FindingReport {
    pub(super) fn of(finding: &Finding, cluster: &Name) -> Self {
        Self {
            kind: finding.kind(),
            node_names: finding.nodes().into_iter().map(ToOwned::to_owned).collect(),
            slots: finding.slots().cloned().unwrap_or_default(),
            message: finding.to_string(),
            hint: told(&finding.remedy().hint(), cluster),
        }
    }
}

/// Reports findings; ends with 1 if there are any.
pub(crate) async fn check(lab: &Lab<'_>, args: &Check) -> Result<u8, Error> {
    let cluster = lab.open_with_slots()?;
    if !is_locked(&lab.home.folder(cluster.name())) {
        cluster.refuse_unfinished()?;
    }
    let findings = cluster.check(Deadline::after(PATIENCE)).await;
    let findings: Vec<_> = findings
        .iter()
        .map(|finding| FindingReport::of(finding, cluster.name()))
        .collect();
    let sound = findings.is_empty();
    if args.json.json {
        lab.term.json(&CheckReport {
            cluster: cluster.name().as_str(),
            verdict: Verdict::of(sound),
            findings,
        });
    } else if sound {
        lab.term.data(&sound_text(&cluster));
    } else {
        lab.term.data(&findings_text(&cluster, &findings));
    }
    Ok(if sound { exit::DONE } else { exit::NO })
}

/// One line for a sound cluster.
pub(super) fn sound_text(cluster: &Cluster) -> String {
    format!(
        "cluster `{}` is sound: {} the owner of each of the 16384 slots, and none is open\n",
        cluster.name(),
        match cluster.nodes().len() {
            1 => "its node knows".to_owned(),
            many => format!("{many} nodes agree on"),
        }
    )
}

/// A head line and the findings; those that the same command fixes have it once.
pub(super) fn findings_text(cluster: &Cluster, findings: &[FindingReport]) -> String {
    let many = counted(findings.len(), "finding");
    let mut text = format!("cluster `{}`: {many}\n", cluster.name());
    for alike in findings.chunk_by(|one, next| one.hint == next.hint) {
        for finding in alike {
            let _ = writeln!(text, "  {}", finding.message); // a String takes all that is written
        }
        let _ = writeln!(text, "      fix: {}", alike[0].hint);
    }
    text
}
