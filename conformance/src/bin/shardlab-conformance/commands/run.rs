//! `run`: the transcripts against a server.

use std::fs;
use std::sync::Arc;

use shardlab::error::{Error, exit};
use shardlab::machine::interrupt::Interrupts;
use shardlab_conformance::diagnose::Style;
use shardlab_conformance::known::KnownList;
use shardlab_conformance::report::{Report, json, rerun, scorecard, terminal};
use shardlab_conformance::run::result::RunResult;
use shardlab_conformance::run::{Runner, Subject, runtime};
use shardlab_conformance::suite::{Case, Origin};

use super::failure::{Code, bug, cases, usage};
use super::leaving::{changed, clean_up};
use super::live::Live;
use super::subject::subject;
use super::written;
use crate::cli::{Files, Run};
use crate::term::{self, Failure};

pub(super) fn run(args: &Run) -> Code {
    let Files {
        junit,
        tap,
        markdown,
        write_known,
        annotations: _,
    } = &args.files;
    written::check(&[junit, tap, markdown, write_known])?;
    let every = cases(&args.origin())?;
    let chosen = args
        .selection()
        .of(every.clone())
        .map_err(|error| usage(&error))?;
    let runtime = runtime().map_err(|error| bug(&error))?;
    runtime.block_on(async {
        let mut interrupts = Interrupts::listen().map_err(|error| bug(&error))?;
        let limits = args.pace.limits();
        let subject = tokio::select! {
            subject = subject(&args.tested, &limits) => subject?,
            signal = interrupts.next() => return Err(Error::Interrupted(signal).into()),
        };
        let known = known(args, &subject, &every)?;
        let runner = Runner::new(subject).limits(limits).known(known);
        let runner = Arc::new(runner);
        let live = Live::new(chosen.len(), !args.json);
        let running = Arc::clone(&runner).run(
            chosen.clone(),
            args.pace.jobs(),
            args.pace.patience(),
            |event| {
                live.hear(event);
            },
        );
        tokio::select! {
            result = running => {
                let result = RunResult { least: args.min, ..result };
                // What became of somebody's cluster is told also if no report can be written.
                let reported = report(args, &result, &chosen);
                match runner.left_changed() {
                    Some(left) => Err(changed(&left)),
                    None => reported.map(|()| if result.holds() { exit::DONE } else { exit::NO }),
                }
            }
            signal = interrupts.next() => {
                let cleaned = clean_up(&runner, &mut interrupts).await;
                let reported = report(args, &live.so_far(&runner, &chosen), &chosen);
                cleaned.and(reported)?;
                Err(Error::Interrupted(signal).into())
            }
        }
    })
}

fn report(args: &Run, result: &RunResult, cases: &[Case]) -> Result<(), Failure> {
    let (options, origin) = (options(args, result), args.origin());
    let report = Report {
        run: result,
        cases,
        rerun: &|case| rerun(&options, &origin, case),
    };
    written::write(&args.files, &report)?;
    if args.json {
        return term::json(&json::run(result, cases));
    }
    if args.verbose {
        for picture in terminal::asides(&report, Style::Coloured) {
            term::data(&format!("\n{picture}"));
        }
    }
    for picture in terminal::departures(&report, Style::Coloured) {
        term::data(&format!("\n{picture}"));
    }
    if result.cases.len() > 1 {
        term::data(&format!("\n{}", scorecard::table(result)));
    }
    let not_run = scorecard::not_run(result);
    if !not_run.is_empty() {
        term::data(&format!("\n{not_run}"));
    }
    term::data(&format!("\n{}", scorecard::summary(result)));
    if let Some(warning) = scorecard::warning(result) {
        term::warning(&warning);
    }
    Ok(())
}

/// The options of a run that comes to the same result.
fn options(args: &Run, result: &RunResult) -> Vec<String> {
    let mut words = result.options.clone();
    if let Some(known) = &args.known {
        words.extend(["--known".to_owned(), known.display().to_string()]);
    }
    words
}

/// What is known to depart: the user's list, or ours for servers that we start.
fn known(args: &Run, subject: &Subject, every: &[Case]) -> Result<KnownList, Failure> {
    match &args.known {
        Some(path) => {
            let shown = path.display().to_string();
            let text = fs::read_to_string(path)
                .map_err(|error| usage(&format!("cannot read `{shown}`: {error}")))?;
            let list = KnownList::parse(&shown, &text).map_err(|error| usage(&error))?;
            let ours = cases(&Origin::Embedded)?;
            let ids = every.iter().chain(&ours).map(Case::id);
            list.check(&ids.collect::<Vec<_>>())
                .map_err(|error| usage(&error))?;
            Ok(list)
        }
        None => subject.known().map_err(|error| usage(&error)),
    }
}
