//! How nodes become a cluster.

mod bring_up;
mod commands;
mod orders;
mod seed;
mod seeded;

pub(crate) use bring_up::BringUp;
