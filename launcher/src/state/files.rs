//! Folders and files, made, read, replaced and removed with errors that name them.

use std::ffi::OsStr;
use std::fs::{self, File, FileType, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use crate::config::is_ours;
use crate::error::{Error, IoContext as _};

/// The most bytes that are read of a file that is read whole. The record of a thousand nodes has half
/// a megabyte.
const MOST: u64 = 64 << 20;

/// How many symbolic links are followed to the file that they lead to (Linux: `MAXSYMLINKS`, namei.h).
const MOST_LINKS: usize = 40;

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

/// Removes what stands in the place of a file of ours. A folder that somebody has put something into
/// gets another name instead: `NAME.aside`, `NAME.aside-2`, …
///
/// # Errors
/// It can be neither removed nor renamed.
pub fn set_aside(path: &Path) -> Result<(), Error> {
    let is_folder = path.symlink_metadata().is_ok_and(|found| found.is_dir());
    let removed = if is_folder {
        fs::remove_dir(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => rename_aside(path),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).doing("remove", path),
        _ => Ok(()),
    }
}

/// Gives what is at `path` the name `NAME.aside`, `NAME.aside-2`, …
///
/// # Errors
/// It cannot be renamed.
pub fn rename_aside(path: &Path) -> Result<(), Error> {
    let mut name = path.as_os_str().to_owned();
    name.push(".aside");
    let numbered = (2..).map(|number| {
        let mut name = name.clone();
        name.push(format!("-{number}"));
        name
    });
    let names = std::iter::once(name.clone()).chain(numbered);
    let free = names
        .map(PathBuf::from)
        .find(|name| name.symlink_metadata().is_err());
    free.map_or(Ok(()), |free| fs::rename(path, free))
        .doing("rename", path)
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

/// Makes the folder of a node, which must not exist.
pub(crate) fn make_node_folder(dir: &Path) -> Result<(), Error> {
    fs::DirBuilder::new()
        .mode(0o700)
        .create(dir)
        .doing("create", dir)
}

/// Opens a file that must be a regular one. Nothing that may stand in its place is waited for, as
/// the other end of a FIFO would be.
///
/// # Errors
/// What the system says; something else than a regular file is there.
pub fn open_regular(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file = match options.custom_flags(flags.bits()).open(path) {
        Ok(file) => file,
        // "No such device or address" of a FIFO, "is a directory": the file's type says it better.
        Err(error) if path.is_symlink() && fs::metadata(path).is_err() => {
            let reason = "it is a link that leads nowhere";
            return Err(io::Error::new(error.kind(), reason));
        }
        Err(error) => return Err(refuse_special(path).err().unwrap_or(error)),
    };
    match kind_of(file.metadata()?.file_type()) {
        None => Ok(file),
        Some(kind) => Err(not_regular(kind)),
    }
}

/// Whether a file could not be opened because there is none.
pub fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Reads a regular file of at most 64 MiB.
///
/// # Errors
/// As [`open_regular`]; the file is longer.
pub fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    let file = open_regular(path, OpenOptions::new().read(true))?;
    let mut text = Vec::new();
    file.take(MOST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MOST {
        let reason = format!("it is longer than {} MiB", MOST >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    Ok(text)
}

/// The same as text; bytes that are no UTF-8 are replaced.
///
/// # Errors
/// As [`read_regular`].
pub fn read_text(path: &Path) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&read_regular(path)?).into_owned())
}

/// Refuses what is at `path` unless it is a regular file or nothing; links are followed.
fn refuse_special(path: &Path) -> io::Result<()> {
    match fs::metadata(path).map(|found| kind_of(found.file_type())) {
        Ok(Some(kind)) => Err(not_regular(kind)),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The regular file that writing to `path` means: `path` itself, or what symbolic links lead to. It
/// need not exist; the folder that it is in must, and is resolved.
///
/// # Errors
/// What the system says; something else than a regular file is there, which must not be replaced.
pub fn target_of(path: &Path) -> io::Result<PathBuf> {
    let mut path = std::path::absolute(path)?;
    for _ in 0..=MOST_LINKS {
        let Some((folder, name)) = path.parent().zip(path.file_name()) else {
            return Err(not_regular("a directory"));
        };
        let folder = fs::canonicalize(folder)?;
        let here = folder.join(name);
        match fs::symlink_metadata(&here).map(|found| found.file_type()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(here),
            Err(error) => return Err(error),
            Ok(found) if found.is_symlink() => path = folder.join(fs::read_link(&here)?),
            Ok(found) => return kind_of(found).map_or(Ok(here), |kind| Err(not_regular(kind))),
        }
    }
    Err(io::Error::other("too many symbolic links lead to it"))
}

/// What a file is, unless it is a regular one.
fn kind_of(file: FileType) -> Option<&'static str> {
    match file {
        file if file.is_file() => None,
        file if file.is_dir() => Some("a directory"),
        file if file.is_fifo() => Some("a FIFO"),
        file if file.is_socket() => Some("a socket"),
        file if file.is_symlink() => Some("a symbolic link"),
        _ => Some("a device"),
    }
}

fn not_regular(kind: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("it is {kind}, not a regular file"),
    )
}

/// Replaces a file of the user's in one step; links are followed, and a file that is there keeps its
/// permissions.
///
/// # Errors
/// As [`target_of`]; the file cannot be written, and the old one is still there.
pub fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let path = target_of(path)?;
    let mode = fs::metadata(&path).map_or(0o644, |file| file.permissions().mode());
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(TEMPORARY)
        .tempfile_in(folder)?;
    file.write_all(text)?;
    file.as_file()
        .set_permissions(Permissions::from_mode(mode))?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
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

/// Whether a launcher has written a config for a node that lives in `dir`. A server that rewrites its config
/// names its folder by the path without links (`getcwd`).
pub(crate) fn is_config_of(config: &str, dir: &Path) -> bool {
    let real = || {
        let parent = dir.parent()?.canonicalize().ok()?;
        Some(parent.join(dir.file_name()?))
    };
    is_ours(config, dir) || real().is_some_and(|real| is_ours(config, &real))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use nix::sys::stat::Mode;

    use super::*;

    /// What may stand where a file is expected, each with the words for it.
    fn oddities(folder: &Path) -> Vec<(PathBuf, &'static str)> {
        let path = |name: &str| folder.join(name);
        fs::create_dir(path("folder")).unwrap();
        nix::unistd::mkfifo(&path("fifo"), Mode::S_IRWXU).unwrap();
        symlink("fifo", path("to-fifo")).unwrap();
        symlink("loop", path("loop")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        vec![
            (path("folder"), "a directory"),
            (path("fifo"), "a FIFO"),
            (path("to-fifo"), "a FIFO"),
            (path("socket"), "a socket"),
            (path("loop"), "link"),
        ]
    }

    #[test]
    fn what_is_not_a_regular_file_is_neither_read_nor_replaced() {
        let folder = tempfile::tempdir().unwrap();
        for (path, words) in oddities(folder.path()) {
            let write = open_regular(&path, OpenOptions::new().append(true).create(true));
            for refused in [
                read_regular(&path).map(drop),
                replace(&path, b"new"),
                write.map(drop),
            ] {
                let refused = refused.unwrap_err().to_string();
                assert!(refused.contains(words), "{}: {refused}", path.display());
            }
            let is_left = path.symlink_metadata().is_ok_and(|found| !found.is_file());
            assert!(is_left, "{} was replaced", path.display());
        }
        let device = Path::new("/dev/zero");
        for refused in [read_regular(device).map(drop), target_of(device).map(drop)] {
            let refused = refused.unwrap_err().to_string();
            assert_eq!(refused, "it is a device, not a regular file");
        }
    }

    #[test]
    fn a_file_is_replaced_where_links_lead_and_keeps_its_permissions() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "old").unwrap();
        fs::set_permissions(path("file"), Permissions::from_mode(0o640)).unwrap();
        symlink("file", path("link")).unwrap();
        symlink("made", path("dangling")).unwrap();
        replace(&path("link"), b"new").unwrap();
        replace(&path("dangling"), b"new").unwrap();
        assert_eq!(read_text(&path("file")).unwrap(), "new");
        assert_eq!(read_text(&path("made")).unwrap(), "new");
        assert!(path("link").is_symlink());
        let mode = fs::metadata(path("file")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
    }

    #[test]
    fn a_file_without_end_is_not_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sparse");
        File::create(&path).unwrap().set_len(MOST + 1).unwrap();
        let refused = read_regular(&path).unwrap_err().to_string();
        assert_eq!(refused, "it is longer than 64 MiB");
    }
}
