//! For tests: folders with programs that say what a test tells them to.

use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;

/// A temporary folder of programs.
pub(super) struct Folder(TempDir);

impl Folder {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The folder as the only one on PATH.
    pub(super) fn as_path(&self) -> OsString {
        self.path().into()
    }

    /// Adds a program that runs these shell commands. No program is on its PATH.
    pub(super) fn does(self, program: &str, commands: &str) -> Self {
        let link = self.path().join(program);
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake/server"),
            &link,
        )
        .unwrap();
        std::fs::write(format!("{}.does", link.display()), commands).unwrap();
        self
    }

    /// Adds a program that prints this line, whatever it is asked.
    pub(super) fn says(self, program: &str, line: &str) -> Self {
        self.does(program, &format!("echo '{line}'"))
    }
}
