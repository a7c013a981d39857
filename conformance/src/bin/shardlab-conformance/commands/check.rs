//! `check`: every mistake of every transcript at once.

use shardlab::error::exit;
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
    let plural = if count == 1 { "" } else { "s" };
    term::note(&format!("{count} transcript{plural}, no mistake found"));
    Ok(exit::DONE)
}
