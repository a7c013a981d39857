//! `list`: what there is to test.

use shardlab::error::exit;
use shardlab_conformance::report;

use super::failure::{Code, cases, usage};
use crate::cli::List;
use crate::term;

pub(super) fn list(args: &List) -> Code {
    let cases = cases(&args.selection.origin(&[]))?;
    let cases = args
        .selection
        .selection()
        .of(cases)
        .map_err(|error| usage(&error))?;
    if args.json {
        term::json(&report::json::list(&cases))?;
    } else {
        term::data(&report::list(&cases));
    }
    Ok(exit::DONE)
}
