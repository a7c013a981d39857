//! `matrix`: the same cases on several servers, side by side on a page.

use std::path::Path;
use std::sync::Arc;

use shardlab::error::{Error, exit};
use shardlab::machine::environment::Environment;
use shardlab::machine::interrupt::Interrupts;
use shardlab::server::Notice;
use shardlab::state::replace;
use shardlab_conformance::report::{compatibility, matrix, scorecard};
use shardlab_conformance::run::result::RunResult;
use shardlab_conformance::run::{Runner, Subject, Wanted, runtime};
use shardlab_conformance::suite::Case;

use super::failure::{Code, bug, cases, opened, usage};
use super::live::Live;
use super::written;
use crate::cli::Matrix;
use crate::term;

pub(super) fn run(args: &Matrix) -> Code {
    written::check(&[&args.html, &args.markdown])?;
    let chosen = args
        .selection
        .selection()
        .of(cases(&args.selection.origin(&[]))?)
        .map_err(|error| usage(&error))?;
    let runtime = runtime().map_err(|error| bug(&error))?;
    runtime.block_on(async {
        let mut interrupts = Interrupts::listen().map_err(|error| bug(&error))?;
        let servers = args.server.iter().map(|server| Wanted {
            server: Some(server.clone()),
            offline: args.offline,
            ..Wanted::default()
        });
        let profiled = args.profile.iter().map(|profile| Wanted {
            profile: Some(profile.clone()),
            ..Wanted::default()
        });
        let running = args.attach.iter().map(|address| Wanted {
            attach: Some(address.clone()),
            ..Wanted::default()
        });
        let mut runs = Vec::new();
        for wanted in servers.chain(profiled).chain(running) {
            let runner = tokio::select! {
                runner = runner(args, &wanted) => Arc::new(runner?),
                signal = interrupts.next() => return Err(Error::Interrupted(signal).into()),
            };
            let live = Live::new(chosen.len(), false);
            let hear = |event: shardlab_conformance::run::Event<'_>| live.hear(event);
            let (jobs, patience) = (args.pace.jobs(), args.pace.patience());
            let run = Arc::clone(&runner).run(chosen.clone(), jobs, patience, hear);
            let result = tokio::select! {
                result = run => result,
                signal = interrupts.next() => {
                    if let Err(reason) = runner.clean_up().await {
                        term::note(&format!("a case's keys are left behind: {reason}"));
                    }
                    return Err(Error::Interrupted(signal).into());
                }
            };
            term::data(&scorecard::summary(&result));
            runs.push(result);
            // What has been found is there, whatever comes next.
            write(args, &runs, &chosen)?;
        }
        let all_hold = runs.iter().all(RunResult::holds);
        Ok(if all_hold { exit::DONE } else { exit::NO })
    })
}

async fn runner(args: &Matrix, wanted: &Wanted) -> Result<Runner, term::Failure> {
    let limits = args.pace.limits();
    let note = |notice: &Notice| term::note(&notice.message().typed());
    let environment = Environment::of_process();
    let subject = Subject::open(wanted, &environment, limits.read, &note)
        .await
        .map_err(|error| opened(&error))?;
    let known = subject.known().map_err(|error| usage(&error))?;
    Ok(Runner::new(subject).limits(limits).known(known))
}

fn write(args: &Matrix, runs: &[RunResult], chosen: &[Case]) -> Result<(), term::Failure> {
    if let Some(path) = &args.html {
        let page = matrix(runs, chosen).map_err(|error| usage(&error))?;
        replaced(path, &page)?;
    }
    match &args.markdown {
        Some(path) => replaced(path, &compatibility(runs)),
        None => Ok(()),
    }
}

fn replaced(path: &Path, page: &str) -> Result<(), term::Failure> {
    replace(path, page.as_bytes())
        .map_err(|error| usage(&format!("cannot write `{}`: {error}", path.display())))
}
