//! `check` and `fix`.

use clap::Args;

use super::Json;

/// `check`
#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `fix`
#[derive(Debug, Args)]
pub(crate) struct Fix {
    /// Show what would be done, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) json: Json,
}
