//! The dump of a node that keeps its data in memory only, while a snapshot of it is taken: what was
//! there before comes back afterwards, also if that was interrupted. A node that finds a dump when it
//! is started loads it.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;

use crate::error::{Error, IoContext as _};
use crate::state::{create_folders, remove_folder, write_atomically};

/// The folder, in the node's, that holds what was there before.
const ASIDE: &str = ".tmp-save";
/// The dump from before in it, if there was one.
const OLD: &str = "old.rdb";
/// The name of the dump; nothing has been changed before it is written.
const NAME: &str = "name";

/// Keeps the dump at `path`, or that there is none, until [`put_back`].
///
/// # Errors
/// Something cannot be written.
pub(crate) fn put_aside(path: &Path) -> Result<(), Error> {
    let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(());
    };
    let aside = dir.join(ASIDE);
    if aside.join(NAME).is_file() {
        // Of a snapshot that was interrupted: what is at `path` now is that one's.
        return Ok(());
    }
    remove_folder(&aside)?;
    create_folders(&aside)?;
    match fs::hard_link(path, aside.join(OLD)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(error).doing("keep", path);
        }
        _ => {}
    }
    write_atomically(&aside.join(NAME), name.as_encoded_bytes())
}

/// Makes the dump in a node's folder what it was when it was put aside; does nothing if none was.
///
/// # Errors
/// Something cannot be written or removed; whoever tries again goes on.
pub(crate) fn put_back(dir: &Path) -> Result<(), Error> {
    let aside = dir.join(ASIDE);
    let note = aside.join(NAME);
    if let Some(name) = read_name(&note)? {
        let path = dir.join(name);
        let old = aside.join(OLD);
        let put_back = if old.exists() {
            // A second name of it: the first one is there for whoever has to do this again.
            let again = aside.join("again.rdb");
            let _ = fs::remove_file(&again);
            fs::hard_link(&old, &again).and_then(|()| fs::rename(&again, &path))
        } else {
            fs::remove_file(&path)
        };
        match put_back {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).doing("put back", &path);
            }
            _ => fs::remove_file(&note).doing("remove", &note)?,
        }
    }
    remove_folder(&aside)
}

/// The name that was noted, if it is one of a file in the same folder.
fn read_name(note: &Path) -> Result<Option<OsString>, Error> {
    match fs::read(note) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        name => {
            let name = OsString::from_vec(name.doing("read", note)?);
            let is_name = Path::new(&name)
                .file_name()
                .is_some_and(|file| *file == *name);
            Ok(Some(name).filter(|_| is_name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_is_what_it_was_also_after_an_interruption() {
        for old in [None, Some("old")] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("dump.rdb");
            if let Some(old) = old {
                fs::write(&path, old).unwrap();
            }
            put_back(dir.path()).unwrap();
            assert_eq!(fs::read_to_string(&path).ok().as_deref(), old);
            put_aside(&path).unwrap();
            for snapshot in ["of the first, which was killed", "of the second"] {
                // As servers write it: a new file takes the name.
                let temporary = dir.path().join("temp-1.rdb");
                fs::write(&temporary, snapshot).unwrap();
                fs::rename(temporary, &path).unwrap();
                put_aside(&path).unwrap();
            }
            put_back(dir.path()).unwrap();
            assert_eq!(fs::read_to_string(&path).ok().as_deref(), old);
            let left = fs::read_dir(dir.path()).unwrap().count();
            assert_eq!(left, usize::from(old.is_some()));
        }
    }

    #[test]
    fn what_is_no_name_of_a_file_here_is_left_alone() {
        let outside = tempfile::tempdir().unwrap();
        let (dir, file) = (outside.path().join("node"), outside.path().join("file"));
        fs::create_dir_all(dir.join(ASIDE)).unwrap();
        fs::write(&file, "of others").unwrap();
        fs::write(dir.join(ASIDE).join(NAME), "../file").unwrap();
        put_back(&dir).unwrap();
        assert!(file.exists());
    }
}
