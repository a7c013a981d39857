//! The list of commands in groups, as `shardlab --help` shows it.

use clap::Command;

/// The commands by what they are for; each is in one group.
const GROUPS: [(&str, &[&str]); 7] = [
    (
        "Start and stop",
        &["up", "run", "stop", "start", "restart", "down"],
    ),
    ("Look", &["ls", "status", "wait", "env", "logs"]),
    ("Talk", &["call", "cli"]),
    ("Break", &["kill", "pause", "resume", "failover"]),
    (
        "Reshape",
        &[
            "add-node",
            "del-node",
            "scale",
            "reshard",
            "rebalance",
            "check",
            "fix",
        ],
    ),
    ("Keep and undo", &["save", "wipe"]),
    (
        "More",
        &["doctor", "conformance", "servers", "completions", "help"],
    ),
];

/// The same command line, whose help shows the commands in groups.
pub(super) fn grouped(command: Command) -> Command {
    let groups = GROUPS.map(|(title, names)| group(&command, title, names));
    let template = format!(
        "{{before-help}}{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}\n\
         Options:\n{{options}}{{after-help}}",
        groups.join("\n")
    );
    command.help_template(template)
}

fn group(command: &Command, title: &str, names: &[&str]) -> String {
    let lines = names.iter().map(|name| {
        let about = command.find_subcommand(name).and_then(Command::get_about);
        let about = about.map_or_else(|| HELP.to_owned(), ToString::to_string);
        format!("  {name:<WIDTH$}  {about}\n")
    });
    format!("{title}:\n{}", lines.collect::<String>())
}

/// Of the longest name.
const WIDTH: usize = 11;
/// `help` is added by clap, after this.
const HELP: &str = "Print the help of a command";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::CommandFactory as _;

    #[test]
    fn every_command_is_in_one_group() {
        let mut listed: Vec<_> = GROUPS.iter().flat_map(|(_, names)| *names).collect();
        listed.sort_unstable();
        let command = Cli::command();
        let mut there: Vec<_> = command
            .get_subcommands()
            .filter(|one| !one.is_hide_set())
            .map(Command::get_name)
            .collect();
        there.push("help");
        there.sort_unstable();
        assert_eq!(listed, there.iter().collect::<Vec<_>>());
        assert!(there.iter().all(|name| name.len() <= WIDTH));
    }
}
