//! `explain`: all about one transcript.

use shardlab::error::exit;
use shardlab_conformance::known::KnownList;
use shardlab_conformance::report;
use shardlab_conformance::suite::{Origin, Selection};

use super::failure::{Code, cases, usage};
use crate::cli::Explain;
use crate::term;

pub(super) fn explain(args: &Explain) -> Code {
    let folder = args
        .fixtures
        .clone()
        .map(|folder| Origin::Paths(vec![folder]));
    let selection = Selection {
        cases: vec![args.case.clone()],
        ..Selection::default()
    };
    let cases = cases(&folder.unwrap_or(Origin::Embedded))?;
    let cases = selection.of(cases).map_err(|error| usage(&error))?;
    let known = KnownList::embedded().map_err(|error| usage(&error))?;
    let texts: Vec<_> = cases
        .iter()
        .map(|case| report::explain(case, &known))
        .collect();
    term::data(&texts.join("\n"));
    Ok(exit::DONE)
}
