//! How nodes become a cluster.

mod bring_up;
mod commands;
mod hang;
mod introduce;
mod replicated;
mod seed;
mod seeded;
mod shaping;

pub(crate) use bring_up::{BringUp, told_address};
pub(crate) use commands::replicate;
pub(crate) use replicated::{arrange, method as replicated_method};
