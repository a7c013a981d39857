//! `new`: a transcript to begin with.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use shardlab::error::exit;
use shardlab_conformance::suite::{Origin, parse_case, skeleton};
use shardlab_conformance::transcript::ast::Transcript;

use super::failure::{Code, cases, tell, usage};
use crate::cli::New;
use crate::term::{self, Failure};

pub(super) fn new(args: &New) -> Code {
    let shown = args.path.display().to_string();
    let text = skeleton(&args.path, &args.id);
    free(&shown, &text, &args.id)?;
    write_new(&args.path, &text)?;
    term::note(&format!(
        "{shown} is written; `shardlab-conformance run {shown}` runs it"
    ));
    Ok(exit::DONE)
}

/// The transcript with an id that no other has.
pub(super) fn free(shown: &str, text: &str, id: &str) -> Result<Transcript, Failure> {
    let case = parse_case(shown.to_owned(), text.as_bytes()).map_err(|broken| {
        tell(&broken);
        usage(&format!("`{id}` cannot be the id of a case"))
    })?;
    if cases(&Origin::Embedded)?.iter().any(|case| case.id() == id) {
        return Err(usage(&format!("the id `{id}` is taken")));
    }
    Ok(case.transcript)
}

/// Writes a file. What somebody has written is not overwritten.
pub(super) fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| usage(&format!("cannot write `{}`: {error}", path.display())))
}
