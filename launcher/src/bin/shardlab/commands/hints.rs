//! What helps, as the user of this program types it: parameters as options, commands about the cluster that
//! this command was about.

use shardlab::Error;
use shardlab::doctor::mend_of;
use shardlab::error::{Part, Text};
use shardlab::reshape::Intent;
use shardlab::state::{Home, Name};

/// What helps against the error of a command that was about this cluster; of state that is damaged, what mends
/// just that.
pub(super) fn of(error: &Error, home: Option<&Home>, cluster: &Name) -> Option<String> {
    let mend = match (error, home) {
        (Error::State { path, reason }, Some(home)) => mend_of(home, path, reason),
        _ => None,
    };
    let hint = mend.or_else(|| error.hint())?;
    Some(told(&hint, cluster))
}

/// What is wrong, by a command that was about this cluster.
pub(super) fn message(error: &Error, cluster: &Name) -> String {
    told(&error.message(), cluster)
}

/// The text of a command that was about this cluster.
pub(super) fn told(hint: &Text, cluster: &Name) -> String {
    hint.parts()
        .iter()
        .map(|part| typed(part, cluster))
        .collect()
}

/// The command by which the same is asked for again.
pub(super) fn command(intent: &Intent, cluster: &Name) -> String {
    let ticked = typed(&Part::from(intent), cluster);
    ticked.trim_matches('`').to_owned()
}

fn typed(part: &Part, cluster: &Name) -> String {
    match part {
        Part::Command(command) if !is_usual(cluster) => {
            format!("`{}`", command.clone().named(cluster))
        }
        part => part.typed(),
    }
}

/// Whether a command that names no cluster is about this one.
pub(super) fn is_usual(cluster: &Name) -> bool {
    cluster.as_str() == "default"
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory as _;
    use shardlab::error::Parameter;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn a_hint_has_options_and_says_which_cluster_is_meant() {
        let late = Error::NoReply {
            node: "n1".to_owned(),
            command: "BLPOP".to_owned(),
            waited: None,
        };
        let hint = late.hint().unwrap();
        for (cluster, command) in [("default", "status"), ("x", "status -n x")] {
            let expected = format!(
                "`shardlab {command}` shows whether `n1` is paused; if a long command keeps it busy, `--timeout none` waits"
            );
            assert_eq!(told(&hint, &cluster.parse().unwrap()), expected);
        }
    }

    #[test]
    fn every_parameter_is_an_option() {
        let cli = Cli::command();
        let commands = cli.get_subcommands();
        let commands =
            commands.flat_map(|command| std::iter::once(command).chain(command.get_subcommands()));
        let options: BTreeSet<_> = commands
            .chain([&cli])
            .flat_map(clap::Command::get_arguments)
            .flat_map(|argument| {
                let long = argument.get_long_and_visible_aliases().unwrap_or_default();
                let short = argument.get_short().map(|short| format!("-{short}"));
                let long = long.into_iter().map(|long| format!("--{long}"));
                long.chain(short).collect::<Vec<_>>()
            })
            .collect();
        for parameter in Parameter::ALL {
            assert!(options.contains(&parameter.option()), "{parameter:?}");
        }
    }
}
