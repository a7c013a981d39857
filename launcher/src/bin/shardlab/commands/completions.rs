//! `completions`: for a shell to read.

use clap::CommandFactory as _;
use shardlab::error::exit;

use super::lab::Lab;
use crate::cli::Cli;

/// Prints the script.
pub(crate) fn completions(lab: &Lab<'_>, shell: clap_complete::Shell) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "shardlab", &mut script);
    lab.term.bytes(&script);
    exit::DONE
}
