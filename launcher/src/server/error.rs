//! Why there is no server.

use super::fetch::FetchError;
use super::identify::ProgramError;
use super::identity::Identity;
use super::spec::ProductSpec;
use crate::machine::message::{Text, text};
use crate::machine::parameter::Parameter;

/// Why no server was found, or none installed. The message is complete: it has the causes in it.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The program that was asked for is not a server that we can use.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The program that was asked for by name is not on PATH.
    #[error("the program `{name}` is not on PATH")]
    NotOnPath {
        /// Its name.
        name: String,
        /// A product or program that may have been meant.
        suggestion: Option<String>,
    },
    /// None of the servers that are asked for is here, and nothing may be fetched.
    #[error("{}", none_offline(.0.as_ref()))]
    NoneOffline(Option<ProductSpec>),
    /// The server to be installed is not here, and nothing may be fetched.
    #[error("{}", not_cached(.0))]
    Offline(Identity),
    /// None of the servers that are asked for is here, nor can it be fetched.
    #[error("the server `{0}` is not on PATH, in the cache or in the catalogue")]
    NotInCatalogue(ProductSpec),
    /// The catalogue has no build of it for this operating system and processor.
    #[error(
        "{0} cannot be fetched for {os} on {arch}",
        os = std::env::consts::OS,
        arch = std::env::consts::ARCH
    )]
    NotForThisMachine(Identity),
    /// The licence of the server has to be accepted first.
    #[error("`{spec}` is not fetched unasked: its licence is {licence}")]
    LicenceNotAccepted {
        /// The server.
        spec: String,
        /// Its licence.
        licence: &'static str,
    },
    /// A product that is known was asked for together with a profile.
    #[error("`{0}` needs no profile: a profile is for a program that shardlab does not know")]
    NeedsNoProfile(ProductSpec),
    /// None of the programs of a profile is there.
    #[error("no program of the profile `{profile}` is there: looked for {}", programs.join(", "))]
    NoProgram {
        /// The profile's name.
        profile: String,
        /// The programs.
        programs: Vec<String>,
    },
    /// A server was to be fetched, and was not.
    #[error(transparent)]
    Fetch(#[from] FetchError),
}

impl ServerError {
    /// What is wrong.
    pub fn message(&self) -> Text {
        match self {
            Self::NoneOffline(wanted) => none_offline(wanted.as_ref()),
            Self::Offline(server) => not_cached(server),
            // These speak of no parameter.
            other => other.to_string().into(),
        }
    }
}

fn none_offline(wanted: Option<&ProductSpec>) -> Text {
    let none = wanted.map_or_else(
        || "no server is".to_owned(),
        |wanted| format!("the server `{wanted}` is not"),
    );
    text![
        format!("{none} on PATH or in the cache, and "),
        Parameter::Offline,
        " forbids fetching one"
    ]
}

fn not_cached(server: &Identity) -> Text {
    text![
        format!("{server} is not in the cache, and "),
        Parameter::Offline,
        " forbids fetching it"
    ]
}
