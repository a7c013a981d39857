//! The next step for each error, where one is known.

use std::io;
use std::path::Path;

use super::Error;
use super::died::{data_damage, disk_is_full};
use super::not_ready::NotReady;
use super::port::{Holder, PortRole};
use crate::machine::message::{Command, Text, run, run_on, text};
use crate::machine::parameter::Parameter;

impl Error {
    /// What the user can do about it, where that is known.
    #[expect(clippy::too_many_lines, reason = "one sentence for each error")]
    pub fn hint(&self) -> Option<Text> {
        if let Some(command) = self.missing_command() {
            return Some(text![format!(
                "a `rename-command` or an ACL rule takes `{}` away, or the server does not have it: then a \
                 profile says which commands form a cluster (docs/profiles.md)",
                command_words(command)
            )]);
        }
        let up = |name| run("up").of(name);
        let down = |name| run("down").of(name);
        Some(match self {
            Self::Server(error) => return error.hint(),
            Self::Member(error) => return error.hint(),
            Self::Spec(error) => return error.hint(),
            Self::Archive(error) => return error.hint(),
            Self::Node(error) => return error.hint(),
            Self::Failover(error) => return error.hint(),
            Self::Wish(error) => return error.hint(),
            Self::Move(error) => error.hint(),
            Self::NotReady(late) => late.hint(),
            Self::Io { source, path, .. } => return io_hint(source, path),
            Self::NoCluster(name) => text![
                up(name),
                " starts it; ",
                Command::of_none("ls"),
                " lists what there is"
            ],
            Self::Client { node, .. } => text![
                run("status"),
                format!(" shows whether `{node}` runs, or is paused")
            ],
            Self::NoReply {
                waited: Some(_), ..
            } => text![
                Parameter::Timeout.as_part("none"),
                " waits as long as it takes"
            ],
            Self::NoReply {
                node, waited: None, ..
            } => text![
                run("status"),
                format!(" shows whether `{node}` is paused; if a long command keeps it busy, "),
                Parameter::Timeout.as_part("none"),
                " waits"
            ],
            Self::NotRunning(name) => {
                text![run("start").of(name), " starts it with its data"]
            }
            Self::Unfinished(name) => {
                text![up(name), " starts it anew, ", down(name), " removes it"]
            }
            Self::HalfRemoved(name) => text![
                down(name),
                " finishes it; ",
                up(name),
                " starts a new cluster"
            ],
            Self::Exists(name) | Self::Differs { name, .. } => text![
                down(name),
                " first, or choose another name with ",
                Parameter::Name
            ],
            Self::PortTaken { holder, role, .. } => taken_hint(holder.as_ref(), *role),
            Self::NoPorts { .. } => text![
                Command::of_none("ls"),
                " lists the clusters, whose ports are kept; ",
                Parameter::Port.as_part("N"),
                " takes others"
            ],
            Self::Bind { .. } => text![
                Parameter::Bind,
                " takes addresses of this machine, ",
                Parameter::Bind.as_part("0.0.0.0"),
                " all of them; ",
                Parameter::Announce,
                " tells clients another one"
            ],
            Self::Address { .. } => text![
                Parameter::Port.as_part("7001"),
                " takes ports that everybody may have"
            ],
            Self::FolderExists { .. } => text![
                Parameter::Dir,
                " takes another place, ",
                Parameter::Port,
                " other names for the folders"
            ],
            Self::Limit { hint, .. } => text![*hint],
            Self::NoHome => text!["set `SHARDLAB_HOME` or `HOME`"],
            Self::State { .. } => text![
                Command::of_none("doctor"),
                " shows what is wrong and what fixes it"
            ],
            Self::Died {
                node,
                log,
                log_path,
                ..
            } => return died_hint(node, log, log_path),
            Self::NoClient => text![
                run("call"),
                " needs neither; redis-cli is in the package redis-tools, valkey-cli in valkey-tools"
            ],
            Self::NoConformance { .. } => {
                text!["`cargo install --path conformance` puts it on PATH"]
            }
            Self::NotRole { .. } => text![
                run("status"),
                " shows the roles as they are now; ",
                Parameter::Timeout,
                " waits longer"
            ],
            Self::Plan(_)
            | Self::Shape(_)
            | Self::Setting(_)
            | Self::Profile(_)
            | Self::Name(_)
            | Self::NoNode { .. }
            | Self::Unsupported(_)
            | Self::Busy { .. }
            | Self::PortsBusy { .. }
            | Self::RefusedSetting { .. }
            | Self::WillNotEnd { .. }
            | Self::Reply { .. }
            | Self::Redirects { .. }
            | Self::Stray { .. }
            | Self::Interrupted(_) => return None,
        })
    }
}

impl NotReady {
    fn hint(&self) -> Text {
        if self.removed {
            return text![
                "what was started has been removed; ",
                Parameter::Timeout,
                " gives it more time"
            ];
        }
        let known = if self.is_unformed() {
            text![
                run("fix"),
                " repairs what does not pass by itself, as when a node has lost its nodes.conf; "
            ]
        } else if self.topology.is_cluster() {
            text![run("check"), " shows what is wrong and what fixes it; "]
        } else {
            text![run("status"), " shows where it stands now; "]
        };
        known.and(text![Parameter::Timeout, " waits longer"])
    }
}

/// The words of a command before its arguments.
fn command_words(command: &str) -> String {
    let is_word = |word: &&str| word.chars().all(|c| c.is_ascii_uppercase() || c == '-');
    let words: Vec<_> = command.split(' ').take_while(is_word).collect();
    words.join(" ")
}

fn taken_hint(holder: Option<&Holder>, role: PortRole) -> Text {
    let auto = || Parameter::Port.as_part("auto");
    match holder.and_then(|holder| holder.cluster.as_ref()) {
        Some(cluster) => text![
            run("down").of(cluster),
            " frees it; ",
            auto(),
            " takes ports that are free"
        ],
        None if role == PortRole::Bus => text![
            Parameter::BusPort.as_part("auto"),
            " takes bus ports that are free, with Redis 7.0 and later and Valkey; ",
            auto(),
            " takes other ports altogether"
        ],
        None => text![
            auto(),
            " takes ports that are free, ",
            Parameter::Port.as_part("N"),
            " others"
        ],
    }
}

fn died_hint(node: &str, log: &[String], log_path: &Path) -> Option<Text> {
    if log.is_empty() && disk_is_full(log_path) {
        return Some(text![
            format!(
                "no space is left where `{}` was to be written; ",
                log_path.display()
            ),
            Parameter::Dir,
            " takes another place"
        ]);
    }
    if data_damage(log).is_some() {
        return Some(text![Command::of_none("doctor"), " tells what can be done"]);
    }
    log_path.is_file().then(|| {
        text![
            run_on("logs", node),
            " shows all of its log; ",
            run("start"),
            " starts what is not running"
        ]
    })
}

fn io_hint(source: &io::Error, path: &Path) -> Option<Text> {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(text![
            format!("no space is left where `{}` is; ", path.display()),
            Parameter::Dir,
            " takes another place"
        ]),
        io::ErrorKind::FileTooLarge => Some(text!["a limit on file sizes is set; see `ulimit -f`"]),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Some(text![
            Parameter::Dir,
            " (node folders) or `SHARDLAB_HOME` (everything) takes a place that can be written"
        ]),
        _ => None,
    }
}
