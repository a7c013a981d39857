//! Reads transcripts from this build or from files, all of them, with all their errors.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::transcript::{self, parse_bytes};

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
    /// Two transcripts with one id.
    #[error("`{id}` is the id of both `{first}` and `{second}`; ids are never used twice")]
    IdTwice {
        /// The id.
        id: String,
        /// One of them.
        first: String,
        /// The other one.
        second: String,
    },
    /// Transcripts with mistakes in them.
    #[error("{} transcripts cannot be read", .0.len())]
    Broken(Vec<Broken>),
}

/// Reads all transcripts of an origin, in the order of their paths.
///
/// # Errors
/// Every mistake of every file at once; a file that cannot be read; two with the same id.
pub fn load(origin: &Origin) -> Result<Vec<Case>, LoadError> {
    let mut cases = Vec::new();
    let mut broken = Vec::new();
    let mut take = |path: String, source: &[u8]| match parse_case(path, source) {
        Ok(case) => cases.push(case),
        Err(error) => broken.push(error),
    };
    match origin {
        Origin::Embedded => {
            for (path, source) in FIXTURES {
                take((*path).to_owned(), source.as_bytes());
            }
        }
        Origin::Paths(paths) => {
            for path in files(paths)? {
                let source = fs::read(&path).map_err(at(&path))?;
                take(path.display().to_string(), &source);
            }
        }
    }
    if !broken.is_empty() {
        return Err(LoadError::Broken(broken));
    }
    let mut by_id = std::collections::HashMap::new();
    for case in &cases {
        if let Some(first) = by_id.insert(case.id().to_owned(), case.path.clone()) {
            return Err(LoadError::IdTwice {
                id: case.id().to_owned(),
                first,
                second: case.path.clone(),
            });
        }
    }
    Ok(cases)
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

/// The files that paths mean: themselves, or those in a folder that end in `.resp`.
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
