//! Which node is started when: in a set with one master its order saves seconds.

use std::ops::ControlFlow;
use std::time::Duration;

use super::Cluster;
use crate::config::{OWN_FILE, master_of, node_conf, own_conf, profiled_conf, sentinel_conf};
use crate::error::{Error, IoContext as _};
use crate::ladder::Answers;
use crate::machine::wait::{self, Deadline};
use crate::node::{Node, Session};
use crate::plan::Role;
use crate::probe::questions::Questions;
use crate::state::{Lock, Phase, read_regular, write_atomically};
use crate::wire::view::Link;

/// How long the next ones are held back for those before them. It only saves time: a replica that
/// finds no master, and a sentinel that finds a server silent, tries again after a second.
const HEAD_START: Duration = Duration::from_secs(2);

impl Cluster {
    /// Writes the config files of a node that follows and watches nobody.
    ///
    /// # Errors
    /// They cannot be written, or the profile asks for what there is not.
    pub(crate) fn write_config(&self, node: &Node) -> Result<(), Error> {
        let start = self.record.profile.as_ref();
        if let Some(start) = start.and_then(|profile| profile.start.as_ref()) {
            let own = own_conf(&self.record.options, node.plan(), node.dir(), start);
            if let Some(text) = own.map_err(|why| Error::Unsupported(why.into()))? {
                write_atomically(&node.dir().join(OWN_FILE), text.as_bytes())?;
            }
        }
        write_atomically(&node.config_path(), self.bare_config(node)?.as_bytes())
    }

    /// The config of a node that follows and watches nobody.
    ///
    /// # Errors
    /// The profile asks for what there is not.
    pub(crate) fn bare_config(&self, node: &Node) -> Result<String, Error> {
        let (folder, options) = (self.folder(), &self.record.options);
        let (plan, dir, server) = (node.plan(), node.dir(), &self.record.server);
        if let Some(profile) = &self.record.profile {
            return profiled_conf(&folder, options, plan, dir, server, profile)
                .map_err(|why| Error::Unsupported(why.into()));
        }
        Ok(match plan.role {
            Role::Master | Role::Replica => node_conf(&folder, options, plan, dir, server),
            Role::Sentinel => sentinel_conf(&folder, options, plan, dir, server, None),
        })
    }

    /// Starts nodes, data first: masters, then who follows them, then sentinels. What is changed is on
    /// the command line of nodes with data. What was started is written down before the next ones
    /// are.
    ///
    /// # Errors
    /// A server cannot be started, or dies at once.
    pub(crate) async fn spawn_in_order(
        &mut self,
        names: &[String],
        arguments: &[String],
        lock: &Lock,
        phase: Phase,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let mut stages = self.stages(names)?.into_iter().peekable();
        while let Some(stage) = stages.next() {
            for name in &stage {
                let node = self.node(name)?;
                match node.plan().role {
                    Role::Master | Role::Replica => node.spawn(arguments)?,
                    Role::Sentinel => node.spawn(&[])?,
                }
            }
            self.remember(lock, phase)?;
            if stages.peek().is_some() {
                let head_start = deadline.at_most(HEAD_START);
                for name in &stage {
                    settle(self.node(name)?, head_start).await?;
                }
            }
        }
        Ok(())
    }

    /// The nodes of these names in groups that are started one after the other.
    fn stages(&self, names: &[String]) -> Result<Vec<Vec<String>>, Error> {
        if !self.record.options.topology.has_one_master() {
            return Ok(vec![names.to_vec()]);
        }
        let mut stages = [Vec::new(), Vec::new(), Vec::new()];
        let [masters, replicas, sentinels] = &mut stages;
        for name in names {
            let node = self.node(name)?;
            let stage = match node.plan().role {
                Role::Sentinel => &mut *sentinels,
                _ if follows_somebody(node)? => &mut *replicas,
                _ => &mut *masters,
            };
            stage.push(name.clone());
        }
        Ok(stages
            .into_iter()
            .filter(|stage| !stage.is_empty())
            .collect())
    }
}

fn follows_somebody(node: &Node) -> Result<bool, Error> {
    let path = node.config_path();
    let conf = read_regular(&path).doing("read", &path)?;
    Ok(master_of(&conf).is_some())
}

/// Waits until a node with data answers, and is linked if it is a replica. Being late is no error.
async fn settle(node: &Node, deadline: Deadline) -> Result<(), Error> {
    let settled = wait::until(deadline, Duration::from_millis(2), || async {
        if let Some(died) = node.died() {
            return ControlFlow::Break(Err(died));
        }
        let mut session = Session::unconnected(node.endpoint());
        match Questions::Server.ask(&mut session, deadline).await {
            Ok(Answers::Server(says)) if says.link != Some(Link::Down) => {
                ControlFlow::Break(Ok(()))
            }
            _ => ControlFlow::Continue(()),
        }
    });
    settled.await.unwrap_or(Ok(()))
}
