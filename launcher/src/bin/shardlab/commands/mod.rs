//! One file for each command; here is the way in and the way out.

mod add_node;
mod call;
mod change;
mod check;
mod cli;
mod completions;
mod conformance;
mod del_node;
mod difference;
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
mod shape;
mod start;
mod status;
mod stop;
mod up;
mod wait;
mod watch;
mod wipe;
mod wish;

use shardlab::machine::interrupt::Interrupts;
use shardlab::state::Home;
use shardlab::{Error, exit};

use crate::cli::{Cli, Command};
use crate::term::Term;
use lab::{Lab, hint, name_option};

/// Runs the command; the exit code is the program's.
pub(crate) fn run(cli: Cli) -> u8 {
    let Cli { command, global } = cli;
    let term = Term::new(global.quiet, global.verbose, global.json);
    let option = name_option(&global.name);
    let fail = |home: Option<&Home>, error: &Error| {
        let hint = home.map_or_else(|| error.hint(), |home| hint(home, error));
        let hint = hint.map(|hint| hints::with_option(&hint, &option));
        let code = error.exit_code();
        term.error(&error.to_string(), code, hint.as_deref());
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
    // These outlive their first signal: they pass it on, clean up first, or are ended by it.
    let command = match command {
        Command::Run(args) => return Ok(run::run(lab, args, interrupts).await),
        Command::Up(args) if args.foreground => return up::foreground(lab, args, interrupts).await,
        Command::Status(args) if args.watch => return watch::watch(lab, &args, interrupts).await,
        other => other,
    };
    let work = async {
        match command {
            Command::Up(args) => up::up(lab, args).await,
            Command::Run(_) => Ok(exit::BUG),
            Command::Down(args) => down::down(lab, &args).await,
            Command::Reap => reap::reap(&lab.home, &lab.global.name).await,
            Command::Stop(args) => stop::stop(lab, &args).await,
            Command::Start(args) => start::start(lab, &args).await,
            Command::Restart(args) => restart::restart(lab, &args).await,
            Command::Kill(args) => kill::kill(lab, &args).await,
            Command::Pause(args) => pause::pause(lab, &args).await,
            Command::Resume(args) => pause::resume(lab, &args).await,
            Command::Failover(args) => failover::failover(lab, &args).await,
            Command::Ls(args) => ls::ls(lab, args.json).await,
            Command::Status(args) => status::status(lab, args.json.json).await,
            Command::Wipe(args) => wipe::wipe(lab, &args).await,
            Command::Save(args) => save::save(lab, &args).await,
            Command::Wait(args) => wait::wait(lab, &args).await,
            Command::Env(args) => env::env(lab, args.shell).await,
            Command::Call(args) => call::call(lab, args).await,
            Command::Cli(args) => cli::cli(lab, &args.args).await,
            Command::Logs(args) => logs::logs(lab, &args).await,
            Command::AddNode(args) => add_node::add_node(lab, &args).await,
            Command::DelNode(args) => del_node::del_node(lab, &args).await,
            Command::Scale(args) => scale::scale(lab, &args).await,
            Command::Reshard(args) => reshard::reshard(lab, &args).await,
            Command::Rebalance(args) => rebalance::rebalance(lab, &args).await,
            Command::Check(args) => check::check(lab, &args).await,
            Command::Fix(args) => fix::fix(lab, &args).await,
            Command::Doctor(args) => doctor::doctor(lab, &args).await,
            Command::Servers(args) => servers::servers(lab, args).await,
            Command::Completions { shell } => Ok(completions::completions(lab, shell)),
            Command::Conformance { args } => conformance::conformance(args),
        }
    };
    tokio::select! {
        result = work => result,
        signal = interrupts.next() => Err(Error::Interrupted(signal)),
    }
}
