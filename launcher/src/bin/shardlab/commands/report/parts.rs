//! What several reports have in common: the verdict, a server.

use std::path::{Path, PathBuf};

use serde::Serialize;
use shardlab::server::Identity;
use shardlab::state::Record;

/// What a check comes to; the exit code says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    Pass,
    Fail,
}

impl Verdict {
    /// That of a check that passes, or does not.
    pub(crate) fn of(passes: bool) -> Self {
        if passes { Self::Pass } else { Self::Fail }
    }
}

/// A server program.
#[derive(Debug, Serialize)]
pub(crate) struct ServerReport {
    pub(super) product: String,
    pub(super) version: String,
    program: PathBuf,
}

impl ServerReport {
    pub(crate) fn of(identity: &Identity, program: &Path) -> Self {
        Self {
            product: identity.product.to_string(),
            version: identity.version.to_string(),
            program: program.to_owned(),
        }
    }

    /// The one that a cluster's nodes run.
    pub(crate) fn of_record(record: &Record) -> Self {
        Self::of(&record.server, &record.program)
    }
}

impl std::fmt::Display for ServerReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.product, self.version)
    }
}
