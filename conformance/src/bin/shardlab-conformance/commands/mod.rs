//! One file for each command; `failure` tells what goes wrong in any of them.

mod bless;
mod check;
mod explain;
mod failure;
mod fmt;
mod leaving;
mod list;
mod live;
mod matrix;
mod new;
mod record;
mod run;
mod subject;
mod written;

use crate::cli::{Cli, Command};
use crate::term;

/// Runs the command; the exit code is the program's.
pub(crate) fn run(cli: Cli) -> u8 {
    let json = match &cli.command {
        Command::Run(args) => args.json,
        Command::List(args) => args.json,
        Command::Matrix(_)
        | Command::New(_)
        | Command::Bless(_)
        | Command::Record(_)
        | Command::Explain(_)
        | Command::Check(_)
        | Command::Fmt(_) => false,
    };
    let code = match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Matrix(args) => matrix::run(&args),
        Command::List(args) => list::list(&args),
        Command::Explain(args) => explain::explain(&args),
        Command::New(args) => new::new(&args),
        Command::Bless(args) => bless::bless(&args),
        Command::Record(args) => record::record(&args),
        Command::Check(args) => check::check(&args),
        Command::Fmt(args) => fmt::fmt(&args),
    };
    code.unwrap_or_else(|failure| {
        term::error(&failure, json);
        failure.code
    })
}
