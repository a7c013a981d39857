//! The transcripts as tests: one trial for each, named `area::claim`, for `cargo test` and
//! `cargo nextest run`. A server is looked for and started when the first trial runs, so that
//! listing costs nothing.
//!
//! `SHARDLAB_SERVER` names another server to start, `SHARDLAB_ATTACH` a cluster that runs. Cases on a
//! running cluster take turns, which processes cannot: there, nextest wants `-j1`.

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Completion, Conclusion, Failed, Trial};
use shardlab::machine::environment::Environment;
use tokio::runtime::Runtime;

use crate::diagnose::{Diagnosis, Style};
use crate::report::picture;
use crate::report::rerun;
use crate::run::result::Verdict;
use crate::run::{Limits, Runner, Subject, Wanted, jobs_by_default, longest_first, runtime};
use crate::suite::{Case, LoadError, Origin, load};

/// Runs the transcripts of this build as tests. What it gives is for `main` to return: the
/// servers of the trials are gone by then.
pub fn main() -> ExitCode {
    let (mut arguments, environment) = (Arguments::from_args(), Environment::of_process());
    arguments
        .test_threads
        .get_or_insert_with(|| usize::from(jobs_by_default()));
    let conclusion = run(&arguments, load(&Origin::Embedded), environment);
    let ran = conclusion.num_passed + conclusion.num_failed;
    // A run that has tested nothing is not green; a single trial, as nextest runs them, may be.
    if ran == 0 && conclusion.num_ignored > 0 && !arguments.exact {
        return ExitCode::from(shardlab::error::exit::NO);
    }
    conclusion.exit_code()
}

/// Runs cases as tests, with the arguments that every test program has. The environment names
/// the server.
pub fn run(
    arguments: &Arguments,
    cases: Result<Vec<Case>, LoadError>,
    environment: Environment,
) -> Conclusion {
    libtest_mimic::run(arguments, trials(cases, environment))
}

/// A trial for each case; one that fails if there is none, so that a folder that has moved
/// cannot look like a suite that passes.
fn trials(cases: Result<Vec<Case>, LoadError>, environment: Environment) -> Vec<Trial> {
    match cases {
        Ok(cases) if cases.is_empty() => vec![failing("no transcript was found".to_owned())],
        Ok(mut cases) => {
            let bench = Arc::new(Bench::new(environment));
            cases.sort_by_key(longest_first);
            let trial = |case: Case| {
                let bench = Arc::clone(&bench);
                Trial::ignorable_test(case.name(), move || bench.trial(&case))
            };
            cases.into_iter().map(trial).collect()
        }
        Err(LoadError::Broken(broken)) => {
            let pictures = broken.iter().flat_map(|broken| {
                let draw =
                    |error| Diagnosis::of(error, &broken.path, &broken.source).render(Style::Plain);
                broken.errors.iter().map(draw)
            });
            vec![failing(pictures.collect::<Vec<_>>().join("\n\n"))]
        }
        Err(error) => vec![failing(error.to_string())],
    }
}

fn failing(reason: String) -> Trial {
    Trial::test("transcripts::can_be_read", move || Err(reason.into()))
}

/// What the trials share.
struct Bench {
    environment: Environment,
    /// Made by the first trial that needs it.
    prepared: OnceLock<Result<(Runtime, Runner), String>>,
}

impl Bench {
    fn new(environment: Environment) -> Self {
        Self {
            environment,
            prepared: OnceLock::new(),
        }
    }

    fn trial(&self, case: &Case) -> Result<Completion, Failed> {
        let prepared = self.prepared.get_or_init(|| prepare(&self.environment));
        let (runtime, runner) = prepared.as_ref().map_err(Failed::from)?;
        let result = runtime.block_on(runner.case(case));
        match &result.verdict {
            Verdict::Pass | Verdict::Otherwise(_) | Verdict::Known { .. } => {
                Ok(Completion::Completed)
            }
            Verdict::Skipped(skip) => Ok(Completion::ignored_with(&skip.reason)),
            Verdict::Departs(_) => {
                let rerun = rerun(&runner.subject().options(), &Origin::Embedded, case);
                let picture = picture(&result, case, &rerun, Style::Plain);
                Err(picture.unwrap_or_default().into())
            }
            verdict @ (Verdict::Fixed { .. } | Verdict::Broken(_)) => {
                Err(verdict.message().unwrap_or_default().into())
            }
        }
    }
}

fn prepare(environment: &Environment) -> Result<(Runtime, Runner), String> {
    let runtime = runtime().map_err(|error| format!("the runtime does not start: {error}"))?;
    let limits = Limits::default();
    let wanted = Wanted::default();
    let opening = Subject::open(&wanted, environment, limits.read, &|_| {});
    let subject = runtime.block_on(opening).map_err(|error| {
        let hint = error.hint().map(|hint| hint.to_string());
        let lines = [Some(error.to_string()), variable(environment), hint];
        let lines: Vec<_> = lines.into_iter().flatten().collect();
        lines.join("\nhint: ")
    })?;
    let known = subject.known().map_err(|error| error.to_string())?;
    Ok((runtime, Runner::new(subject).limits(limits).known(known)))
}

/// Where the wish for a target that is not there comes from, if not from us.
fn variable(environment: &Environment) -> Option<String> {
    let Environment { attach, server, .. } = environment;
    let attach = attach.as_ref().map(|value| ("SHARDLAB_ATTACH", value));
    let named = attach.or(server.as_ref().map(|value| ("SHARDLAB_SERVER", value)));
    named.map(|(name, value)| format!("`{name}` is set to `{value}`"))
}
