//! How nodes become a cluster.

mod bring_up;
mod finish;
mod hang;
mod introduce;
mod needs;
mod replicated;
mod seed;
mod seeded;
mod shaping;

pub(crate) use bring_up::{BringUp, told_address};
pub(crate) use replicated::{arrange, method as replicated_method};
