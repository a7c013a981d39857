//! A cluster that was not ready in time: what each node waits for, and what the late ones have logged.

use std::fmt;
use std::time::Duration;

use crate::ladder::{Group, Rung, Standing, common, groups};
use crate::machine::text::counted;
use crate::plan::Topology;

/// A ladder that was not climbed in time.
#[derive(Debug)]
pub struct NotReady {
    /// The rung that was asked for.
    pub wanted: Rung,
    /// How long it was waited for.
    pub waited: Duration,
    /// Where each node stands, and why, in the plan's order.
    pub standings: Vec<Standing>,
    /// The last log lines of the nodes that lag behind: name, lines.
    pub logs: Vec<(String, Vec<String>)>,
    /// Whether it was a first start, of which nothing is left; otherwise all goes on running.
    pub removed: bool,
    /// What the nodes form.
    pub topology: Topology,
}

impl NotReady {
    /// Whether nodes of a cluster answer and do not know each other as they are: what does not pass by
    /// itself is mended by `fix`.
    pub fn is_unformed(&self) -> bool {
        self.topology.is_cluster() && common(&self.standings) == Some(Rung::Listening)
    }
}

/// Of a large cluster, nobody reads more lines.
const GROUPS_SHOWN: usize = 16;

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the cluster was not `{}` within {}",
            self.wanted,
            humantime::format_duration(self.waited)
        )?;
        let groups = groups(&self.standings);
        for group in groups.iter().take(GROUPS_SHOWN) {
            write!(f, "\n  {group}")?;
        }
        let more: usize = groups.iter().skip(GROUPS_SHOWN).map(Group::size).sum();
        if more > 0 {
            write!(f, "\n  and {}", counted(more, "more node"))?;
        }
        for (node, lines) in &self.logs {
            write!(f, "\n  the last log lines of `{node}`:")?;
            for line in lines {
                write!(f, "\n    {line}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn the_hint_names_a_command_that_there_is_for_the_topology() {
        let hint = |topology, rung| {
            let late = NotReady {
                wanted: Rung::Ready,
                waited: Duration::from_secs(1),
                standings: vec![Standing {
                    node: "n1".to_owned(),
                    rung: Some(rung),
                    why: None,
                }],
                logs: Vec::new(),
                removed: false,
                topology,
            };
            Error::NotReady(Box::new(late)).hint().unwrap().to_string()
        };
        assert!(hint(Topology::Cluster, Rung::Formed).starts_with("`shardlab check`"));
        assert!(hint(Topology::Cluster, Rung::Listening).starts_with("`shardlab fix`"));
        for topology in [
            Topology::Replication,
            Topology::Sentinel,
            Topology::Standalone,
        ] {
            // Neither knows anything but slots.
            assert!(hint(topology, Rung::Listening).starts_with("`shardlab status`"));
        }
    }
}
