//! Server programs: which one to use, what it is, what it can do, and where to get one.

mod cache;
mod capabilities;
#[doc(hidden)]
pub mod catalogue;
mod child;
mod error;
#[cfg(test)]
mod fake;
mod fetch;
mod find;
mod identify;
mod identity;
mod list;
mod package_client;
mod path;
mod product;
mod profile;
mod profile_file;
mod search;
mod spec;
mod version;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use child::RunError;
pub(crate) use child::run_words;
pub use error::ServerError;
pub use fetch::{Attempt, FetchError};
pub(crate) use find::find_like;
#[doc(hidden)]
pub use find::{find, find_profiled, install};
pub use identify::ProgramError;
pub use identity::{Identity, IdentityError};
#[doc(hidden)]
pub use list::{Available, Listing, list};
pub use product::{Product, ProductError};
pub(crate) use profile::{
    Formation, Lack, NewNode, PROGRAM_DEADLINE, Place, Quotes, Sign, Start, Template,
};
pub use profile::{Profile, ProfileProblem};
pub use profile_file::ProfileError;
#[doc(hidden)]
pub use search::{Notice, Notify, SearchEnv};
pub use spec::{ProductSpec, ServerSpec, SpecError};
pub use version::{Version, VersionError, VersionPrefix, VersionProblem};

/// A server program that has told its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// The program, as an absolute path.
    pub program: PathBuf,
    /// The name to start it under, its `argv[0]`, where that is not the path: a `redis-check-rdb`
    /// is the server if it is started as `redis-server`.
    pub argv0: Option<String>,
    /// Which server it is.
    pub identity: Identity,
    /// Where it was found.
    pub origin: Origin,
    /// How it is started, if it does not take Redis's configuration.
    pub profile: Option<Box<Profile>>,
}

/// Where a server was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// At the path that was asked for.
    Given,
    /// On PATH.
    Path,
    /// In the cache folder, where an earlier fetch put it.
    Cache,
    /// In the cache folder, fetched just now.
    Fetched,
}
