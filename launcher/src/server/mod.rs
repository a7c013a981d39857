//! Server programs: which one to use, what it is, what it can do, and where to get one.

mod capabilities;
mod identity;
mod spec;
mod version;

pub use identity::{Identity, IdentityError, Product};
pub use spec::{ProductSpec, ServerSpec, SpecError};
pub use version::{Version, VersionError, VersionPrefix, VersionProblem};
