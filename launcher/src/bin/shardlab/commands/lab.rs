//! What every command has at hand, and the cluster that it is about: opened, locked, told of.

use std::time::{Duration, Instant};

use shardlab::cluster::LOCK_PATIENCE;
use shardlab::doctor::refuse_remains;
use shardlab::ladder::Standing;
use shardlab::machine::environment::Environment;
use shardlab::machine::wait::Deadline;
use shardlab::server::SearchEnv;
use shardlab::state::{Home, Journal, Lock, Name, Phase, usual_cache};
use shardlab::{Cluster, Error, Event, Node};

use super::hints::{self, is_usual};
use super::reap;
use crate::cli::Global;
use crate::term::Term;

/// What every command has at hand.
pub(crate) struct Lab<'a> {
    pub(super) global: Global,
    pub(super) home: Home,
    pub(super) term: &'a Term,
}

impl Lab<'_> {
    /// The cluster that `--name` means, unless it is half removed.
    pub(super) fn open(&self) -> Result<Cluster, Error> {
        let opened = Cluster::open(&self.home, &self.global.name);
        match &opened {
            Err(Error::NoCluster(name)) => refuse_remains(&self.home, name)?,
            Ok(cluster) if cluster.record().phase == Phase::Removing => {
                return Err(Error::HalfRemoved(self.global.name.clone()));
            }
            Ok(cluster) if cluster.record().profile.is_some() => self.term.profiled(),
            _ => {}
        }
        opened
    }

    /// The same, to look at: what must not be changed where it is may be seen.
    pub(super) fn look(&self) -> Result<Cluster, Error> {
        let cluster = self.open()?;
        self.tell_displaced(&cluster);
        Ok(cluster)
    }

    /// Tells of a cluster whose folder was moved or copied, to who only looks.
    pub(super) fn tell_displaced(&self, cluster: &Cluster) {
        let folder = self.home.folder(cluster.name());
        if let Err(error) = cluster.record().refuse_displaced(&folder) {
            self.tell_damage(&error);
        }
    }

    /// The same, if any of its nodes runs.
    pub(super) fn open_running(&self) -> Result<Cluster, Error> {
        let cluster = self.open()?;
        if cluster.is_running() {
            Ok(cluster)
        } else {
            Err(Error::NotRunning(self.global.name.clone()))
        }
    }

    /// The same, if it has slots.
    pub(super) fn open_with_slots(&self) -> Result<Cluster, Error> {
        self.open()?.must_have_slots()?;
        self.open_running()
    }

    /// Tells of nodes that are paused, to who is about to wait for all of them.
    pub(super) fn tell_paused(&self, cluster: &Cluster) {
        let paused = cluster.nodes().iter().filter(|node| node.is_paused());
        for node in paused.map(Node::name) {
            self.term.note(&format!(
                "waiting for `{node}`, which is paused; `shardlab resume{} {node}` resumes it",
                self.name_option()
            ));
        }
    }

    /// Tells of a command that was interrupted while it moved slots: its slots wait for the rest.
    pub(super) fn tell_unfinished(&self, cluster: &Cluster) {
        match Journal::read(&self.home.folder(cluster.name())) {
            Ok(None) => {}
            Ok(Some(journal)) => self.term.note(&format!(
                "`{}` was interrupted while it moved slots; run it again, or run `shardlab fix{}`, to finish it",
                hints::command(&journal.intent, &self.global.name),
                self.name_option()
            )),
            Err(error) => self.tell_damage(&error),
        }
    }

    /// Tells of state that is damaged, to who can go on without it.
    pub(super) fn tell_damage(&self, error: &Error) {
        let hint = hints::of(error, Some(&self.home), &self.global.name);
        let text = hints::message(error, &self.global.name);
        self.term
            .note(&format!("{text}; {}", hint.unwrap_or_default()));
    }

    /// The right to change that cluster; tells the user when it has to wait for it. What is started
    /// under it in somebody's private cluster goes with the cluster.
    pub(super) async fn lock(&self) -> Result<Lock, Error> {
        let lock = self.lock_of(&self.global.name).await?;
        if let Some(record) = self.home.record(lock.name())? {
            record.refuse_displaced(lock.folder())?;
        }
        reap::ensure(&self.home, &lock)?;
        Ok(lock)
    }

    pub(super) async fn lock_of(&self, name: &Name) -> Result<Lock, Error> {
        match self.home.lock(name, Deadline::after(Duration::ZERO)).await {
            Err(Error::Busy { .. }) => {
                self.term.note(&format!(
                    "waiting for another shardlab command, which is working on the cluster `{name}`"
                ));
                self.home.lock(name, Deadline::after(LOCK_PATIENCE)).await
            }
            taken => taken,
        }
    }

    /// Shows from now on which rungs the nodes reach.
    pub(super) fn progress(&self) -> impl Fn(&[Standing]) {
        let since = Instant::now();
        move |standings| {
            let elapsed = since.elapsed();
            self.term.event(&Event::Looked { standings, elapsed });
        }
    }

    /// The option that a further command needs to mean the same cluster, with a blank in front.
    pub(super) fn name_option(&self) -> String {
        name_option(&self.global.name)
    }

    /// Where servers are looked for.
    pub(super) fn search(offline: bool) -> Result<SearchEnv, Error> {
        Ok(SearchEnv {
            path: Environment::of_process().path,
            cache: usual_cache()?,
            offline,
        })
    }
}

pub(super) fn name_option(name: &Name) -> String {
    if is_usual(name) {
        String::new()
    } else {
        format!(" -n {name}")
    }
}

/// The names as the library takes them.
pub(super) fn names(nodes: &[String]) -> Vec<&str> {
    nodes.iter().map(String::as_str).collect()
}
