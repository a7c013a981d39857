//! One file for each command, and what they share.

mod check;
mod explain;
mod fmt;
mod list;
mod run;

use shardlab::error::exit;
use shardlab_conformance::diagnose::{Diagnosis, Style};
use shardlab_conformance::suite::{Broken, Case, LoadError, Origin, load};

use crate::cli::{Cli, Command};
use crate::term;

/// Runs the command; the exit code is the program's.
pub(crate) fn run(cli: Cli) -> u8 {
    let code = match cli.command {
        Command::Run(args) => run::run(&args),
        Command::List(args) => list::list(&args),
        Command::Explain(args) => explain::explain(&args),
        Command::Check(args) => check::check(&args),
        Command::Fmt(args) => fmt::fmt(&args),
    };
    code.unwrap_or_else(|code| code)
}

/// An exit code, either way: what failed has been told already.
type Code = Result<u8, u8>;

/// The transcripts, or every mistake in them, told.
fn cases(origin: &Origin) -> Result<Vec<Case>, u8> {
    load(origin).map_err(|error| told(&error))
}

fn told(error: &LoadError) -> u8 {
    if let LoadError::Broken(broken) = error {
        broken.iter().for_each(tell);
    }
    usage(error)
}

fn tell(broken: &Broken) {
    for error in &broken.errors {
        let picture = Diagnosis::of(error, &broken.path, &broken.source).render(Style::Coloured);
        term::note(&format!("{picture}\n"));
    }
}

fn usage(error: &impl ToString) -> u8 {
    term::error(&error.to_string(), None);
    exit::USAGE
}
