//! The command line of `shardlab`, and the only place of the program that reads its environment.

mod break_args;
mod cluster_args;
mod common;
mod groups;
mod keep_args;
mod look_args;
mod member_args;
mod mend_args;
mod parse;
mod reshape_args;
mod shape_args;
mod topology_args;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use shardlab::state::Name;

pub(crate) use break_args::{Failover, Kill, ModeArg, Pause, Restart, Resume};
pub(crate) use cluster_args::ClusterArgs;
pub(crate) use common::{Json, RungArg};
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

const EXIT_CODES: &str = "Exit codes: 0 done, 1 the answer is no, 2 usage, 3 environment (no server, port taken, …), \
4 not ready in time, 70 a bug. `run` ends with CMD's code; its own are 125, 126 and 127.";

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Which cluster.
    #[arg(short, long, global = true, value_name = "NAME", default_value = "default", env = "SHARDLAB_NAME", value_parser = name)]
    pub(crate) name: Name,
    /// Where clusters are remembered [default: shardlab in the XDG state folder].
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "SHARDLAB_HOME",
        hide = true
    )]
    pub(crate) home: Option<PathBuf>,
    /// Nothing but data and errors.
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "verbose",
        overrides_with = "quiet"
    )]
    pub(crate) quiet: bool,
    /// Every node of every rung.
    #[arg(short, long, global = true, overrides_with = "verbose")]
    pub(crate) verbose: bool,
    /// Whether the command has `--json`, and was given it.
    #[arg(skip)]
    pub(crate) json: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Starts a cluster and waits until it is ready
    Up(Up),
    /// Runs CMD with a private cluster that is gone when CMD ends
    Run(Run),
    /// Removes a cluster with its data
    Down(Down),
    /// Removes a private cluster once its owner is gone; started by commands that start nodes in one
    #[command(hide = true)]
    Reap,
    /// Stops nodes; their data, ids, slots and ports are kept
    Stop(Nodes),
    /// Starts what has been stopped or has died
    Start(Start),
    /// Makes nodes forget data and cluster; configs and ports are kept
    Wipe(Wipe),
    /// Writes a cluster with its data to a file, for `up --from FILE`
    Save(Save),
    /// Stops nodes and starts them again with their data
    Restart(Restart),
    /// Sends a signal to nodes, SIGKILL unless told otherwise
    Kill(Kill),
    /// Freezes nodes: they keep their connections and answer nobody
    Pause(Pause),
    /// Lets paused nodes go on
    Resume(Resume),
    /// Makes another node the master of a shard, and tells what happened when
    Failover(Failover),
    /// Lists the clusters
    Ls(Json),
    /// Shows the nodes of a cluster and on which rung they stand
    Status(Status),
    /// Waits for a rung, or for a node to have a role
    Wait(Wait),
    /// Prints how to reach the cluster, for a shell or a file
    Env(Env),
    /// Sends a command; follows MOVED and ASK unless a node is named
    Call(Call),
    /// Opens redis-cli or valkey-cli
    Cli(CliArgs),
    /// Prints the logs of the nodes
    Logs(Logs),
    /// Adds a node: a master without slots, or a replica
    AddNode(AddNodeArgs),
    /// Deletes a node; a master's slots go to the others first
    DelNode(DelNodeArgs),
    /// Makes it so many masters with so many replicas each
    Scale(ScaleArgs),
    /// Moves slots, with their keys, to one master
    Reshard(ReshardArgs),
    /// Moves slots so that every master has its share
    Rebalance(RebalanceArgs),
    /// Checks coverage, open slots, agreement, epochs, replicas and links; ends with 1 on findings
    Check(Check),
    /// Mends what `check` finds: open and uncovered slots, keys astray, nodes that disagree
    Fix(Fix),
    /// Tells what is wrong in the state folder: damaged records, servers that nobody owns, locks; `--fix` mends it
    Doctor(Doctor),
    /// Lists the servers that are here and that can be had
    Servers(Servers),
    /// Prints the completions of a shell
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Checks a server against the transcripts: `shardlab-conformance …`
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
    /// Stay in front; the cluster is gone when this ends.
    #[arg(long)]
    pub(crate) foreground: bool,
    /// Show what would be started, and start nothing.
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
    /// The command and its arguments, behind `--`.
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

/// `down`
#[derive(Debug, Args)]
pub(crate) struct Down {
    /// All clusters but those of a `run` that goes on.
    #[arg(long)]
    pub(crate) all: bool,
}

/// `stop`
#[derive(Debug, Args)]
pub(crate) struct Nodes {
    /// Names, ports or beginnings of ids [default: all nodes].
    #[arg(value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `start`
#[derive(Debug, Args)]
pub(crate) struct Start {
    /// Names, ports or beginnings of ids [default: all nodes that do not run].
    #[arg(value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    /// The rung to wait for when all nodes run.
    #[arg(long, value_enum, value_name = "RUNG", default_value = "ready")]
    pub(crate) wait: RungArg,
    /// How long the start may take [default: 30s and more for many nodes].
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
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
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
