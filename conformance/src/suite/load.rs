//! Reads transcripts from this build or from files, all of them, with all their errors.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::transcript::{self, lint, lint_ids, lint_path, parse_bytes};

use super::embedded::FIXTURES;
use super::{Case, Origin};

/// A transcript that cannot be read, and everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Where it stands.
    pub path: String,
    /// Its text, as far as it is one.
    pub source: String,
    /// At least one.
    pub errors: Vec<transcript::Error>,
}

/// Why transcripts cannot be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A file or folder.
    #[error("cannot read `{path}`: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Folders without transcripts.
    #[error("no file in {} ends in `.resp`", .0.iter().map(|path| format!("`{}`", path.display())).collect::<Vec<_>>().join(", "))]
    Nothing(Vec<PathBuf>),
    /// Transcripts with mistakes in them.
    #[error("{} of the transcripts cannot be run as they are", .0.len())]
    Broken(Vec<Broken>),
}

/// Reads all transcripts of an origin, in the order of their paths.
///
/// # Errors
/// Every mistake of every file at once; a file that cannot be read; two with the same id.
pub fn load(origin: &Origin) -> Result<Vec<Case>, LoadError> {
    let parsed = sources(origin)?.into_iter();
    let (cases, broken) = split(parsed.map(|(path, source)| parse_case(path, &source)));
    if !broken.is_empty() {
        return Err(LoadError::Broken(broken));
    }
    let all: Vec<_> = cases
        .iter()
        .map(|case| (case.path.as_str(), &case.transcript))
        .collect();
    let twice = lint_ids(&all).into_iter().filter_map(|(place, error)| {
        let case = cases.get(place)?;
        Some(Broken {
            path: case.path.clone(),
            source: case.source.clone(),
            errors: vec![error],
        })
    });
    let twice: Vec<_> = twice.collect();
    if twice.is_empty() {
        Ok(cases)
    } else {
        Err(LoadError::Broken(twice))
    }
}

/// Looks for everything that can be wrong with transcripts, also with those that can be run.
///
/// # Errors
/// As [`load`], and all that the lints find.
pub fn check(origin: &Origin) -> Result<usize, LoadError> {
    let checked = sources(origin)?.into_iter().map(|(path, source)| {
        let case = parse_case(path, &source)?;
        let mut errors = lint(&case.transcript);
        // Where a user keeps his own is his affair.
        if *origin == Origin::Embedded {
            errors.extend(lint_path(&case.path));
        }
        if errors.is_empty() {
            return Ok(());
        }
        errors.sort_by_key(|error| error.span.start);
        Err(Broken {
            path: case.path,
            source: case.source,
            errors,
        })
    });
    let (_, broken) = split(checked);
    if broken.is_empty() {
        load(origin).map(|cases| cases.len())
    } else {
        Err(LoadError::Broken(broken))
    }
}

/// Paths and texts.
fn sources(origin: &Origin) -> Result<Vec<(String, Vec<u8>)>, LoadError> {
    match origin {
        Origin::Embedded => Ok(FIXTURES
            .iter()
            .map(|(path, source)| ((*path).to_owned(), source.as_bytes().to_vec()))
            .collect()),
        Origin::Paths(paths) => files(paths)?
            .into_iter()
            .map(|path| {
                Ok((
                    path.display().to_string(),
                    fs::read(&path).map_err(at(&path))?,
                ))
            })
            .collect(),
    }
}

fn split<T>(results: impl Iterator<Item = Result<T, Broken>>) -> (Vec<T>, Vec<Broken>) {
    let (mut good, mut broken) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => good.push(value),
            Err(error) => broken.push(error),
        }
    }
    (good, broken)
}

/// One transcript from its text. Area and claim are the last two parts of its path.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse_case(path: String, source: &[u8]) -> Result<Case, Broken> {
    let text = String::from_utf8_lossy(source).into_owned();
    match parse_bytes(source) {
        Ok(transcript) => {
            let file = Path::new(&path);
            let part = |part: Option<&std::ffi::OsStr>| {
                part.map_or_else(
                    || "cases".to_owned(),
                    |part| part.to_string_lossy().into_owned(),
                )
            };
            Ok(Case {
                area: part(file.parent().and_then(Path::file_name)),
                claim: part(file.file_stem()),
                path,
                source: text,
                transcript,
            })
        }
        Err(errors) => Err(Broken {
            path,
            source: text,
            errors,
        }),
    }
}

/// The files that paths mean: themselves, or those in a folder that end in `.resp`; each of them once.
///
/// # Errors
/// A path that does not exist, or folders with no transcript in them.
pub fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, LoadError> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            collect(path, &mut found)?;
        } else {
            found.push(path.clone());
        }
    }
    let mut seen = HashSet::new();
    // What cannot be resolved is told of where it is read.
    found.retain(|path| seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.clone())));
    if found.is_empty() {
        return Err(LoadError::Nothing(paths.to_vec()));
    }
    Ok(found)
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), LoadError> {
    let entries = fs::read_dir(folder).map_err(at(folder))?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(at(folder))?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|ending| ending == "resp") {
            found.push(path);
        }
    }
    Ok(())
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> LoadError {
    let path = path.to_owned();
    |source| LoadError::Io { path, source }
}
