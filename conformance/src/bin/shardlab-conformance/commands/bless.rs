//! `bless`: what a server answers becomes what transcripts expect, as a patch to be looked at.

use std::path::Path;
use std::sync::Arc;

use shardlab::error::{Error, exit};
use shardlab::machine::interrupt::Interrupts;
use shardlab::machine::text::counted;
use shardlab::state::replace;
use shardlab_conformance::diagnose::Style;
use shardlab_conformance::report::{picture, rerun};
use shardlab_conformance::run::result::{CaseResult, Verdict};
use shardlab_conformance::run::{Event, Runner, runtime};
use shardlab_conformance::suite::{Case, Origin, parse_case, rewritten};
use shardlab_conformance::transcript::lint;
use similar::TextDiff;

use super::failure::{Code, bug, cases, tell, usage};
use super::leaving::{self, clean_up};
use super::live::Live;
use super::subject::subject;
use crate::cli::Bless;
use crate::term::{self, Failure};

pub(super) fn bless(args: &Bless) -> Code {
    let every = cases(&args.origin())?;
    let chosen = args.selection().of(every).map_err(|error| usage(&error))?;
    let runtime = runtime().map_err(|error| bug(&error))?;
    runtime.block_on(async {
        let mut interrupts = Interrupts::listen().map_err(|error| bug(&error))?;
        let limits = args.pace.limits();
        let subject = tokio::select! {
            subject = subject(&args.tested, &limits) => subject?,
            signal = interrupts.next() => return Err(Error::Interrupted(signal).into()),
        };
        let known = subject.known().map_err(|error| usage(&error))?;
        let runner = Runner::new(subject).limits(limits).known(known);
        let runner = Arc::new(runner.blessing());
        tokio::select! {
            code = blessed(args, &runner, &chosen) => code,
            signal = interrupts.next() => {
                clean_up(&runner, &mut interrupts).await?;
                Err(Error::Interrupted(signal).into())
            }
        }
    })
}

async fn blessed(args: &Bless, runner: &Arc<Runner>, chosen: &[Case]) -> Code {
    let results = run(args, runner, chosen).await;
    let mut changed = Vec::new();
    let mut left = 0;
    for (case, result) in chosen.iter().zip(&results) {
        if !result.mended.is_empty() {
            changed.push((case, changed_case(case, result)?));
        }
        left += usize::from(is_left(runner, case, result));
    }
    let new: Vec<_> = changed.iter().map(|(_, new)| new.clone()).collect();
    // What is different once more will be so the next time.
    for (case, result) in new.iter().zip(run(args, runner, &new).await) {
        if !result.mended.is_empty() {
            left += 1;
            term::warning(&format!(
                "{}: on a second run a reply differed again; write `<int>` or `<any>` for what varies",
                case.path
            ));
        }
        left += usize::from(is_left(runner, case, &result));
    }
    let mut written = 0;
    for (old, new) in &changed {
        term::data(&patch(old, new));
        if args.write && std::fs::read(&new.path).is_ok_and(|now| now != old.source.as_bytes()) {
            left += 1;
            term::warning(&format!(
                "`{}` has changed since it was read, and stays as it is; run `bless` again",
                new.path
            ));
        } else if args.write {
            replace(Path::new(&new.path), new.source.as_bytes())
                .map_err(|error| usage(&format!("cannot write `{}`: {error}", new.path)))?;
            written += 1;
        }
    }
    let count = counted(changed.len(), "transcript");
    match (changed.is_empty(), args.write) {
        (true, _)
            if results
                .iter()
                .all(|result| matches!(result.verdict, Verdict::Pass)) =>
        {
            term::note("nothing departs, so nothing changes");
        }
        (true, _) => term::note("nothing changes"),
        (false, true) => term::note(&format!("written: {}", counted(written, "transcript"))),
        (false, false) => term::note(&format!("would change: {count}; `--write` changes them")),
    }
    if let Some(left) = runner.left_changed() {
        return Err(leaving::changed(&left));
    }
    let is_done = left == 0 && (changed.is_empty() || args.write);
    Ok(if is_done { exit::DONE } else { exit::NO })
}

async fn run(args: &Bless, runner: &Arc<Runner>, chosen: &[Case]) -> Vec<CaseResult> {
    let live = Live::new(chosen.len(), false);
    let hear = |event: Event<'_>| live.hear(event);
    let running = Arc::clone(runner).run(
        chosen.to_vec(),
        args.pace.jobs(),
        args.pace.patience(),
        hear,
    );
    running.await.cases
}

/// The case as it is to be. A transcript with a mistake is a fault of ours.
fn changed_case(case: &Case, result: &CaseResult) -> Result<Case, Failure> {
    let text = rewritten(case, &result.mended);
    let bug = || Failure {
        message: format!("`{}` cannot be rewritten", case.path),
        code: exit::BUG,
        hint: None,
    };
    let new = parse_case(case.path.clone(), text.as_bytes()).map_err(|broken| {
        tell(&broken);
        bug()
    })?;
    let had = lint(&case.transcript).len();
    if lint(&new.transcript).len() > had {
        return Err(bug());
    }
    Ok(new)
}

/// Tells what cannot be blessed; whether there is something.
fn is_left(runner: &Runner, case: &Case, result: &CaseResult) -> bool {
    match &result.verdict {
        Verdict::Pass => false,
        Verdict::Departs(_) | Verdict::Otherwise(_) => {
            let origin = Origin::Paths(vec![case.path.clone().into()]);
            let rerun = rerun(&runner.subject().options(), &origin, case);
            let drawn = picture(result, case, &rerun, Style::Coloured).unwrap_or_default();
            term::note(&format!(
                "{drawn}\n\n`bless` cannot rewrite this; edit the file yourself.\n"
            ));
            true
        }
        Verdict::Known { reason, .. } => {
            term::note(&format!("{}: it is known to depart: {reason}", case.path));
            false
        }
        verdict => {
            let told = verdict.message().unwrap_or_default();
            term::note(&format!("{}: {}: {told}", case.path, verdict.word()));
            verdict.fails()
        }
    }
}

/// The difference between two texts, as `patch` reads it.
fn patch(old: &Case, new: &Case) -> String {
    let path = &new.path;
    TextDiff::from_lines(old.source.as_str(), new.source.as_str())
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{path}"), &format!("b/{path}"))
        .to_string()
}
