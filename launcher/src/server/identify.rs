//! Asks a program which server it is.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

use super::child::{self, RunError};
use super::identity::{Identity, IdentityError};
use super::product::Product;
use super::profile::Profile;
use super::version::Version;
use crate::machine::text::excerpt;

/// How long a program may take to tell its version.
pub(super) const DEADLINE: Duration = Duration::from_secs(10);

/// Runs `program --version`, under the name `argv0` if there is one, and reads the answer.
pub(super) async fn identify(
    program: &Path,
    argv0: Option<&str>,
    deadline: Duration,
) -> Result<Identity, ProgramError> {
    check_executable(program)?;
    let mut command = Command::new(program);
    if let Some(name) = argv0 {
        command.arg0(name);
    }
    let output = child::run(command.arg("--version"), deadline)
        .await
        .map_err(|cause| ProgramError::NoVersion {
            program: program.to_owned(),
            cause,
        })?;
    Identity::from_version_output(&output).map_err(|cause| ProgramError::NotAServer {
        program: program.to_owned(),
        cause,
    })
}

/// Asks a program for its version in the way of its profile.
pub(super) async fn identify_profiled(
    program: &Path,
    profile: &Profile,
    deadline: Duration,
) -> Result<Identity, ProgramError> {
    check_executable(program)?;
    let product = Product::Other(profile.name.to_ascii_lowercase());
    let question = &profile.version;
    if let Some(version) = question.is {
        return Ok(Identity { product, version });
    }
    let mut command = Command::new(program);
    let output = child::run(command.args(&question.arguments), deadline).await;
    let unknown = |why| ProgramError::NotAsProfiled {
        program: program.to_owned(),
        arguments: question.arguments.join(" "),
        why,
    };
    let output = output.map_err(|cause| match cause {
        RunError::NotStarted(_) => ProgramError::NoVersion {
            program: program.to_owned(),
            cause,
        },
        cause => unknown(cause.to_string()),
    })?;
    let version = output.lines().find_map(|line| question.of_line(line));
    let version = version.map(Version::of_release).and_then(Result::ok);
    let said = || {
        unknown(format!(
            "it said `{}`",
            excerpt(output.trim().as_bytes(), 200, 0)
        ))
    };
    Ok(Identity {
        product,
        version: version.ok_or_else(said)?,
    })
}

/// Tells apart the mistakes that the system answers alike, or not at all, when a program is started.
fn check_executable(program: &Path) -> Result<(), ProgramError> {
    let program = || program.to_owned();
    let metadata = std::fs::metadata(program()).map_err(|cause| match cause.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ProgramError::Missing(program()),
        _ => ProgramError::Unreachable {
            program: program(),
            cause,
        },
    })?;
    if metadata.is_dir() {
        Err(ProgramError::Folder(program()))
    } else if metadata.permissions().mode() & 0o111 == 0 {
        Err(ProgramError::NotExecutable(program()))
    } else {
        Ok(())
    }
}

/// Why a program is not a server that we can use.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// There is no such file.
    #[error("the program `{}` does not exist", .0.display())]
    Missing(PathBuf),
    /// The path leads to a folder.
    #[error("`{}` is a folder, not a program", .0.display())]
    Folder(PathBuf),
    /// The file has no execute permission.
    #[error("`{}` is not executable", .0.display())]
    NotExecutable(PathBuf),
    /// The system does not let us look at the file.
    #[error("`{}` cannot be looked at: {cause}", program.display())]
    Unreachable {
        /// The path.
        program: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// `--version` failed or hung.
    #[error("`{} --version` gave no answer: {cause}", program.display())]
    NoVersion {
        /// The path.
        program: PathBuf,
        /// How it failed.
        cause: RunError,
    },
    /// It told its version in no line that its profile has.
    #[error("`{} {arguments}` did not tell the version as the profile says: {why}", program.display())]
    NotAsProfiled {
        /// The path.
        program: PathBuf,
        /// What it was started with.
        arguments: String,
        /// The beginning of what it said, or why it said nothing.
        why: String,
    },
    /// `--version` answered as no Redis-like server does.
    #[error("`{}` is not a server: from `--version` {cause}", program.display())]
    NotAServer {
        /// The path.
        program: PathBuf,
        /// What it answered.
        cause: IdentityError,
    },
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{DEADLINE, ProgramError, identify};
    use crate::server::fake::Folder;

    /// What comes of asking `program` of that folder, with the folder's path left out.
    async fn asked(folder: &Folder, program: &str) -> String {
        match identify(&folder.path().join(program), None, DEADLINE).await {
            Ok(identity) => identity.to_string(),
            Err(error) => error
                .to_string()
                .replace(&format!("{}/", folder.path().display()), ""),
        }
    }

    #[tokio::test]
    async fn a_server_is_known_by_its_version_line() {
        let folder = Folder::new().says("valkey-server", "Valkey server v=9.1.2 sha=0:0");
        assert_eq!(asked(&folder, "valkey-server").await, "valkey 9.1.2");
    }

    #[tokio::test]
    async fn each_way_not_to_be_a_server_has_its_own_error() {
        let folder = Folder::new()
            .says("cli", "redis-cli 7.0.15")
            .does("broken", "echo 'no such library' >&2; exit 127");
        std::fs::write(folder.path().join("text"), "").unwrap();
        std::fs::create_dir(folder.path().join("bin")).unwrap();
        for (program, error) in [
            ("none", "the program `none` does not exist"),
            ("text/none", "the program `text/none` does not exist"),
            ("bin", "`bin` is a folder, not a program"),
            ("text", "`text` is not executable"),
            (
                "cli",
                "`cli` is not a server: from `--version` expected a line `… server v=…`, \
                 got `redis-cli 7.0.15`",
            ),
            (
                "broken",
                "`broken --version` gave no answer: it ended with exit status: 127 and said \
                 `no such library`",
            ),
        ] {
            assert_eq!(asked(&folder, program).await, error);
        }
    }

    #[tokio::test]
    async fn a_program_that_hangs_is_given_up() {
        let folder = Folder::new().does("slow", "exec /bin/sleep 1000");
        let program = folder.path().join("slow");
        let error = identify(&program, None, Duration::from_millis(50))
            .await
            .unwrap_err();
        assert!(matches!(error, ProgramError::NoVersion { .. }), "{error}");
    }
}
