//! `run`: the transcripts against a server.

use std::cell::Cell;
use std::fs;
use std::sync::Arc;

use shardlab::error::{Error, exit};
use shardlab::machine::environment::Environment;
use shardlab::machine::interrupt::Interrupts;
use shardlab::server::Notice;
use shardlab_conformance::diagnose::Style;
use shardlab_conformance::known::KnownList;
use shardlab_conformance::pattern::Server;
use shardlab_conformance::report::{json, rerun, terminal};
use shardlab_conformance::run::result::RunResult;
use shardlab_conformance::run::{Event, Limits, Runner, Subject, Wanted, runtime};
use shardlab_conformance::suite::Case;

use super::failure::{Code, cases, usage};
use crate::cli::Run;
use crate::term::{self, Failure};

pub(super) fn run(args: &Run) -> Code {
    let all = cases(&args.origin())?;
    let chosen = args
        .selection
        .selection()
        .of(all)
        .map_err(|error| usage(&error))?;
    let runtime = runtime().map_err(|error| bug(&error))?;
    runtime.block_on(async {
        let mut interrupts = Interrupts::listen().map_err(|error| bug(&error))?;
        let limits = Limits::default().slower(args.slow);
        let subject = subject(args, &limits).await?;
        let known = known(args, &subject)?;
        let runner = Runner::new(subject).limits(limits).known(known);
        let runner = Arc::new(runner);
        let running = whole(args, Arc::clone(&runner), chosen);
        tokio::select! {
            code = running => code,
            signal = interrupts.next() => {
                if let Err(reason) = runner.clean_up().await {
                    term::note(&format!("keys of a case were left behind: {reason}"));
                }
                Err(Error::Interrupted(signal).into())
            }
        }
    })
}

fn bug(error: &std::io::Error) -> Failure {
    Failure {
        message: format!("the runtime did not start: {error}"),
        code: exit::BUG,
        hint: None,
    }
}

async fn whole(args: &Run, runner: Arc<Runner>, chosen: Vec<Case>) -> Code {
    let (ended, count) = (Cell::new(0), chosen.len());
    let told = |event: Event<'_>| {
        if let Event::Ended(_) = event {
            ended.set(ended.get() + 1);
            term::progress(ended.get(), count);
        }
    };
    let result = runner
        .run(chosen.clone(), args.jobs.into(), args.patience(), told)
        .await;
    report(args, &result, &chosen)?;
    Ok(if result.holds() { exit::DONE } else { exit::NO })
}

fn report(args: &Run, result: &RunResult, cases: &[Case]) -> Result<(), Failure> {
    if args.json {
        return term::json(&json::run(result, cases));
    }
    term::data(&terminal::lines(result));
    let (options, origin) = (options(args, result), args.origin());
    for (result, case) in result.cases.iter().zip(cases) {
        if args.verbose {
            for picture in terminal::tolerated(result, case, Style::Coloured) {
                term::data(&format!("\n{picture}"));
            }
        }
        let rerun = rerun(&options, &origin, case);
        if let Some(picture) = terminal::picture(result, case, &rerun, Style::Coloured) {
            term::data(&format!("\n{picture}"));
        }
    }
    term::data(&format!("\n{}", terminal::summary(result)));
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

async fn subject(args: &Run, limits: &Limits) -> Result<Subject, Failure> {
    let identity = args.product.as_ref().zip(args.server_version);
    let wanted = Wanted {
        server: args.server.clone(),
        attach: args.attach.clone(),
        identity: identity.map(|(product, version)| Server {
            product: product.to_lowercase(),
            version,
        }),
        offline: args.offline,
    };
    let note = |notice: &Notice| term::note(&notice.to_string());
    Subject::open(&wanted, &Environment::of_process(), limits.read, &note)
        .await
        .map_err(|error| Failure {
            message: error.to_string(),
            code: exit::of(error.kind()),
            hint: error.hint().as_ref().map(term::typed),
        })
}

/// What is known to depart: the user's list, or ours for servers that we start.
fn known(args: &Run, subject: &Subject) -> Result<KnownList, Failure> {
    match &args.known {
        Some(path) => {
            let shown = path.display().to_string();
            let text = fs::read_to_string(path)
                .map_err(|error| usage(&format!("cannot read `{shown}`: {error}")))?;
            KnownList::parse(&shown, &text).map_err(|error| usage(&error))
        }
        None => subject.known().map_err(|error| usage(&error)),
    }
}
