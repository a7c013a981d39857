//! What is asked of a start, as plain data.

use std::path::PathBuf;
use std::time::Duration;

use super::Observer;
use crate::cluster::default_timeout;
use crate::ladder::Rung;
use crate::plan::{Options, PortChoice, node_count};

/// What is asked of a start.
#[derive(Clone)]
pub(crate) struct Request<'a> {
    /// The cluster.
    pub(crate) options: Options,
    /// Where the nodes' folders go, if not into the cluster's.
    pub(crate) dir: Option<PathBuf>,
    /// The rung to wait for.
    pub(crate) rung: Rung,
    /// How long it may take, if that was said.
    pub(crate) timeout: Option<Duration>,
    /// Who hears of it.
    pub(crate) observer: Observer<'a>,
}

impl Default for Request<'_> {
    fn default() -> Self {
        Self {
            options: Options {
                ports: PortChoice::Auto,
                persist: false,
                ..Options::default()
            },
            dir: None,
            rung: Rung::Ready,
            timeout: None,
            observer: &|_| {},
        }
    }
}

impl Request<'_> {
    /// How long the start may take, in the end.
    pub(crate) fn patience(&self) -> Duration {
        let nodes = node_count(&self.options).unwrap_or(0);
        self.timeout.unwrap_or_else(|| default_timeout(nodes))
    }
}
