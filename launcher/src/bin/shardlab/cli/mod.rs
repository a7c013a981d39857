//! The command line of `shardlab`, and the only place of the program that reads its environment.

mod break_args;
mod cluster_args;
mod common;
mod compared;
mod examples;
mod groups;
mod keep_args;
mod look_args;
mod member_args;
mod mend_args;
mod parse;
mod reshape_args;
mod sentinel_args;
mod there;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use shardlab::Rung;
use shardlab::state::Name;

pub(crate) use break_args::{Failover, Kill, Pause, Restart, Resume};
pub(crate) use cluster_args::ClusterArgs;
pub(crate) use common::Json;
pub(crate) use keep_args::{Save, Wipe};
pub(crate) use look_args::{
    Call, CallTimeout, CliArgs, Env, Goal, Logs, Servers, ServersCommand, ShellArg, Status, Wait,
};
pub(crate) use member_args::{AddNodeArgs, DelNodeArgs, ScaleArgs, Show};
pub(crate) use mend_args::{Check, Doctor, Fix};
pub(crate) use reshape_args::{Moving, RebalanceArgs, ReshardArgs};

use common::time;

/// A real local Redis Cluster in one command: start it, look at it, break it, throw it away.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

const EXIT_CODES: &str = "\
`shardlab COMMAND --help` shows the options of a command.

Exit codes:
  0   done
  1   the answer is no: a fault was found, or a node replied with an error
  2   the command line, a name or a file is wrong
  3   the environment does not allow it: no server, a port is taken, …
  4   the cluster was not ready in time
  70  a bug
`run` exits with the code of its command; its own codes are 125, 126 and 127.";

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// The cluster's name.
    #[arg(short, long, global = true, value_name = "NAME", default_value = "default", env = "SHARDLAB_NAME", value_parser = name)]
    pub(crate) name: Name,
    /// The state folder [default: shardlab in the XDG state folder].
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "SHARDLAB_HOME",
        hide = true
    )]
    pub(crate) home: Option<PathBuf>,
    /// Print only results and errors.
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "verbose",
        overrides_with = "quiet"
    )]
    pub(crate) quiet: bool,
    /// Show the progress of each node.
    #[arg(short, long, global = true, overrides_with = "verbose")]
    pub(crate) verbose: bool,
    /// Whether the command has `--json`, and was given it.
    #[arg(skip)]
    pub(crate) json: bool,
}

/// The commands; those that may outlive a signal stand for themselves.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a cluster and wait until it is ready
    #[command(after_help = examples::UP)]
    Up(Up),
    /// Run a command with a private cluster, which is removed when the command ends
    #[command(after_help = examples::RUN)]
    Run(Run),
    /// Show the nodes of a cluster, and what it is waiting for if it is not ready
    Status(Status),
    #[command(flatten)]
    Other(OtherCommand),
}

/// Those that end at their first signal, whatever their options.
#[derive(Debug, Subcommand)]
pub(crate) enum OtherCommand {
    /// Remove a cluster and its data
    Down(Down),
    /// Remove a private cluster once its owner is gone; started by commands that start nodes in one
    #[command(hide = true)]
    Reap,
    /// Stop nodes; they keep their data, ids, slots and ports
    Stop(Nodes),
    /// Start nodes that are not running
    Start(Start),
    /// Erase the nodes' data and cluster state; keep their configs and ports
    Wipe(Wipe),
    /// Save a cluster and its data to a file, for `up --from FILE`
    Save(Save),
    /// Stop nodes and start them again with their data
    Restart(Restart),
    /// Send a signal to nodes, SIGKILL by default
    Kill(Kill),
    /// Freeze nodes: their connections stay open, but they answer nothing
    #[command(after_help = examples::PAUSE)]
    Pause(Pause),
    /// Resume paused nodes
    Resume(Resume),
    /// Make another node the master of a shard, and show what happened when
    #[command(after_help = examples::FAILOVER)]
    Failover(Failover),
    /// List the clusters
    Ls(Json),
    /// Wait until a cluster is ready, or a node has a role
    #[command(after_help = examples::WAIT)]
    Wait(Wait),
    /// Print the cluster's addresses as environment variables
    #[command(after_help = examples::ENV)]
    Env(Env),
    /// Send a command; follow MOVED and ASK unless a node is named
    #[command(after_help = examples::CALL)]
    Call(Call),
    /// Open redis-cli or valkey-cli
    #[command(after_help = examples::CLI)]
    Cli(CliArgs),
    /// Print the logs of the nodes
    #[command(after_help = examples::LOGS)]
    Logs(Logs),
    /// Add a node: a master without slots, or a replica
    #[command(after_help = examples::ADD_NODE)]
    AddNode(AddNodeArgs),
    /// Delete a node; a master's slots move to the other masters first
    DelNode(DelNodeArgs),
    /// Change the number of masters and of replicas
    #[command(after_help = examples::SCALE)]
    Scale(ScaleArgs),
    /// Move slots and their keys to one master
    #[command(after_help = examples::RESHARD)]
    Reshard(ReshardArgs),
    /// Move slots until every master has its share
    #[command(after_help = examples::REBALANCE)]
    Rebalance(RebalanceArgs),
    /// Look for faults: slots, epochs, replicas and links; exit with 1 if there are any
    Check(Check),
    /// Repair what `check` finds
    Fix(Fix),
    /// Look for damage in the state folder; `--fix` repairs it
    Doctor(Doctor),
    /// List the servers that are installed, and those that can be installed
    Servers(Servers),
    /// Print a completion script for a shell
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Test a server against the transcripts: `shardlab-conformance …`
    #[command(disable_help_flag = true, disable_version_flag = true)]
    Conformance {
        /// Its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
}

/// `up`
#[derive(Debug, Args)]
pub(crate) struct Up {
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// Stay in the foreground; remove the cluster when this command ends.
    #[arg(long)]
    pub(crate) foreground: bool,
    /// Show what would be started, but start nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `run`
#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// The command and its arguments, after `--`.
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

/// `down`
#[derive(Debug, Args)]
pub(crate) struct Down {
    /// Remove all clusters, except those of a `run` that is still going.
    #[arg(long)]
    pub(crate) all: bool,
}

/// `stop`
#[derive(Debug, Args)]
pub(crate) struct Nodes {
    /// Node names, ports or id prefixes [default: all nodes].
    #[arg(value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `start`
#[derive(Debug, Args)]
pub(crate) struct Start {
    /// Node names, ports or id prefixes [default: all nodes that are not running].
    #[arg(value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    /// How ready the cluster must be before the command returns.
    #[arg(long, value_enum, value_name = "RUNG", default_value = "ready")]
    pub(crate) wait: Rung,
    /// How long the start may take [default: 30s, more with many nodes].
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) timeout: Option<Duration>,
    #[command(flatten)]
    pub(crate) json: Json,
}

fn name(text: &str) -> Result<Name, String> {
    text.parse::<Name>().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, ValueEnum};
    use shardlab::plan::{Boot, Mode, Shape, Topology};

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    /// Words of the command line, and the same as the library writes them.
    fn words<T: ValueEnum + ToString>() -> Vec<[String; 2]> {
        let word = |value: &T| value.to_possible_value().unwrap().get_name().to_owned();
        let values = T::value_variants().iter();
        values
            .map(|value| [word(value), value.to_string()])
            .collect()
    }

    #[test]
    fn a_word_is_the_same_on_the_command_line_and_in_the_output() {
        let all = [
            words::<Boot>(),
            words::<Mode>(),
            words::<Rung>(),
            words::<Shape>(),
            words::<Topology>(),
        ];
        for [typed, shown] in all.concat() {
            assert_eq!(typed, shown);
        }
    }

    #[test]
    fn every_wait_takes_the_old_name_of_ready_and_shows_the_new_one() {
        for command in ["up", "start", "restart"] {
            for word in ["visible", "ready"] {
                let parsed = Cli::try_parse_from(["shardlab", command, "--wait", word]);
                assert!(parsed.is_ok(), "{command} --wait {word}: {parsed:?}");
            }
            let mut all = Cli::command();
            let help = all.find_subcommand_mut(command).unwrap().render_long_help();
            let help = help.to_string();
            assert!(help.contains("[default: ready]"), "{help}");
            assert!(!help.contains("visible"), "{help}");
        }
    }
}
