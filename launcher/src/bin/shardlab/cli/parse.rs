//! Reading the command line.

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory as _, FromArgMatches as _};
use shardlab::machine::environment::is_set_to_nothing;

use super::Cli;
use super::groups::grouped;

impl Cli {
    /// The command line of this process. Variables that are set to nothing count as not set; an option
    /// with an empty value is refused.
    ///
    /// # Errors
    /// What there is to print instead of going on: what is wrong, the help, or the version.
    pub(crate) fn of_process() -> Result<Self, clap::Error> {
        let mut command = without_empty_variables(grouped(Self::command()));
        let matches = command.try_get_matches_from_mut(std::env::args_os())?;
        if let Some(argument) = empty_value(&command, &matches) {
            let message = format!("the value of '{argument}' is empty; give one, or leave it out");
            return Err(command.error(ErrorKind::InvalidValue, message));
        }
        let mut cli =
            Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
        cli.global.json = asks_for_json(&matches);
        Ok(cli)
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

/// Whether a command with `--json` was given it.
fn asks_for_json(matches: &ArgMatches) -> bool {
    let asked = |matches: &ArgMatches| matches!(matches.try_get_one("json"), Ok(Some(true)));
    asked(matches)
        || matches
            .subcommand()
            .is_some_and(|(_, below)| asks_for_json(below))
}

/// The first argument that was given a value that is empty or white space: it comes from a variable that
/// is not set, as in `--announce "$HOST"`, and would mean something else than no value.
fn empty_value(command: &Command, matches: &ArgMatches) -> Option<String> {
    let mut arguments = command.get_arguments();
    let empty = arguments.find(|argument| is_empty(argument, matches));
    let below = || {
        let (name, matches) = matches.subcommand()?;
        empty_value(command.find_subcommand(name)?, matches)
    };
    empty.map(ToString::to_string).or_else(below)
}

/// Whether it was given and holds an empty value. What another program is told (`call`, `cli`, `run`)
/// may be empty.
fn is_empty(argument: &Arg, matches: &ArgMatches) -> bool {
    let id = argument.get_id().as_str();
    let given = [ValueSource::CommandLine, ValueSource::EnvVariable];
    let is_blank =
        |value: &std::ffi::OsStr| value.to_str().is_some_and(|text| text.trim().is_empty());
    argument.get_action().takes_values()
        && !argument.is_trailing_var_arg_set()
        && !argument.is_last_set()
        && matches
            .value_source(id)
            .is_some_and(|source| given.contains(&source))
        && matches
            .get_raw(id)
            .is_some_and(|mut values| values.any(is_blank))
}
