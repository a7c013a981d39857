//! Reports for other programs: in files, and in the words of GitHub's runners.

use std::path::{Path, PathBuf};

use shardlab::error::exit;
use shardlab::state::replace;
use shardlab_conformance::report::{Report, annotations, junit, known_list, markdown, tap};

use super::failure::usage;
use crate::cli::Files;
use crate::term::{self, Failure};

/// Looks whether files can be written at all, before a run whose reports would be lost.
pub(super) fn check(paths: &[&Option<PathBuf>]) -> Result<(), Failure> {
    for path in paths.iter().filter_map(|path| path.as_ref()) {
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        let problem = match folder {
            Some(folder) if !folder.is_dir() => {
                format!("the folder `{}` does not exist", folder.display())
            }
            _ if path.is_dir() => "it is a folder".to_owned(),
            _ => continue,
        };
        return Err(usage(&format!(
            "cannot write `{}`: {problem}",
            path.display()
        )));
    }
    Ok(())
}

/// Writes those that were asked for.
pub(super) fn write(files: &Files, report: &Report<'_>) -> Result<(), Failure> {
    if let Some(path) = &files.junit {
        let text = junit(report).map_err(|error| Failure {
            message: format!("the report cannot be written as XML: {error}"),
            code: exit::BUG,
            hint: None,
        })?;
        put(path, &text)?;
    }
    if let Some(path) = &files.tap {
        put(path, &tap(report))?;
    }
    if let Some(path) = &files.markdown {
        put(path, &markdown(report))?;
    }
    if let Some(path) = &files.write_known {
        let (text, without) = known_list(report.run);
        put(path, &text)?;
        if without > 0 {
            term::note(
                "departures of servers that do not say what they are are not in the list; \
                 say it with `--product` and `--server-version`",
            );
        }
    }
    if files.annotations {
        term::commands(&annotations(report));
    }
    Ok(())
}

fn put(path: &Path, text: &str) -> Result<(), Failure> {
    replace(path, text.as_bytes())
        .map_err(|error| usage(&format!("cannot write `{}`: {error}", path.display())))
}
