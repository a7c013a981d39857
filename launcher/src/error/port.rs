//! Which port is not free, and who has it.

use crate::plan::Name;

/// Who has a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The cluster of ours that has it, and the node.
    pub cluster: Option<Name>,
    /// The node of that cluster.
    pub node: Option<String>,
    /// The process: program and pid.
    pub process: Option<(String, i32)>,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let (Some(cluster), Some(node)) = (&self.cluster, &self.node) {
            write!(f, "node `{node}` of the cluster `{cluster}`")?;
            if let Some((_, pid)) = &self.process {
                write!(f, " (pid {pid})")?;
            }
            return Ok(());
        }
        match &self.process {
            Some((program, pid)) => write!(f, "`{program}` (pid {pid})"),
            None => f.write_str("another process"),
        }
    }
}

/// What a node does on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortRole {
    /// Talks to clients.
    Client,
    /// Talks to the other nodes.
    Bus,
}

impl std::fmt::Display for PortRole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Client => "client port",
            Self::Bus => "bus port",
        })
    }
}
