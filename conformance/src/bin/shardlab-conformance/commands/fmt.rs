//! `fmt`: the canonical form of transcripts.

use std::path::Path;

use shardlab::error::exit;
use shardlab::machine::text::counted;
use shardlab::state::{read_regular, replace};
use shardlab_conformance::suite::{Broken, files, parse_case};
use shardlab_conformance::transcript::print;

use super::failure::{Code, tell, usage};
use crate::cli::Fmt;
use crate::term::{self, Failure};

pub(super) fn fmt(args: &Fmt) -> Code {
    let files = files(&args.paths).map_err(|error| usage(&error))?;
    let (mut changed, mut broken) = (0, 0);
    for path in &files {
        match rewritten(path)? {
            Ok(None) => {}
            Ok(Some(text)) => {
                changed += 1;
                term::note(&format!("{}", path.display()));
                if !args.check {
                    replace(path, text.as_bytes()).map_err(|error| io(path, "write", &error))?;
                }
            }
            Err(mistakes) => {
                broken += 1;
                tell(&mistakes);
            }
        }
    }
    Ok(match (broken, changed) {
        (1.., _) => exit::USAGE,
        (0, 1..) if args.check => {
            let of = counted(files.len(), "transcript");
            let text = format!("not formatted: {changed} of {of}");
            return Err(Failure {
                message: text,
                code: exit::NO,
                hint: Some("`shardlab-conformance fmt` formats them".to_owned()),
            });
        }
        _ => exit::DONE,
    })
}

/// The canonical form, if the file has another.
fn rewritten(path: &Path) -> Result<Result<Option<String>, Broken>, Failure> {
    let source = read_regular(path).map_err(|error| io(path, "read", &error))?;
    let case = match parse_case(path.display().to_string(), &source) {
        Ok(case) => case,
        Err(broken) => return Ok(Err(broken)),
    };
    let text = print(&case.transcript);
    Ok(Ok((text != case.source).then_some(text)))
}

fn io(path: &Path, verb: &str, error: &std::io::Error) -> Failure {
    usage(&format!("cannot {verb} `{}`: {error}", path.display()))
}
