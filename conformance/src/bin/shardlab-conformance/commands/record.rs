//! `record`: a live session that becomes a transcript.

use std::io::IsTerminal as _;
use std::path::Path;

use shardlab::Signal;
use shardlab::error::{Error, exit};
use shardlab::machine::interrupt::Interrupts;
use shardlab::machine::text::counted;
use shardlab::state::replace;
use shardlab_conformance::binding::Names;
use shardlab_conformance::diagnose::Style;
use shardlab_conformance::report::{picture, rerun};
use shardlab_conformance::run::result::Verdict;
use shardlab_conformance::run::{
    Limits, Patience, Recorder, Runner, Subject, SubjectError, runtime,
};
use shardlab_conformance::suite::{Broken, Case, Origin, header, parse_case};
use shardlab_conformance::system::attached::Permission;
use shardlab_conformance::system::launched::Wish;
use shardlab_conformance::system::{Target, describe};
use shardlab_conformance::transcript::ast::{Topology, Transcript};
use shardlab_conformance::transcript::{MAX_SOURCE, lint, print};
use tokio::sync::mpsc::Receiver;

use super::failure::{Code, bug, opened, tell, usage};
use super::leaving::{changed, clean_up};
use super::new::{free, write_new};
use super::subject::subject;
use super::written;
use crate::cli::Record;
use crate::term::{self, Failure};

const HELP: &str = "a line is sent to the node of the prompt, or to another: `n3> GET a`; `n3>` alone stays there; `\\` at \
the end of a line pipelines the next one; `n1/ro> GET a` is a second connection; `n1<` reads one more reply; \
`! kill -9 n2` acts on a process; `# why` is a comment; `exit` ends";

pub(super) fn record(args: &Record) -> Code {
    let shown = shown(args);
    // Before anything is typed in vain.
    if let Some(path) = args.path.as_ref().filter(|_| !args.overwrite)
        && path.exists()
    {
        return Err(Failure {
            hint: Some("`--overwrite` replaces it".to_owned()),
            ..usage(&format!("the file `{shown}` already exists"))
        });
    }
    written::check(&[&args.path])?;
    let header = |topology: Topology| {
        let text = header(args.path.as_deref(), &args.id, topology);
        free(&shown, &text, &args.id)
    };
    let started = header(args.topology)?;
    let limits = Limits::default().slower(args.slow);
    let runtime = runtime().map_err(|error| bug(&error))?;
    runtime.block_on(async {
        let mut interrupts = Interrupts::listen().map_err(|error| bug(&error))?;
        let subject = tokio::select! {
            subject = subject(&args.tested, &limits) => subject?,
            signal = interrupts.next() => return Err(Error::Interrupted(signal).into()),
        };
        let (transcript, ended) = match &subject {
            Subject::Launched(pool) => {
                let wish = Wish::of(&started.header);
                if let Some(reason) = pool.launcher().refusal(&wish) {
                    return Err(usage(&reason));
                }
                let cluster = tokio::select! {
                    cluster = pool.fresh(&wish) => cluster.map_err(Failure::from)?,
                    signal = interrupts.next() => return Err(Error::Interrupted(signal).into()),
                };
                let names = Names::planned(args.topology);
                let at = Place {
                    target: &cluster,
                    names: &names,
                    guest: None,
                };
                session(&at, started, &limits, &mut interrupts).await?
            }
            Subject::Attached(attachment) => {
                let found = attachment.discover(limits.read, limits.read).await;
                let found = found
                    .map_err(|unusable| opened(&SubjectError::Unusable(Box::new(unusable))))?;
                let (target, names, topology) = found.unbound();
                let at = Place {
                    target: &target,
                    names: &names,
                    guest: Some(attachment.permission),
                };
                session(&at, header(topology)?, &limits, &mut interrupts).await?
            }
        };
        let Some(case) = written(args, &transcript)? else {
            return Ok(exit::USAGE);
        };
        if let Some(signal) = ended.filter(|signal| *signal != Signal::INT) {
            return Err(Error::Interrupted(signal).into());
        }
        let runner = Runner::new(subject).limits(limits.clone());
        tokio::select! {
            code = again(&runner, &case) => match runner.left_changed() {
                Some(left) => Err(changed(&left)),
                None => Ok(code),
            },
            signal = interrupts.next() => {
                clean_up(&runner, &mut interrupts).await?;
                Err(Error::Interrupted(signal).into())
            }
        }
    })
}

/// The file as it is told of.
fn shown(args: &Record) -> String {
    let path = args.path.as_deref().unwrap_or(Path::new("recorded.resp"));
    path.display().to_string()
}

/// With whom the session is.
struct Place<'a, T> {
    target: &'a T,
    names: &'a Names,
    /// What is permitted, if it is somebody else's.
    guest: Option<Permission>,
}

/// The steps that were typed, and the signal that ended them, if one did.
async fn session<T: Target>(
    at: &Place<'_, T>,
    header: Transcript,
    limits: &Limits,
    interrupts: &mut Interrupts,
) -> Result<(Transcript, Option<Signal>), Failure> {
    let patience = Patience::default();
    let mut recorder = Recorder::new(at.target, at.names, limits, &patience, at.guest);
    let mut input = Input::new();
    if input.is_terminal {
        let mut nodes: Vec<_> = at.target.nodes().iter().map(ToString::to_string).collect();
        nodes.sort();
        let server = describe(at.target.server());
        let nodes = nodes.join(" ");
        term::note(&format!(
            "{server}: {nodes}; `help` tells what can be typed, `exit` ends\n"
        ));
    }
    let ended = tokio::select! {
        heard = converse(&mut recorder, &mut input) => heard.map(|()| None),
        signal = interrupts.next() => Ok(Some(signal)),
    };
    if ended.as_ref().is_ok_and(Option::is_some) && input.is_terminal {
        term::note("");
    }
    if let Err(reason) = recorder.clean_up().await {
        term::note(&format!("keys of this session were left behind: {reason}"));
    }
    let ended = ended?;
    if recorder.steps() == 0 {
        return Err(usage(&"nothing was recorded, so nothing is written"));
    }
    Ok((recorder.transcript(header), ended))
}

/// Reads, sends and shows until there is no more.
async fn converse<T: Target>(
    recorder: &mut Recorder<'_, T>,
    input: &mut Input,
) -> Result<(), Failure> {
    while let Some(lines) = input.step(&recorder.connection()).await? {
        match (recorder.step(&lines).await, input.is_terminal) {
            (Ok(reply), true) if !reply.is_empty() => term::note(&format!("{reply}\n")),
            (Ok(_), _) => {}
            (Err(refusal), true) => {
                let failure = Failure {
                    hint: refusal.help.clone(),
                    ..usage(&refusal.message)
                };
                term::error(&failure, false);
                term::note("");
            }
            (Err(refusal), false) => {
                return Err(Failure {
                    hint: refusal.help.clone(),
                    ..usage(&format!(
                        "line {} of the input: {}",
                        input.line, refusal.message
                    ))
                });
            }
        }
    }
    Ok(())
}

/// What is typed, or piped in.
struct Input {
    lines: Receiver<std::io::Result<String>>,
    is_terminal: bool,
    /// Where the step begins that was read last, from 1.
    line: usize,
    /// How many lines have been read.
    read: usize,
    /// A line that was read to see whether it belongs to the step above.
    next: Option<String>,
}

impl Input {
    fn new() -> Self {
        Self {
            is_terminal: std::io::stdin().is_terminal(),
            lines: term::lines(),
            line: 0,
            read: 0,
            next: None,
        }
    }

    /// The lines of the next step; none at the end.
    async fn step(&mut self, connection: &str) -> Result<Option<String>, Failure> {
        loop {
            let prompt = format!("{connection}> ");
            let Some(mut step) = self.line(&prompt).await? else {
                return Ok(None);
            };
            self.line = self.read;
            match step.trim() {
                "" => continue,
                "exit" | "quit" => return Ok(None),
                "help" | "?" if self.is_terminal => {
                    term::note(&format!("{HELP}\n"));
                    continue;
                }
                _ => {}
            }
            let more = format!("{:>width$}", "> ", width = prompt.len());
            loop {
                if step.len() > MAX_SOURCE {
                    return Err(usage(&format!(
                        "line {} of the input begins a step that is too long",
                        self.line
                    )));
                }
                let goes_on = step.strip_suffix('\\').map(str::trim_end);
                if let Some(before) = goes_on.map(ToOwned::to_owned) {
                    let next = self.line(&more).await?.unwrap_or_default();
                    let next = next.trim().trim_start_matches("> ").to_owned();
                    step = format!("{before}\n  > {next}");
                    continue;
                }
                if self.is_terminal {
                    break;
                }
                match self.line("").await? {
                    Some(next) if next.trim_start().starts_with('>') => {
                        step = format!("{step}\n  {}", next.trim());
                    }
                    next => {
                        self.read -= usize::from(next.is_some());
                        self.next = next;
                        break;
                    }
                }
            }
            return Ok(Some(step));
        }
    }

    async fn line(&mut self, prompt: &str) -> Result<Option<String>, Failure> {
        if self.is_terminal {
            term::prompt(prompt);
        }
        let line = match self.next.take() {
            Some(line) => Some(line),
            None => match self.lines.recv().await {
                Some(Ok(line)) => Some(line.trim_end().to_owned()),
                // What was recorded so far is written all the same.
                Some(Err(error)) if self.is_terminal => {
                    term::warning(&format!(
                        "cannot read the input, so the session ends: {error}"
                    ));
                    None
                }
                Some(Err(error)) => return Err(usage(&format!("cannot read the input: {error}"))),
                None => None,
            },
        };
        if line.is_none() && self.is_terminal {
            term::note("");
        }
        self.read += usize::from(line.is_some());
        Ok(line)
    }
}

/// Writes the transcript; none if it has a mistake, which is told.
fn written(args: &Record, transcript: &Transcript) -> Result<Option<Case>, Failure> {
    let (shown, text) = (shown(args), print(transcript));
    match &args.path {
        None => term::data(&text),
        Some(path) => {
            let written = if args.overwrite {
                replace(path, text.as_bytes())
                    .map_err(|error| usage(&format!("cannot write `{shown}`: {error}")))
            } else {
                write_new(path, &text)
            };
            if let Err(failure) = written {
                // What was typed is not lost.
                term::data(&text);
                return Err(failure);
            }
            let steps = counted(transcript.body.steps.len(), "step");
            term::note(&format!("{shown} is written: {steps}"));
        }
    }
    let checked = parse_case(shown, text.as_bytes()).and_then(|case| {
        let errors = lint(&case.transcript);
        if errors.is_empty() {
            return Ok(case);
        }
        Err(Broken {
            path: case.path,
            source: case.source,
            errors,
        })
    });
    match checked {
        Ok(case) => Ok(Some(case)),
        Err(broken) => {
            tell(&broken);
            Ok(None)
        }
    }
}

/// Runs what was recorded, as everybody will who runs the file; the exit code.
async fn again(runner: &Runner, case: &Case) -> u8 {
    let result = runner.case(case).await;
    match &result.verdict {
        Verdict::Departs(_) | Verdict::Otherwise(_) => {
            let origin = Origin::Paths(vec![case.path.clone().into()]);
            let rerun = rerun(&runner.subject().options(), &origin, case);
            let drawn = picture(&result, case, &rerun, Style::Coloured).unwrap_or_default();
            term::note(&format!("\n{drawn}\n"));
            term::warning(
                "on a second run it departs here: a part of this reply varies. Write `<int>` or `<any>` for what \
                 does, or put what takes time into `within 5T`",
            );
            exit::NO
        }
        verdict if verdict.fails() => {
            let reason = verdict.message().unwrap_or_default();
            term::warning(&format!("run again, it could not be judged: {reason}"));
            exit::NO
        }
        verdict => {
            let told = verdict.message().map_or_else(
                || "run again, it passes; now fill in its header: title, spec, level".to_owned(),
                |reason| format!("it was not run again: {reason}"),
            );
            term::note(&told);
            exit::DONE
        }
    }
}
