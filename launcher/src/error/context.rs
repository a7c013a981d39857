//! From what the system refuses to an error that says which file, and what for.

use std::io;
use std::path::Path;

use super::Error;

/// Says what was being done to which file when the system refused.
pub(crate) trait IoContext<T> {
    /// Wraps the error, as in "cannot `action` `path`: …".
    fn doing(self, action: &'static str, path: &Path) -> Result<T, Error>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn doing(self, action: &'static str, path: &Path) -> Result<T, Error> {
        self.map_err(|source| Error::Io {
            action,
            path: path.to_owned(),
            source,
        })
    }
}
