//! `check`: every mistake of every transcript at once.

use shardlab::error::exit;
use shardlab::machine::text::counted;
use shardlab_conformance::suite::{self, Origin};

use super::failure::{Code, told};
use crate::cli::Check;
use crate::term;

pub(super) fn check(args: &Check) -> Code {
    let origin = match args.paths.as_slice() {
        [] => Origin::Embedded,
        paths => Origin::Paths(paths.to_vec()),
    };
    let count = suite::check(&origin).map_err(|error| told(&error))?;
    term::note(&format!("{}, no mistakes", counted(count, "transcript")));
    Ok(exit::DONE)
}
