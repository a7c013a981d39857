//! The command line of `shardlab`, and the only place of the program that reads its environment.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use shardlab::plan::{Boot, FIRST_PORT, PortChoice, Setting};
use shardlab::slots::{SlotRange, SlotRanges};
use shardlab::state::Name;
use shardlab::{Error, Rung};

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
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Every node of every rung.
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
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
    /// Stops nodes; their data, ids, slots and ports are kept
    Stop(Nodes),
    /// Starts what has been stopped or has died
    Start(Start),
    /// Lists the clusters
    Ls(Json),
    /// Shows the nodes of a cluster and on which rung they stand
    Status(Json),
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
    /// Lists the servers that are here and that can be had
    Servers(Servers),
    /// Prints the completions of a shell
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Checks a server against the transcripts: `shardlab-conformance …`
    #[command(disable_help_flag = true)]
    Conformance {
        /// Its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
}

/// `--json`
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Json {
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
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

/// What a new cluster is to be like; absent options have defaults that differ between `up` and `run`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ClusterArgs {
    /// Number of masters [default: 3].
    #[arg(long, value_name = "N", help_heading = "Shape")]
    pub(crate) masters: Option<usize>,
    /// Replicas of each master: one number, or one for each [default: 1].
    #[arg(
        long,
        value_name = "N[,N…]",
        value_delimiter = ',',
        help_heading = "Shape"
    )]
    pub(crate) replicas: Option<Vec<usize>>,
    /// Slots of each master; several ranges of one are joined by `+` [default: evenly].
    #[arg(long, value_name = "A-B,C-D…", value_parser = slots, help_heading = "Shape")]
    pub(crate) slots: Option<SlotLists>,
    /// How the nodes become a cluster.
    #[arg(long, value_enum, help_heading = "Shape")]
    pub(crate) boot: Option<BootArg>,
    /// The server: a path, a program, valkey, redis, or product@version such as valkey@9.1.
    #[arg(
        long,
        value_name = "SPEC",
        env = "SHARDLAB_SERVER",
        help_heading = "Server"
    )]
    pub(crate) server: Option<String>,
    /// Fetch nothing.
    #[arg(long, help_heading = "Server")]
    pub(crate) offline: bool,
    /// A directive of node.conf, as often as needed.
    #[arg(long = "set", value_name = "KEY=VALUE", help_heading = "Server")]
    pub(crate) settings: Vec<String>,
    /// cluster-node-timeout [default: 5s].
    #[arg(long, value_name = "TIME", value_parser = node_timeout, help_heading = "Server")]
    pub(crate) node_timeout: Option<Duration>,
    /// Keep data in an append-only file [default for `up`].
    #[arg(long, conflicts_with = "ephemeral", help_heading = "Server")]
    pub(crate) persist: bool,
    /// Keep data in memory only [default for `run`].
    #[arg(long, help_heading = "Server")]
    pub(crate) ephemeral: bool,
    /// First client port, the others follow; or `auto` [default: 7001 for `up`, auto for `run`].
    #[arg(long, value_name = "PORT|auto", value_parser = port, conflicts_with = "ports", help_heading = "Network")]
    pub(crate) port: Option<PortChoice>,
    /// All client ports: those of the masters, then of the first replicas, ….
    #[arg(
        long,
        value_name = "PORT,…",
        value_delimiter = ',',
        help_heading = "Network"
    )]
    pub(crate) ports: Option<Vec<u16>>,
    /// Addresses to listen on, as often as needed [default: 127.0.0.1].
    #[arg(long, value_name = "ADDR", help_heading = "Network")]
    pub(crate) bind: Vec<IpAddr>,
    /// The address or host name that nodes tell clients.
    #[arg(long, value_name = "HOST", help_heading = "Network")]
    pub(crate) announce: Option<String>,
    /// The password of clients and replicas; better given in SHARDLAB_PASSWORD or a file.
    #[arg(
        long,
        value_name = "P",
        env = "SHARDLAB_PASSWORD",
        hide_env_values = true,
        help_heading = "Network"
    )]
    pub(crate) password: Option<String>,
    /// A file whose first line is the password.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "password",
        help_heading = "Network"
    )]
    pub(crate) password_file: Option<PathBuf>,
    /// Where the nodes' folders go [default: the cluster's folder in the state folder].
    #[arg(long, value_name = "DIR", help_heading = "Start")]
    pub(crate) dir: Option<PathBuf>,
    /// The rung to wait for.
    #[arg(
        long,
        value_enum,
        value_name = "RUNG",
        default_value = "visible",
        help_heading = "Start"
    )]
    pub(crate) wait: RungArg,
    /// How long the start may take.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration, help_heading = "Start")]
    pub(crate) timeout: Duration,
}

/// `--slots`, one set for each master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SlotLists(pub(crate) Vec<SlotRanges>);

/// `--boot`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BootArg {
    /// CLUSTER ADDSLOTS, MEET and REPLICATE
    Commands,
    /// Not at all: bare nodes
    None,
}

impl From<BootArg> for Boot {
    fn from(boot: BootArg) -> Self {
        match boot {
            BootArg::Commands => Self::Commands,
            BootArg::None => Self::None,
        }
    }
}

/// A rung of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RungArg {
    /// Every node answers
    Listening,
    /// Every node knows every other one, and all links are up
    Formed,
    /// `cluster_state` is ok everywhere
    Ok,
    /// Every replica's link to its master is up
    Replicas,
    /// CLUSTER SLOTS is the same and whole on every node
    Visible,
}

impl From<RungArg> for Rung {
    fn from(rung: RungArg) -> Self {
        match rung {
            RungArg::Listening => Self::Listening,
            RungArg::Formed => Self::Formed,
            RungArg::Ok => Self::Ok,
            RungArg::Replicas => Self::Replicas,
            RungArg::Visible => Self::Visible,
        }
    }
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
    /// Names or ports [default: all nodes].
    #[arg(value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
}

/// `start`
#[derive(Debug, Args)]
pub(crate) struct Start {
    /// Names or ports [default: all nodes that do not run].
    #[arg(value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    /// The rung to wait for when all nodes run.
    #[arg(long, value_enum, value_name = "RUNG", default_value = "visible")]
    pub(crate) wait: RungArg,
    /// How long the start may take.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `wait`
#[derive(Debug, Args)]
pub(crate) struct Wait {
    /// A rung (listening, formed, ok, replicas, visible) or NODE=master, NODE=replica; as often as needed.
    #[arg(long = "for", value_name = "RUNG|NODE=ROLE", default_value = "visible", value_parser = goal)]
    pub(crate) goals: Vec<Goal>,
    /// How long to wait.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    pub(crate) timeout: Duration,
}

/// What `wait` waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Goal {
    /// All nodes stand on a rung.
    Rung(Rung),
    /// A node says that it is a master or a replica.
    Role(String, shardlab::plan::Role),
}

/// `env`
#[derive(Debug, Args)]
pub(crate) struct Env {
    /// How it is written.
    #[arg(long, value_enum, default_value = "sh")]
    pub(crate) shell: ShellArg,
}

/// `--shell`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShellArg {
    /// export A='b', for sh, bash and zsh
    Sh,
    /// set -gx A 'b'
    Fish,
    /// A="b"
    Dotenv,
    /// {"A": "b"}
    Json,
}

/// `call`
#[derive(Debug, Args)]
pub(crate) struct Call {
    /// Ask every node that is a master now.
    #[arg(long, conflicts_with = "replicas")]
    pub(crate) masters: bool,
    /// Ask every node that is a replica now.
    #[arg(long)]
    pub(crate) replicas: bool,
    #[command(flatten)]
    pub(crate) json: Json,
    /// The command and its arguments; in front of it a node's name or port may stand.
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "[NODE] CMD"
    )]
    pub(crate) command: Vec<String>,
}

/// `cli`
#[derive(Debug, Args)]
pub(crate) struct CliArgs {
    /// A node's name or port, and arguments for redis-cli [default: n1].
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "[NODE] ARGS"
    )]
    pub(crate) args: Vec<OsString>,
}

/// `logs`
#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// Names or ports [default: all nodes].
    #[arg(value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    /// Go on as the logs grow.
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Only so many of the last lines of each.
    #[arg(long, value_name = "N")]
    pub(crate) lines: Option<usize>,
}

/// `servers`
#[derive(Debug, Args)]
pub(crate) struct Servers {
    /// What to do with them; without it they are listed.
    #[command(subcommand)]
    pub(crate) command: Option<ServersCommand>,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `servers …`
#[derive(Debug, Subcommand)]
pub(crate) enum ServersCommand {
    /// Fetches a server into the cache
    Install {
        /// valkey, redis, or product@version
        spec: String,
        /// Accept a licence that restricts the server's use.
        #[arg(long)]
        accept_licence: bool,
    },
}

impl ClusterArgs {
    /// The settings, parsed.
    pub(crate) fn settings(&self) -> Result<Vec<Setting>, Error> {
        self.settings
            .iter()
            .map(|text| Ok(Setting::parse(text)?))
            .collect()
    }

    /// The password, from wherever it was given.
    pub(crate) fn password(&self) -> Result<Option<String>, Error> {
        let Some(file) = &self.password_file else {
            return Ok(self.password.clone());
        };
        let text = std::fs::read_to_string(file).map_err(|source| Error::Io {
            action: "read",
            path: file.clone(),
            source,
        })?;
        Ok(Some(text.lines().next().unwrap_or_default().to_owned()))
    }

    /// Which ports were asked for, if any.
    pub(crate) fn port_choice(&self) -> Option<PortChoice> {
        self.port
            .clone()
            .or_else(|| self.ports.clone().map(PortChoice::List))
    }
}

fn name(text: &str) -> Result<Name, String> {
    text.parse().map_err(|error: Error| error.to_string())
}

fn port(text: &str) -> Result<PortChoice, String> {
    if text == "auto" {
        return Ok(PortChoice::Auto);
    }
    text.parse()
        .map(PortChoice::From)
        .map_err(|_| format!("expected a port such as {FIRST_PORT}, or `auto`"))
}

fn slots(text: &str) -> Result<SlotLists, String> {
    let mut offset = 0;
    let mut lists = Vec::new();
    for item in text.split(',') {
        let ranges = item.split('+').map(|range| {
            let parsed = range.parse::<SlotRange>();
            let at = offset;
            offset += range.len() + 1;
            parsed.map_err(|error| {
                format!(
                    "at byte {}: expected {}, found `{}`",
                    at + error.offset,
                    error.expected,
                    error.found
                )
            })
        });
        lists.push(ranges.collect::<Result<_, _>>()?);
    }
    Ok(SlotLists(lists))
}

/// The server counts in whole milliseconds; below 20 ms no local cluster holds together.
fn node_timeout(text: &str) -> Result<Duration, String> {
    let timeout =
        humantime::parse_duration(text).map_err(|error| format!("{error}; write 5s or 500ms"))?;
    if (Duration::from_millis(20)..=Duration::from_secs(86_400)).contains(&timeout) {
        Ok(timeout)
    } else {
        Err("expected a time from 20ms to 1day".to_owned())
    }
}

fn goal(text: &str) -> Result<Goal, String> {
    use shardlab::plan::Role;
    if let Some((node, role)) = text.split_once('=') {
        let role = match role {
            "master" => Role::Master,
            "replica" => Role::Replica,
            other => {
                return Err(format!(
                    "`{other}` is no role; a node is `master` or `replica`"
                ));
            }
        };
        return Ok(Goal::Role(node.to_owned(), role));
    }
    let rung = Rung::ALL.into_iter().find(|rung| rung.name() == text);
    rung.map(Goal::Rung).ok_or_else(|| {
        let names = Rung::ALL.map(Rung::name).join(", ");
        format!("`{text}` is no rung; the rungs are {names}, and NODE=master or NODE=replica waits for a role")
    })
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
    fn slots_name_the_byte_that_is_wrong() {
        assert_eq!(
            slots("0-1+5,2-4")
                .unwrap()
                .0
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>(),
            ["0-1,5", "2-4"]
        );
        assert!(slots("0-1,2-x").unwrap_err().starts_with("at byte 6:"));
        assert!(
            slots("0-5460,5461-16384")
                .unwrap_err()
                .starts_with("at byte 12:")
        );
    }

    #[test]
    fn a_goal_is_a_rung_or_a_role() {
        assert_eq!(goal("ok"), Ok(Goal::Rung(Rung::Ok)));
        assert_eq!(
            goal("r1=master"),
            Ok(Goal::Role("r1".to_owned(), shardlab::plan::Role::Master))
        );
        assert!(goal("okay").unwrap_err().contains("listening, formed, ok"));
        assert!(
            goal("r1=slave")
                .unwrap_err()
                .contains("`master` or `replica`")
        );
    }
}
