//! `new`: a transcript to begin with.

use std::fs::OpenOptions;
use std::io::Write as _;

use shardlab::error::exit;
use shardlab_conformance::suite::{Origin, parse_case, skeleton};

use super::failure::{Code, cases, tell, usage};
use crate::cli::New;
use crate::term;

pub(super) fn new(args: &New) -> Code {
    let shown = args.path.display().to_string();
    let text = skeleton(&args.path, &args.id);
    if let Err(broken) = parse_case(shown.clone(), text.as_bytes()) {
        tell(&broken);
        return Err(usage(&format!("`{}` cannot be the id of a case", args.id)));
    }
    if cases(&Origin::Embedded)?
        .iter()
        .any(|case| case.id() == args.id)
    {
        return Err(usage(&format!("the id `{}` is taken", args.id)));
    }
    // What somebody has written is not overwritten.
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&args.path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| usage(&format!("cannot write `{shown}`: {error}")))?;
    term::note(&format!(
        "{shown} is written; `shardlab-conformance run {shown}` runs it"
    ));
    Ok(exit::DONE)
}
