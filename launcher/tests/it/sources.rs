//! The sources as a reader finds them: few entries to a folder's root, files that are not long, each of
//! which says first what it is for.

use std::fs;
use std::path::{Path, PathBuf};

/// The most bytes of a file.
const LONGEST: usize = 17 * 1024;

/// The folder of one of the two crates.
fn root(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

/// Its source folder.
pub(crate) fn src(name: &str) -> PathBuf {
    root(name).join("src")
}

/// Every source file below a folder.
pub(crate) fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The files of both crates, tests included, of which the text is not as it should be.
fn wrong(is_wrong: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let files = ["launcher", "conformance"]
        .map(root)
        .into_iter()
        .flat_map(|root| ["src", "tests"].map(|folder| sources(&root.join(folder))))
        .flatten();
    files
        .filter(|file| is_wrong(&fs::read_to_string(file).unwrap()))
        .collect()
}

#[test]
fn no_file_is_long() {
    let long = wrong(|text| text.len() > LONGEST);
    assert!(long.is_empty(), "longer than {LONGEST} bytes: {long:#?}");
}

#[test]
fn every_file_says_first_what_it_is_for() {
    let silent = wrong(|text| !text.starts_with("//! "));
    assert!(
        silent.is_empty(),
        "the first line does not begin with `//! `: {silent:#?}"
    );
}

#[test]
fn the_roots_of_the_crates_have_few_entries() {
    for (name, most) in [("launcher", 20), ("conformance", 14)] {
        let entries = fs::read_dir(src(name)).unwrap().count();
        assert!(
            entries <= most,
            "{name}/src has {entries} entries, more than {most}"
        );
    }
}
