//! One file for each command; here is the way in and the way out.

mod add_node;
mod builder;
mod call;
mod change;
mod check;
mod cli;
mod completions;
mod conformance;
mod del_node;
mod doctor;
mod down;
mod env;
mod failover;
mod fix;
mod hints;
mod kill;
mod lab;
mod logs;
mod ls;
mod moving;
mod pause;
mod reap;
mod rebalance;
mod report;
mod reshard;
mod restart;
mod run;
mod save;
mod scale;
mod servers;
mod start;
mod status;
mod stop;
mod up;
mod wait;
mod watch;
mod wipe;

use shardlab::machine::interrupt::Interrupts;
use shardlab::state::Home;
use shardlab::{Error, exit};

use crate::cli::{Cli, Command, OtherCommand};
use crate::term::Term;
use lab::Lab;

/// Runs the command; the exit code is the program's.
pub(crate) fn run(cli: Cli) -> u8 {
    let Cli { command, global } = cli;
    let term = Term::new(global.quiet, global.verbose, global.json);
    let name = global.name.clone();
    let fail = |home: Option<&Home>, error: &Error| {
        let hint = hints::of(error, home, &name);
        let code = exit::of(error.kind());
        term.error(&hints::message(error, &name), code, hint.as_deref());
        code
    };
    let bug = |error: std::io::Error| {
        let text = format!("the runtime does not start: {error}");
        term.error(&text, exit::BUG, None);
        exit::BUG
    };
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return bug(error),
    };
    runtime.block_on(async {
        let mut interrupts = match Interrupts::listen() {
            Ok(interrupts) => interrupts,
            Err(error) => return bug(error),
        };
        let home = match &global.home {
            Some(home) => std::path::absolute(home)
                .map(Home::at)
                .map_err(|source| Error::Io {
                    action: "find",
                    path: home.clone(),
                    source,
                }),
            None => Home::usual(),
        };
        let lab = match home {
            Ok(home) => Lab {
                global,
                home,
                term: &term,
            },
            Err(error) => return fail(None, &error),
        };
        let code = dispatch(&lab, command, &mut interrupts)
            .await
            .unwrap_or_else(|error| fail(Some(&lab.home), &error));
        match term.loss() {
            None => code,
            Some(error) => {
                let code = if code == exit::DONE {
                    exit::ENVIRONMENT
                } else {
                    code
                };
                let text = format!("cannot write to standard output: {error}");
                term.error(&text, code, None);
                code
            }
        }
    })
}

async fn dispatch(
    lab: &Lab<'_>,
    command: Command,
    interrupts: &mut Interrupts,
) -> Result<u8, Error> {
    match command {
        // These outlive their first signal: they pass it on, clean up first, or are ended by it.
        Command::Run(args) => Ok(run::run(lab, args, interrupts).await),
        Command::Up(args) if args.foreground => up::foreground(lab, args, interrupts).await,
        Command::Status(args) if args.watch => watch::watch(lab, &args, interrupts).await,
        Command::Up(args) => or_interrupted(Box::pin(up::up(lab, args)), interrupts).await,
        Command::Status(args) => or_interrupted(status::status(lab, args.json), interrupts).await,
        Command::Other(command) => or_interrupted(Box::pin(other(lab, command)), interrupts).await,
    }
}

async fn or_interrupted(
    work: impl Future<Output = Result<u8, Error>>,
    interrupts: &mut Interrupts,
) -> Result<u8, Error> {
    tokio::select! {
        result = work => result,
        signal = interrupts.next() => Err(Error::Interrupted(signal)),
    }
}

async fn other(lab: &Lab<'_>, command: OtherCommand) -> Result<u8, Error> {
    use OtherCommand as Other;
    match command {
        Other::Down(args) => down::down(lab, &args).await,
        Other::Reap => reap::reap(&lab.home, &lab.global.name).await,
        Other::Stop(args) => stop::stop(lab, &args).await,
        Other::Start(args) => start::start(lab, &args).await,
        Other::Restart(args) => restart::restart(lab, &args).await,
        Other::Kill(args) => kill::kill(lab, &args).await,
        Other::Pause(args) => pause::pause(lab, &args).await,
        Other::Resume(args) => pause::resume(lab, &args).await,
        Other::Failover(args) => failover::failover(lab, &args).await,
        Other::Ls(args) => ls::ls(lab, args.json).await,
        Other::Wipe(args) => wipe::wipe(lab, &args).await,
        Other::Save(args) => save::save(lab, &args).await,
        Other::Wait(args) => wait::wait(lab, &args).await,
        Other::Env(args) => env::env(lab, args.shell).await,
        Other::Call(args) => call::call(lab, args).await,
        Other::Cli(args) => cli::cli(lab, &args.args).await,
        Other::Logs(args) => logs::logs(lab, &args).await,
        Other::AddNode(args) => add_node::add_node(lab, &args).await,
        Other::DelNode(args) => del_node::del_node(lab, &args).await,
        Other::Scale(args) => scale::scale(lab, &args).await,
        Other::Reshard(args) => reshard::reshard(lab, &args).await,
        Other::Rebalance(args) => rebalance::rebalance(lab, &args).await,
        Other::Check(args) => check::check(lab, &args).await,
        Other::Fix(args) => fix::fix(lab, &args).await,
        Other::Doctor(args) => doctor::doctor(lab, &args).await,
        Other::Servers(args) => servers::servers(lab, args).await,
        Other::Completions { shell } => Ok(completions::completions(lab, shell)),
        Other::Conformance { args } => conformance::conformance(args),
    }
}
