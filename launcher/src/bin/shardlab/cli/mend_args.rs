//! `check`, `fix` and `doctor`.

use clap::Args;

use super::common::Json;

/// `check`
#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `fix`
#[derive(Debug, Args)]
pub(crate) struct Fix {
    /// Show what would be repaired, but repair nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `doctor`
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Repair the damage; the data of clusters is kept.
    #[arg(long)]
    pub(crate) fix: bool,
    #[command(flatten)]
    pub(crate) json: Json,
}
