//! `conformance`: hands over to the other program, as cargo does with its subcommands.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use shardlab::Error;

const PROGRAM: &str = "shardlab-conformance";

/// Becomes `shardlab-conformance`, the one beside this program or the one on PATH.
pub(crate) fn conformance(args: Vec<OsString>) -> Result<u8, Error> {
    let own = std::env::current_exe().ok();
    let folder = own.as_deref().and_then(Path::parent);
    let beside = folder.map(|folder| folder.join(PROGRAM));
    let program = beside
        .filter(|path| path.is_file())
        .or_else(|| which::which(PROGRAM).ok())
        .ok_or_else(|| Error::NoConformance {
            folder: folder.map(Path::to_owned),
        })?;
    let source = Command::new(&program).args(args).exec();
    Err(Error::Io {
        action: "start",
        path: program,
        source,
    })
}
