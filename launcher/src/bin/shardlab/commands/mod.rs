//! One file for each command, and what they share: the way in and the way out.

mod add_node;
mod call;
mod change;
mod check;
mod cli;
mod completions;
mod conformance;
mod del_node;
mod difference;
mod doctor;
mod down;
mod env;
mod failover;
mod fix;
mod hints;
mod kill;
mod logs;
mod ls;
mod moving;
mod pause;
mod reap;
mod rebalance;
mod report;
mod reshard;
mod restart;
mod run;
mod save;
mod scale;
mod servers;
mod shape;
mod start;
mod status;
mod stop;
mod up;
mod wait;
mod watch;
mod wipe;
mod wish;

use std::time::Duration;

use shardlab::cluster::LOCK_PATIENCE;
use shardlab::doctor::{mend_of, refuse_remains};
use shardlab::machine::environment::Environment;
use shardlab::machine::wait::Deadline;
use shardlab::reshape::Journal;
use shardlab::server::SearchEnv;
use shardlab::state::{Home, Lock, Name, Phase, usual_cache};
use shardlab::{Cluster, Error, Node, exit};

use crate::cli::{Cli, Command, Global};
use crate::term::Term;
use shardlab::machine::interrupt::Interrupts;

/// What every command has at hand.
pub(crate) struct Lab<'a> {
    global: Global,
    home: Home,
    term: &'a Term,
}

impl Lab<'_> {
    /// The cluster that `--name` means, unless it is half removed.
    fn open(&self) -> Result<Cluster, Error> {
        let opened = Cluster::open(&self.home, &self.global.name);
        match &opened {
            Err(Error::NoCluster(name)) => refuse_remains(&self.home, name)?,
            Ok(cluster) if cluster.record().phase == Phase::Removing => {
                return Err(Error::HalfRemoved(self.global.name.clone()));
            }
            _ => {}
        }
        opened
    }

    /// The same, to look at: what must not be changed where it is may be seen.
    fn look(&self) -> Result<Cluster, Error> {
        let cluster = self.open()?;
        self.tell_displaced(&cluster);
        Ok(cluster)
    }

    /// Tells of a cluster whose folder was moved or copied, to who only looks.
    fn tell_displaced(&self, cluster: &Cluster) {
        let folder = self.home.folder(cluster.name());
        if let Err(error) = cluster.record().refuse_displaced(&folder) {
            self.tell_damage(&error);
        }
    }

    /// The same, if any of its nodes runs.
    fn open_running(&self) -> Result<Cluster, Error> {
        let cluster = self.open()?;
        if cluster.is_running() {
            Ok(cluster)
        } else {
            Err(Error::NotRunning(self.global.name.clone()))
        }
    }

    /// The same, if it has slots.
    fn open_with_slots(&self) -> Result<Cluster, Error> {
        self.open()?.must_have_slots()?;
        self.open_running()
    }

    /// Tells of nodes that are paused, to who is about to wait for all of them.
    fn tell_paused(&self, cluster: &Cluster) {
        let paused = cluster.nodes().iter().filter(|node| node.is_paused());
        for node in paused.map(Node::name) {
            self.term.note(&format!(
                "`{node}` is paused and is waited for; `shardlab resume{} {node}` lets it go on",
                self.name_option()
            ));
        }
    }

    /// Tells of a command that was interrupted while it moved slots: its slots wait for the rest.
    fn tell_unfinished(&self, cluster: &Cluster) {
        match Journal::read(&self.home.folder(cluster.name())) {
            Ok(None) => {}
            Ok(Some(journal)) => self.term.note(&format!(
                "slots are on their way: `{}` was interrupted; it finishes if it is given again, or by `shardlab fix{}`",
                journal.command,
                self.name_option()
            )),
            Err(error) => self.tell_damage(&error),
        }
    }

    /// Tells of state that is damaged, to who can go on without it.
    fn tell_damage(&self, error: &Error) {
        let hint = hint(&self.home, error).unwrap_or_default();
        self.term.note(&format!("{error}; {hint}"));
    }

    /// The right to change that cluster; tells the user when it has to wait for it. What is started
    /// under it in somebody's private cluster goes with the cluster.
    async fn lock(&self) -> Result<Lock, Error> {
        let lock = self.lock_of(&self.global.name).await?;
        if let Some(record) = self.home.record(lock.name())? {
            record.refuse_displaced(lock.folder())?;
        }
        reap::ensure(self, &lock)?;
        Ok(lock)
    }

    async fn lock_of(&self, name: &Name) -> Result<Lock, Error> {
        match self.home.lock(name, Deadline::after(Duration::ZERO)).await {
            Err(Error::Busy { .. }) => {
                self.term.note(&format!(
                    "another shardlab command is at work on the cluster `{name}`; waiting for it"
                ));
                self.home.lock(name, Deadline::after(LOCK_PATIENCE)).await
            }
            taken => taken,
        }
    }

    /// The option that a further command needs to mean the same cluster, with a blank in front.
    fn name_option(&self) -> String {
        name_option(&self.global.name)
    }

    /// Where servers are looked for.
    fn search(offline: bool) -> Result<SearchEnv, Error> {
        Ok(SearchEnv {
            path: Environment::of_process().path,
            cache: usual_cache()?,
            offline,
        })
    }
}

fn name_option(name: &Name) -> String {
    if name.as_str() == "default" {
        String::new()
    } else {
        format!(" -n {name}")
    }
}

/// What the user can do about an error: of damaged state, the command that mends just that.
fn hint(home: &Home, error: &Error) -> Option<String> {
    match error {
        Error::State { path, reason } => mend_of(home, path, reason).or_else(|| error.hint()),
        _ => error.hint(),
    }
}

/// Runs the command; the exit code is the program's.
pub(crate) fn run(cli: Cli) -> u8 {
    let Cli { command, global } = cli;
    let term = Term::new(global.quiet, global.verbose);
    let option = name_option(&global.name);
    let fail = |home: Option<&Home>, error: &Error| {
        let hint = home.map_or_else(|| error.hint(), |home| hint(home, error));
        let hint = hint.map(|hint| hints::with_option(&hint, &option));
        term.error(&error.to_string(), hint.as_deref());
        error.exit_code()
    };
    let bug = |error: std::io::Error| {
        term.error(&format!("the runtime does not start: {error}"), None);
        exit::BUG
    };
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return bug(error),
    };
    runtime.block_on(async {
        let mut interrupts = match Interrupts::listen() {
            Ok(interrupts) => interrupts,
            Err(error) => return bug(error),
        };
        let home = match &global.home {
            Some(home) => std::path::absolute(home)
                .map(Home::at)
                .map_err(|source| Error::Io {
                    action: "find",
                    path: home.clone(),
                    source,
                }),
            None => Home::usual(),
        };
        let lab = match home {
            Ok(home) => Lab {
                global,
                home,
                term: &term,
            },
            Err(error) => return fail(None, &error),
        };
        let code = dispatch(&lab, command, &mut interrupts)
            .await
            .unwrap_or_else(|error| fail(Some(&lab.home), &error));
        match term.loss() {
            None => code,
            Some(error) => {
                term.error(&format!("cannot write to standard output: {error}"), None);
                if code == exit::DONE {
                    exit::ENVIRONMENT
                } else {
                    code
                }
            }
        }
    })
}

async fn dispatch(
    lab: &Lab<'_>,
    command: Command,
    interrupts: &mut Interrupts,
) -> Result<u8, Error> {
    // These outlive their first signal: they pass it on, clean up first, or are ended by it.
    let command = match command {
        Command::Run(args) => return Ok(run::run(lab, args, interrupts).await),
        Command::Up(args) if args.foreground => return up::foreground(lab, args, interrupts).await,
        Command::Status(args) if args.watch => return watch::watch(lab, &args, interrupts).await,
        other => other,
    };
    let work = async {
        match command {
            Command::Up(args) => up::up(lab, args).await,
            Command::Run(_) => Ok(exit::BUG),
            Command::Down(args) => down::down(lab, &args).await,
            Command::Reap => reap::reap(lab).await,
            Command::Stop(args) => stop::stop(lab, &args).await,
            Command::Start(args) => start::start(lab, &args).await,
            Command::Restart(args) => restart::restart(lab, &args).await,
            Command::Kill(args) => kill::kill(lab, &args).await,
            Command::Pause(args) => pause::pause(lab, &args).await,
            Command::Resume(args) => pause::resume(lab, &args).await,
            Command::Failover(args) => failover::failover(lab, &args).await,
            Command::Ls(args) => ls::ls(lab, args.json).await,
            Command::Status(args) => status::status(lab, args.json.json).await,
            Command::Wipe(args) => wipe::wipe(lab, &args).await,
            Command::Save(args) => save::save(lab, &args).await,
            Command::Wait(args) => wait::wait(lab, &args).await,
            Command::Env(args) => env::env(lab, args.shell).await,
            Command::Call(args) => call::call(lab, args).await,
            Command::Cli(args) => cli::cli(lab, &args.args).await,
            Command::Logs(args) => logs::logs(lab, &args).await,
            Command::AddNode(args) => add_node::add_node(lab, &args).await,
            Command::DelNode(args) => del_node::del_node(lab, &args).await,
            Command::Scale(args) => scale::scale(lab, &args).await,
            Command::Reshard(args) => reshard::reshard(lab, &args).await,
            Command::Rebalance(args) => rebalance::rebalance(lab, &args).await,
            Command::Check(args) => check::check(lab, &args).await,
            Command::Fix(args) => fix::fix(lab, &args).await,
            Command::Doctor(args) => doctor::doctor(lab, &args).await,
            Command::Servers(args) => servers::servers(lab, args).await,
            Command::Completions { shell } => Ok(completions::completions(lab, shell)),
            Command::Conformance { args } => conformance::conformance(args),
        }
    };
    tokio::select! {
        result = work => result,
        signal = interrupts.next() => Err(Error::Interrupted(signal)),
    }
}

/// The names as the library takes them.
fn names(nodes: &[String]) -> Vec<&str> {
    nodes.iter().map(String::as_str).collect()
}
