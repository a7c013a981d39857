//! Reads a profile from its file.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::path::absolute;
use super::profile::{Profile, ProfileProblem};

/// More bytes than any profile has.
const MOST: u64 = 1 << 20;

/// A profile that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The file cannot be read.
    #[error("the profile `{}` cannot be read: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// What it says is wrong.
    #[error("the profile `{}` is wrong: {problem}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What, and where.
        problem: ProfileProblem,
    },
}

impl Profile {
    /// Reads the profile in a file. Programs that it names by a path with `/` are found from the file's
    /// folder.
    ///
    /// # Errors
    /// The file cannot be read, or is no profile.
    pub fn read(path: &Path) -> Result<Self, ProfileError> {
        let text = text(path).map_err(|cause| ProfileError::Unreadable {
            path: path.to_owned(),
            cause,
        })?;
        let profile = Self::parse(&text).map_err(|problem| ProfileError::Wrong {
            path: path.to_owned(),
            problem,
        })?;
        let path = absolute(path);
        Ok(match path.parent().and_then(Path::to_str) {
            Some(folder) => profile.found_from(folder),
            None => profile,
        })
    }
}

fn text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    // A pipe or a device does not tell its length.
    let length = File::open(path)?.take(MOST + 1).read_to_string(&mut text)?;
    if length as u64 > MOST {
        let reason = "it is longer than 1 MiB";
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_does_not_tell_its_length_is_not_read_without_end() {
        let error = text(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }
}
