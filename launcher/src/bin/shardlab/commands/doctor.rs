//! `doctor`: what is wrong in the state folder, and what fixes it.

use std::path::PathBuf;

use serde::Serialize;
use shardlab::doctor::{Action, Diagnosis, Event, Finding, examine, fix};
use shardlab::{Error, exit};

use super::hints::{self, told};
use super::lab::Lab;
use super::report::Verdict;
use crate::cli::Doctor;
use crate::term::counted;

#[derive(Serialize)]
struct DoctorReport {
    /// The state folder.
    home: PathBuf,
    verdict: Verdict,
    /// What `--fix` has mended.
    mended: Vec<FindingReport>,
    /// What is wrong, with `--fix` what is left.
    findings: Vec<FindingReport>,
    /// Clusters that another command is at work on: they were not looked at.
    busy: Vec<String>,
    /// What others have put into the state folder.
    foreign: Vec<PathBuf>,
}

/// One finding, as a program reads it.
#[derive(Serialize)]
struct FindingReport {
    kind: &'static str,
    /// None if it is about the state folder itself.
    cluster: Option<String>,
    /// None if it is not about one.
    node: Option<String>,
    path: PathBuf,
    message: String,
    /// What mends it.
    hint: String,
}

impl FindingReport {
    /// What is wrong, behind the name of the cluster.
    fn place(&self) -> String {
        let cluster = self.cluster.as_ref();
        let cluster = cluster.map_or_else(String::new, |name| format!("{name}: "));
        format!("{cluster}{}", self.message)
    }

    fn of(lab: &Lab<'_>, finding: &Finding) -> Self {
        Self {
            kind: finding.kind.name(),
            cluster: finding.cluster.as_ref().map(ToString::to_string),
            node: finding.node.clone(),
            path: finding.path.clone(),
            message: finding.text.clone(),
            hint: told(
                &finding.hint(),
                finding.cluster.as_ref().unwrap_or(&lab.global.name),
            ),
        }
    }
}

/// Reports findings, after mending what can be mended if asked to; ends with 1 if there are any, or if not
/// all was looked at.
pub(crate) async fn doctor(lab: &Lab<'_>, args: &Doctor) -> Result<u8, Error> {
    let mut mended = Vec::new();
    let name = &lab.global.name;
    let only = (name.as_str() != "default").then_some(name);
    if args.fix {
        fix(&lab.home, only, |event| match event {
            Event::Mended(finding) => {
                let done = finding.action().map_or("nothing", Action::done);
                let report = FindingReport::of(lab, finding);
                lab.term
                    .note(&format!("{}\n      done: {done}", report.place()));
                mended.push(report);
            }
            Event::Failed(finding, error) => {
                let about = finding.cluster.as_ref().unwrap_or(name);
                let text = format!("{}: {}", finding.text, hints::message(error, about));
                let hint = error.hint().map(|hint| told(&hint, about));
                let code = exit::of(error.kind());
                lab.term.error(&text, code, hint.as_deref());
            }
            _ => {}
        })
        .await?;
    }
    let diagnosis = match examine(&lab.home, only) {
        // What has been mended is that it is there.
        Err(Error::NoCluster(_)) if !mended.is_empty() => examine(&lab.home, None)?,
        diagnosis => diagnosis?,
    };
    let is_sound = diagnosis.is_sound();
    let report = DoctorReport::of(lab, &diagnosis, mended);
    if args.json.json {
        lab.term.json(&report);
    } else {
        lab.term.data(&report.text());
    }
    Ok(if is_sound { exit::DONE } else { exit::NO })
}

impl DoctorReport {
    fn of(lab: &Lab<'_>, diagnosis: &Diagnosis, mended: Vec<FindingReport>) -> Self {
        let findings = diagnosis.findings.iter();
        Self {
            home: lab.home.root().to_owned(),
            verdict: Verdict::of(diagnosis.is_sound()),
            mended,
            findings: findings
                .map(|finding| FindingReport::of(lab, finding))
                .collect(),
            busy: diagnosis.busy.iter().map(ToString::to_string).collect(),
            foreign: diagnosis.foreign.clone(),
        }
    }

    fn text(&self) -> String {
        let head = match (self.findings.len(), self.busy.len()) {
            (0, 0) => "nothing is wrong".to_owned(),
            (0, busy) => format!(
                "nothing is wrong, but {} {} not examined",
                counted(busy, "cluster"),
                if busy == 1 { "was" } else { "were" }
            ),
            (some, _) => counted(some, "finding"),
        };
        let mut lines = vec![format!("state folder `{}`: {head}", self.home.display())];
        for finding in &self.findings {
            let (what, fix) = (finding.place(), &finding.hint);
            lines.push(format!("  {what}\n      fix: {fix}"));
        }
        lines.extend(self.busy.iter().map(|name| {
            format!("  {name}: not examined, since another shardlab command is working on it")
        }));
        lines.extend(
            (self.foreign.iter())
                .map(|path| format!("  not shardlab's, left alone: `{}`", path.display())),
        );
        lines.join("\n") + "\n"
    }
}
