//! Reading the command line.

use clap::{Command, CommandFactory as _, FromArgMatches as _};
use shardlab::environment::is_set_to_nothing;

use super::Cli;
use super::groups::grouped;

impl Cli {
    /// The command line of this process. Variables that are set to nothing count as not set.
    ///
    /// # Errors
    /// What there is to print instead of going on: what is wrong, the help, or the version.
    pub(crate) fn of_process() -> Result<Self, clap::Error> {
        let mut command = without_empty_variables(grouped(Self::command()));
        let matches = command.try_get_matches_from_mut(std::env::args_os())?;
        Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }
}

fn without_empty_variables(command: Command) -> Command {
    let command = command.mut_args(|argument| {
        if argument.get_env().is_some_and(is_set_to_nothing) {
            // There is no way to take it back; a variable without a name is never set.
            argument.env("").hide_env(true)
        } else {
            argument
        }
    });
    command.mut_subcommands(without_empty_variables)
}
