//! Puts the transcripts and the lists of known departures into the build, so that the program
//! works outside of the checkout.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

fn main() -> io::Result<()> {
    // Of this build: the script may have been compiled for another checkout that shares the target folder.
    let root = told("CARGO_MANIFEST_DIR")?.join("..").canonicalize()?;
    let mut code = String::new();
    for (name, doc, folder, ending) in [
        (
            "FIXTURES",
            "Paths and texts of the transcripts.",
            "fixtures",
            "resp",
        ),
        (
            "KNOWN",
            "Paths and texts of the lists of known departures.",
            "known",
            "txt",
        ),
    ] {
        let mut files = Vec::new();
        collect(&root.join(folder), ending, &mut files)?;
        files.sort();
        let _ = writeln!(
            code,
            "/// {doc}\npub(crate) const {name}: &[(&str, &str)] = &["
        );
        for file in files {
            // As text, so that `{:?}` writes a literal.
            let shown = file
                .strip_prefix(&root)
                .unwrap_or(&file)
                .display()
                .to_string();
            let file = file.display().to_string();
            let _ = writeln!(code, "    ({shown:?}, include_str!({file:?})),");
        }
        code.push_str("];\n");
    }
    fs::write(told("OUT_DIR")?.join("embedded.rs"), code)
}

/// All files with this ending, also in folders below. A folder that is not there has none.
fn collect(folder: &Path, ending: &str, files: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, ending, files)?;
        } else if path.extension().is_some_and(|found| found == ending) {
            files.push(path);
        }
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is how cargo talks to a build script"
)]
fn told(variable: &str) -> io::Result<PathBuf> {
    let missing = || io::Error::other(format!("cargo has set no `{variable}`"));
    std::env::var_os(variable)
        .map(PathBuf::from)
        .ok_or_else(missing)
}
