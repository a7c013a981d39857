//! Names of clusters.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A cluster's name: 1 to 64 of `a-z A-Z 0-9 . _ -`, not starting with a dot or a dash. It is a
/// folder's name and nothing else can be smuggled in with it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Why a name cannot be a cluster's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{name}` cannot be a cluster's name: {reason}")]
pub struct NameError {
    /// The name given.
    pub name: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl std::str::FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(name: String) -> Result<Self, NameError> {
        let stray = name
            .chars()
            .find(|c| !c.is_ascii_alphanumeric() && !"._-".contains(*c));
        let reason = match (name.as_bytes().first(), stray) {
            (None, _) => "it is empty".to_owned(),
            (_, Some(c)) => format!("it holds {c:?}"),
            (Some(first @ (b'.' | b'-')), _) => format!("it starts with `{}`", char::from(*first)),
            _ if name.len() > 64 => "it is longer than 64 characters".to_owned(),
            _ => return Ok(Self(name)),
        };
        Err(NameError { name, reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_the_state_folder_are_refused() {
        for bad in [
            "",
            ".",
            "..",
            "a/b",
            "../x",
            "-n",
            ".hidden",
            "a b",
            "ä",
            "a\0",
            &"x".repeat(65),
        ] {
            assert!(Name::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
        for good in ["default", "a", "run-12.3_x", &"x".repeat(64)] {
            assert!(Name::try_from(good.to_owned()).is_ok(), "{good:?}");
        }
    }
}
