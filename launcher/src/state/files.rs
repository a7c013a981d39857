//! Folders and files, made and removed with errors that name them.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::error::{Error, IoContext as _};

/// What files that are being written are called, until they have their name.
const TEMPORARY: &str = ".tmp";

/// Whether a file is the beginning of one that was never finished.
pub fn is_temporary(name: &OsStr) -> bool {
    name.to_string_lossy().starts_with(TEMPORARY)
}

/// Removes a folder and all that is in it; one that is gone already is fine.
///
/// # Errors
/// Something in it cannot be removed.
pub fn remove_folder(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).doing("remove", folder),
        _ => Ok(()),
    }
}

/// The folders on the way to `folder`, and itself, that do not exist yet, outermost first.
pub fn missing_folders(folder: &Path) -> Vec<PathBuf> {
    let mut missing: Vec<_> = folder
        .ancestors()
        .take_while(|ancestor| !ancestor.as_os_str().is_empty() && !ancestor.exists())
        .map(Path::to_owned)
        .collect();
    missing.reverse();
    missing
}

/// Creates a folder with its parents, for the user only.
///
/// # Errors
/// The first folder that could not be made.
pub fn create_folders(folder: &Path) -> Result<(), Error> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .doing("create", folder)
}

/// Writes a file in one step, readable by its owner only: readers see the old text or the new one.
///
/// # Errors
/// The file cannot be written.
pub fn write_atomically(path: &Path, text: &[u8]) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(TEMPORARY)
        .tempfile_in(folder)
        .doing("write", path)?;
    file.write_all(text).doing("write", path)?;
    file.persist(path)
        .map_err(|error| error.error)
        .doing("write", path)?;
    Ok(())
}
