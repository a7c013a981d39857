//! What can go wrong for a user, with its kind and the next step for each.

pub(crate) mod archive;
mod context;
mod died;
#[doc(hidden)]
pub mod exit;
pub(crate) mod failover;
mod hints;
mod kind;
pub(crate) mod members;
pub(crate) mod node;
mod not_ready;
pub(crate) mod port;
pub(crate) mod reshape;
mod server;
pub(crate) mod wish;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

use self::archive::ArchiveError;
use self::died::last_words;
use self::failover::FailoverError;
use self::members::MemberError;
use self::node::NodeError;
use self::port::{Holder, PortRole};
use self::reshape::MoveError;
use self::wish::WishError;
use crate::config::directive::SettingError;
use crate::machine::message::text;
use crate::machine::signal::Signal;
use crate::machine::text::counted;
use crate::plan::shape::ShapeError;
use crate::plan::{Name, NameError, PlanError};
use crate::server::{ProfileError, ServerError, SpecError};
use crate::wire::client::ClientError;

#[doc(inline)]
pub use crate::machine::message::{Command, Part, Text};
#[doc(inline)]
pub use crate::machine::parameter::Parameter;
pub(crate) use context::IoContext;
pub(crate) use died::data_damage;
pub use kind::ErrorKind;
pub use not_ready::NotReady;

/// Everything that the launcher reports as an error.
///
/// ```
/// use shardlab::Cluster;
/// use shardlab::error::ErrorKind;
///
/// let refused = Cluster::builder().masters(0).start_blocking().unwrap_err();
/// assert_eq!(refused.to_string(), "a cluster needs at least 1 master; 0 were asked for");
/// assert_eq!(refused.kind(), ErrorKind::Request);
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// Numbers, ports or slots that make no cluster.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A shape that cannot be had together with other options.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// A setting that cannot be.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// A node that cannot come or go.
    #[error(transparent)]
    Member(#[from] MemberError),
    /// A server that is asked for in words that mean none.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A profile that cannot be used.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// A cluster's name that cannot be a folder's.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A node that the cluster does not have.
    #[error("the cluster `{cluster}` has no node `{node}`; its nodes are {nodes}")]
    NoNode {
        /// The cluster.
        cluster: Name,
        /// What was asked for.
        node: String,
        /// The names that there are.
        nodes: String,
    },
    /// A node that cannot be what it is named for.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// A shard that cannot fail over, or did not.
    #[error(transparent)]
    Failover(#[from] FailoverError),
    /// `up` on a cluster that was started differently.
    #[error("the cluster `{name}` already exists with other options: {differences}")]
    Differs {
        /// The cluster.
        name: Name,
        /// What is so instead, as in "`--masters` is 3".
        differences: String,
    },
    /// Something that the server is too old for, or that contradicts what else was asked for.
    #[error("{0}")]
    Unsupported(Text),
    /// Saving a cluster, or starting one from an archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The server could not be found, identified or fetched.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// There is such a cluster already.
    #[error("the cluster `{0}` already exists")]
    Exists(Name),
    /// There is no such cluster.
    #[error("the cluster `{0}` does not exist")]
    NoCluster(Name),
    /// The cluster is there, but not running.
    #[error("the cluster `{0}` is not running")]
    NotRunning(Name),
    /// A launcher was killed before the cluster was whole.
    #[error("the start of the cluster `{0}` was interrupted before it finished")]
    Unfinished(Name),
    /// A `down` was killed before it was done.
    #[error("the removal of the cluster `{0}` was interrupted")]
    HalfRemoved(Name),
    /// Another command works on the cluster.
    #[error(
        "another shardlab command is working on the cluster `{name}` and has not finished in time"
    )]
    Busy {
        /// The cluster.
        name: Name,
    },
    /// Other commands choose ports for ever.
    #[error("the lock `{path}` was held by other shardlab commands until time ran out")]
    PortsBusy {
        /// The lock file.
        path: PathBuf,
    },
    /// Neither `HOME` nor an XDG folder is known.
    #[error("no home folder is known, so clusters cannot be recorded")]
    NoHome,
    /// A state file that is damaged, gone, or not ours to understand.
    #[error("`{path}` cannot be used: {reason}")]
    State {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A port that somebody else has.
    #[error("port {port}, the {role} of node `{node}`, is taken{}", held_by(holder.as_ref()))]
    PortTaken {
        /// The port.
        port: u16,
        /// Client or bus.
        role: PortRole,
        /// The node that was to have it.
        node: String,
        /// Who has it, where that can be known.
        holder: Option<Holder>,
    },
    /// An address that servers cannot listen on, whichever the port.
    #[error("servers cannot listen on {address}: {}", bind_reason(source))]
    Bind {
        /// The address.
        address: std::net::IpAddr,
        /// What the system says.
        source: io::Error,
    },
    /// A port that the system gives to nobody like us.
    #[error("node `{node}` cannot listen on {address}: {}", bind_reason(source))]
    Address {
        /// The node that was to listen there.
        node: String,
        /// Address and port.
        address: std::net::SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// A wish for slots that cannot be fulfilled.
    #[error(transparent)]
    Wish(#[from] WishError),
    /// Slots could not be moved.
    #[error(transparent)]
    Move(Box<MoveError>),
    /// A limit of this machine that is too low for so many nodes.
    #[error("{} need {needed} {what}; this machine has {there}", counted(*nodes, "node"))]
    Limit {
        /// What is limited.
        what: &'static str,
        /// How much there is.
        there: u64,
        /// How much is needed.
        needed: u64,
        /// For how many nodes.
        nodes: usize,
        /// What can be done.
        hint: &'static str,
    },
    /// No free ports are left.
    #[error("{needed} free ports from {first} to {last} are needed, but only {found} were found")]
    NoPorts {
        /// How many.
        needed: usize,
        /// How many are free.
        found: usize,
        /// Where the search began.
        first: u16,
        /// Where it ended.
        last: u16,
    },
    /// A folder that is there before the node that was to live in it.
    #[error("the folder of node `{node}`, `{}`, already exists and is left alone", path.display())]
    FolderExists {
        /// The node.
        node: String,
        /// Its folder.
        path: PathBuf,
    },
    /// A file or folder that the system refuses.
    #[error("cannot {action} `{path}`: {source}")]
    Io {
        /// What was being done, as in "write".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A server that ended although it should run.
    #[error("node `{node}` (port {port}) {ended}; {}", last_words(log, log_path))]
    Died {
        /// The node.
        node: String,
        /// Its client port.
        port: u16,
        /// How it ended, as in "ended at start with exit code 1".
        ended: String,
        /// Its last log lines.
        log: Vec<String>,
        /// Where the whole log was.
        log_path: PathBuf,
    },
    /// A server that does not know a directive of the user's.
    #[error("{}", refused_setting(key, value, reason))]
    RefusedSetting {
        /// The directive.
        key: String,
        /// Its value.
        value: String,
        /// The server's words.
        reason: String,
    },
    /// A process that does not end.
    #[error("node `{node}` (port {port}, pid {pid}) still runs {} after {signal}", humantime::format_duration(*waited))]
    WillNotEnd {
        /// The node.
        node: String,
        /// Its client port.
        port: u16,
        /// Its process.
        pid: i32,
        /// The signal that it was sent, again and again.
        signal: Signal,
        /// For how long.
        waited: Duration,
    },
    /// Talking to a node failed.
    #[error("node `{node}`: {source}")]
    Client {
        /// The node.
        node: String,
        /// What failed.
        source: ClientError,
    },
    /// A node that did not reply to a command of the user's.
    #[error("node `{node}` {}", no_reply(command, *waited))]
    NoReply {
        /// The node.
        node: String,
        /// The command's first word.
        command: String,
        /// How long it was waited for; `None` if until the node answered nobody any more.
        waited: Option<Duration>,
    },
    /// A command that a node refused.
    #[error("node `{node}` answers `{command}` with `{reply}`")]
    Reply {
        /// The node.
        node: String,
        /// The command sent.
        command: String,
        /// The answer, escaped.
        reply: String,
    },
    /// The cluster did not become ready.
    #[error("{0}")]
    NotReady(Box<NotReady>),
    /// A node that did not take on a role.
    #[error("node `{node}` was not a {role} within {}: {last}", humantime::format_duration(*waited))]
    NotRole {
        /// The node.
        node: String,
        /// The role that it was to have.
        role: crate::plan::Role,
        /// How long it was waited for.
        waited: Duration,
        /// What it said last.
        last: String,
    },
    /// Redirects without end.
    #[error("`{command}` was redirected {redirects} times without being answered")]
    Redirects {
        /// The command.
        command: String,
        /// How often.
        redirects: usize,
    },
    /// A redirect to where we cannot go.
    #[error("node `{node}` redirects to port {port} of a host that is not known here")]
    Stray {
        /// The node that redirects.
        node: String,
        /// Where to.
        port: u16,
    },
    /// `cli` without a client program.
    #[error("neither redis-cli nor valkey-cli is on PATH or beside the server")]
    NoClient,
    /// `conformance` without its program.
    #[error("{}", no_conformance(folder.as_deref()))]
    NoConformance {
        /// The folder of this program, where it was looked for first.
        folder: Option<PathBuf>,
    },
    /// The user's own Ctrl-C, or a request to end; what was started is gone.
    #[error("interrupted by {0}")]
    Interrupted(Signal),
}

impl Error {
    /// What is wrong. As [text](ToString) it is what this error displays.
    pub fn message(&self) -> Text {
        match self {
            Self::Plan(error) => error.message(),
            Self::Shape(error) => error.message(),
            Self::Setting(error) => error.message(),
            Self::Member(error) => error.message(),
            Self::Server(error) => error.message(),
            Self::Unsupported(text) | Self::Failover(FailoverError::Unsupported(text)) => {
                text.clone()
            }
            Self::RefusedSetting { key, value, reason } => refused_setting(key, value, reason),
            // These speak of no parameter.
            other => other.to_string().into(),
        }
    }
}

fn refused_setting(key: &str, value: &str, reason: &str) -> Text {
    text![
        "the server refuses ",
        Parameter::Set.as_part(format!("{key}={value}")),
        format!(": {reason}")
    ]
}

impl From<MoveError> for Error {
    fn from(error: MoveError) -> Self {
        Self::Move(Box::new(error))
    }
}

impl Error {
    /// The command, with its first words, that a server does not have, or that its ACL forbids, if that is
    /// why it was refused (`rejectCommand`, server.c; `addReplySubcommandSyntaxError`, networking.c).
    pub(crate) fn missing_command(&self) -> Option<&str> {
        let Self::Reply { command, reply, .. } = self else {
            return None;
        };
        let refusals = ["ERR unknown command", "ERR unknown subcommand", "NOPERM"];
        let reply = reply.to_ascii_lowercase();
        let is_missing = |refusal: &str| reply.starts_with(&refusal.to_ascii_lowercase());
        refusals.into_iter().any(is_missing).then_some(command)
    }
}

fn no_reply(command: &str, waited: Option<Duration>) -> String {
    let waited = waited.map(humantime::format_duration);
    match waited {
        Some(waited) => format!("did not reply to `{command}` within {waited}"),
        None => format!("does not reply to `{command}`, nor to PING on another connection"),
    }
}

fn bind_reason(source: &io::Error) -> String {
    match source.kind() {
        io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "the system keeps this port for root, as most do with ports below 1024".to_owned()
        }
        _ => source.to_string(),
    }
}

fn held_by(holder: Option<&Holder>) -> String {
    holder
        .map(|holder| format!(" by {holder}"))
        .unwrap_or_default()
}

fn no_conformance(folder: Option<&Path>) -> String {
    let beside = folder.map(|folder| format!("beside this program in `{}`", folder.display()));
    let beside = beside.unwrap_or_else(|| "beside this program".to_owned());
    format!("the program `shardlab-conformance` is neither {beside} nor on PATH")
}
