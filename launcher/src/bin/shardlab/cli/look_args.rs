//! The arguments of the commands that look at a cluster, wait for it and talk to it.

use std::ffi::OsString;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use shardlab::Rung;
use shardlab::plan::Role;

use super::common::{Json, time};

/// `status`
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Show the status again and again, until Ctrl-C.
    #[arg(long)]
    pub(crate) watch: bool,
    /// How often, between 100ms and 1h.
    #[arg(long, value_name = "TIME", default_value = "1s", requires = "watch", value_parser = every)]
    pub(crate) every: Duration,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `wait`
#[derive(Debug, Args)]
pub(crate) struct Wait {
    /// How ready the cluster must be: listening, formed, ok, replicas or ready; or NODE=master,
    /// NODE=replica; may be repeated.
    #[arg(long = "for", value_name = "RUNG|NODE=ROLE", default_value = "ready", value_parser = goal)]
    pub(crate) goals: Vec<Goal>,
    /// How long to wait.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = time)]
    pub(crate) timeout: Duration,
}

/// What `wait` waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Goal {
    /// All nodes stand on a rung.
    Rung(Rung),
    /// A node says that it is a master or a replica.
    Role(String, Role),
}

/// `env`
#[derive(Debug, Args)]
pub(crate) struct Env {
    /// The format.
    #[arg(long, value_enum, default_value = "sh")]
    pub(crate) shell: ShellArg,
}

/// `--shell`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShellArg {
    /// export A='b' (sh, bash, zsh)
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
    /// Send the command to every current master.
    #[arg(long, conflicts_with = "replicas")]
    pub(crate) masters: bool,
    /// Send the command to every current replica.
    #[arg(long)]
    pub(crate) replicas: bool,
    /// How long to wait for the reply, or `none` for no limit [default: as long as the node answers others].
    #[arg(long, value_name = "TIME|none", value_parser = call_timeout)]
    pub(crate) timeout: Option<CallTimeout>,
    #[command(flatten)]
    pub(crate) json: Json,
    /// A node's name or port, if one is meant; then the command and its arguments. Options go first.
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "[NODE] CMD"
    )]
    pub(crate) command: Vec<String>,
}

/// `call --timeout`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallTimeout {
    /// So long.
    After(Duration),
    /// As long as it takes.
    Never,
}

/// `cli`
#[derive(Debug, Args)]
pub(crate) struct CliArgs {
    /// A node's name or port [default: n1]; then arguments for redis-cli or valkey-cli.
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
    /// Node names, ports or id prefixes [default: all nodes].
    #[arg(value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    /// Print new lines as they are written, until Ctrl-C.
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Print only the last N lines of each log.
    #[arg(long, value_name = "N", value_parser = lines)]
    pub(crate) lines: Option<usize>,
}

/// `servers`
#[derive(Debug, Args)]
pub(crate) struct Servers {
    /// What to do; without a command, list the servers.
    #[command(subcommand)]
    pub(crate) command: Option<ServersCommand>,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `servers …`
#[derive(Debug, Subcommand)]
pub(crate) enum ServersCommand {
    /// Download a server into the cache
    Install {
        /// `valkey`, `redis`, or a version such as `valkey@9.1`.
        spec: String,
        /// Accept a licence that restricts how the server may be used.
        #[arg(long)]
        accept_licence: bool,
    },
}

fn lines(text: &str) -> Result<usize, String> {
    let expected = |_| "expected a number of lines, such as `20`".to_owned();
    text.parse().map_err(expected)
}

/// A time; 0 is no limit, as for commands that block.
fn call_timeout(text: &str) -> Result<CallTimeout, String> {
    if matches!(text, "none" | "0") {
        return Ok(CallTimeout::Never);
    }
    match time(text) {
        Ok(Duration::ZERO) => Ok(CallTimeout::Never),
        Ok(timeout) => Ok(CallTimeout::After(timeout)),
        Err(expected) => Err(format!("{expected}, or `none`")),
    }
}

fn every(text: &str) -> Result<Duration, String> {
    let every = time(text)?;
    if (Duration::from_millis(100)..=Duration::from_secs(3600)).contains(&every) {
        Ok(every)
    } else {
        Err("expected a time from 100ms to 1h".to_owned())
    }
}

fn goal(text: &str) -> Result<Goal, String> {
    if let Some((node, role)) = text.split_once('=') {
        let role = match role {
            "master" => Role::Master,
            "replica" => Role::Replica,
            other => {
                return Err(format!(
                    "`{other}` is not a role; a node is `master` or `replica`"
                ));
            }
        };
        return Ok(Goal::Role(node.to_owned(), role));
    }
    Rung::from_str(text, false).map(Goal::Rung).map_err(|_| {
        let names = Rung::ALL.map(Rung::name).join(", ");
        format!(
            "`{text}` cannot be waited for; expected one of {names}, or NODE=master or NODE=replica"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_may_be_waited_for_without_an_end() {
        let second = Duration::from_secs(1);
        assert_eq!(call_timeout("1s"), Ok(CallTimeout::After(second)));
        for never in ["none", "0", "0s"] {
            assert_eq!(call_timeout(never), Ok(CallTimeout::Never), "{never}");
        }
        assert!(call_timeout("1").unwrap_err().ends_with("`5m`, or `none`"));
    }

    #[test]
    fn scripts_may_still_say_visible_for_ready() {
        assert_eq!(goal("visible"), goal("ready"));
        assert_eq!(goal("visible"), Ok(Goal::Rung(Rung::Ready)));
        assert!(!goal("okay").unwrap_err().contains("visible"));
    }

    #[test]
    fn a_goal_is_a_rung_or_a_role() {
        assert_eq!(goal("ok"), Ok(Goal::Rung(Rung::Ok)));
        assert_eq!(goal("ready"), Ok(Goal::Rung(Rung::Ready)));
        assert_eq!(
            goal("r1=master"),
            Ok(Goal::Role("r1".to_owned(), Role::Master))
        );
        assert!(goal("okay").unwrap_err().contains("listening, formed, ok"));
        assert!(
            goal("r1=slave")
                .unwrap_err()
                .contains("`master` or `replica`")
        );
    }
}
