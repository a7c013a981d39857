//! The next step for each error, where one is known.

use std::io;
use std::path::Path;

use super::Error;
use super::died::{data_damage, disk_is_full};
use super::port::{Holder, PortRole};

impl Error {
    /// What the user can do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        if let Some(command) = self.missing_command() {
            let words = command.split(' ');
            let word =
                words.take_while(|word| word.chars().all(|c| c.is_ascii_uppercase() || c == '-'));
            let named = word.collect::<Vec<_>>().join(" ");
            return Some(format!(
                "shardlab needs the command `{named}`; a `rename-command` or an ACL rule takes it away"
            ));
        }
        match self {
            Self::Server(error) => error.hint(),
            Self::Member(error) => error.hint(),
            Self::Spec(error) => error.hint(),
            Self::Archive(error) => error.hint(),
            Self::Node(error) => error.hint(),
            Self::Failover(error) => error.hint(),
            Self::NoCluster(name) => Some(format!("`shardlab up -n {name}` starts it; `shardlab ls` lists what there is")),
            Self::Wish(error) => error.hint(),
            Self::Move(error) => Some(error.hint()),
            Self::Client { node, .. } => Some(format!(
                "`shardlab status` shows whether `{node}` runs, or is paused"
            )),
            Self::NoReply { waited: Some(_), .. } => Some("`--timeout none` waits as long as it takes".to_owned()),
            Self::NoReply { node, waited: None, .. } => Some(format!(
                "`shardlab status` shows whether `{node}` is paused; if a long command keeps it busy, `--timeout none` waits"
            )),
            Self::NotRunning(name) => Some(format!("`shardlab start -n {name}` starts it with its data")),
            Self::Unfinished(name) => Some(format!(
                "`shardlab up -n {name}` starts it anew, `shardlab down -n {name}` removes it"
            )),
            Self::HalfRemoved(name) => Some(format!(
                "`shardlab down -n {name}` finishes it; `shardlab up -n {name}` starts a new cluster"
            )),
            Self::Exists(name) | Self::Differs { name, .. } => {
                Some(format!("`shardlab down -n {name}` first, or choose another name with `-n`"))
            }
            Self::PortTaken { holder: Some(Holder { cluster: Some(cluster), .. }), .. } => {
                Some(format!("`shardlab down -n {cluster}` frees it; `--port auto` takes ports that are free"))
            }
            Self::PortTaken { role: PortRole::Bus, .. } => Some(
                "`--bus-port auto` takes bus ports that are free, with Redis 7.0 and later and Valkey; \
                 `--port auto` takes other ports altogether"
                    .to_owned(),
            ),
            Self::NoPorts { .. } => Some(
                "`shardlab ls` lists the clusters, whose ports are kept; `--port N` takes others"
                    .to_owned(),
            ),
            Self::PortTaken { .. } => Some("`--port auto` takes ports that are free, `--port N` others".to_owned()),
            Self::Bind { .. } => Some(
                "`--bind` takes addresses of this machine, `--bind 0.0.0.0` all of them; \
                 `--announce` tells clients another one"
                    .to_owned(),
            ),
            Self::Address { .. } => {
                Some("`--port 7001` takes ports that everybody may have".to_owned())
            }
            Self::FolderExists { .. } => Some("`--dir` takes another place, `--port` other names for the folders".to_owned()),
            Self::Limit { hint, .. } => Some((*hint).to_owned()),
            Self::NoHome => Some("set `SHARDLAB_HOME` or `HOME`".to_owned()),
            Self::State { .. } => {
                Some("`shardlab doctor` tells what is wrong and what mends it".to_owned())
            }
            Self::Io { source, path, .. } => io_hint(source, path),
            Self::Died { log, log_path, .. } if log.is_empty() && disk_is_full(log_path) => {
                Some(format!("no space is left where `{}` was to be written; `--dir` takes another place", log_path.display()))
            }
            Self::Died { log, .. } if data_damage(log).is_some() => {
                Some("`shardlab doctor` tells what can be done".to_owned())
            }
            Self::Died { node, log_path, .. } if log_path.is_file() => {
                Some(format!("`shardlab logs {node}` shows all of its log; `shardlab start` starts what is not running"))
            }
            Self::NoClient => Some(
                "`shardlab call` needs neither; redis-cli is in the package redis-tools, valkey-cli in valkey-tools"
                    .to_owned(),
            ),
            Self::NoConformance { .. } => Some("`cargo install --path conformance` puts it on PATH".to_owned()),
            Self::NotReady(late) if late.removed => {
                Some("what was started has been removed; `--timeout` gives it more time".to_owned())
            }
            Self::NotReady(late) if late.is_unformed() => Some(
                "`shardlab fix` mends what does not pass by itself, as when a node has lost its nodes.conf; \
                 `--timeout` waits longer"
                    .to_owned(),
            ),
            Self::NotReady(late) if !late.topology.is_cluster() => {
                Some("`shardlab status` shows where it stands now; `--timeout` waits longer".to_owned())
            }
            Self::NotReady(_) => {
                Some("`shardlab check` says what is wrong and what mends it; `--timeout` waits longer".to_owned())
            }
            Self::NotRole { .. } => {
                Some("`shardlab status` shows the roles as they are now; `--timeout` waits longer".to_owned())
            }
            _ => None,
        }
    }
}

fn io_hint(source: &io::Error, path: &Path) -> Option<String> {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Some(format!("no space is left where `{}` is; `--dir` takes another place", path.display()))
        }
        io::ErrorKind::FileTooLarge => Some("a limit on file sizes is set; see `ulimit -f`".to_owned()),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            Some("`--dir` (node folders) or `SHARDLAB_HOME` (everything) takes a place that can be written".to_owned())
        }
        _ => None,
    }
}
