//! The lines of servers, and what they are called. Pure.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::machine::text::excerpt;

/// A line of servers. The order is the one in which we choose among them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Product {
    /// Valkey, the BSD-licensed fork of Redis 7.2.4.
    Valkey,
    /// Redis itself.
    Redis,
    /// Redict, the LGPL-licensed fork of Redis 7.2.4.
    Redict,
    /// KeyDB, the multithreaded fork of Redis 6.2.
    KeyDb,
    /// A server that calls itself something else, in lower case: [`Product::is_name`].
    Other(String),
}

impl Product {
    /// The products that have a name of their own here, in the order of choice.
    pub const KNOWN: [Self; 4] = [Self::Valkey, Self::Redis, Self::Redict, Self::KeyDb];

    /// The lower-case name.
    pub fn name(&self) -> &str {
        match self {
            Self::Valkey => "valkey",
            Self::Redis => "redis",
            Self::Redict => "redict",
            Self::KeyDb => "keydb",
            Self::Other(name) => name,
        }
    }

    /// The file name of its server program: `valkey-server`.
    pub fn program(&self) -> String {
        format!("{self}-server")
    }

    /// Whether a product may be called so: at most 32 letters, digits, `-`, `_` and `.`.
    pub fn is_name(text: &str) -> bool {
        let fits = |letter: u8| letter.is_ascii_alphanumeric() || b"-_.".contains(&letter);
        (1..=32).contains(&text.len()) && text.bytes().all(fits)
    }

    /// The known product of that name, in whatever case it is written.
    pub fn known(name: &str) -> Option<Self> {
        Self::KNOWN
            .into_iter()
            .find(|product| product.name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Product {
    type Err = ProductError;

    fn from_str(name: &str) -> Result<Self, ProductError> {
        match Self::known(name) {
            Some(known) => Ok(known),
            None if Self::is_name(name) => Ok(Self::Other(name.to_ascii_lowercase())),
            None => Err(ProductError {
                name: excerpt(name.as_bytes(), 32, 0),
            }),
        }
    }
}

/// A text that is no product's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a product's name: expected at most 32 letters, digits, `-`, `_` and `.`")]
pub struct ProductError {
    /// Its beginning.
    name: String,
}

impl From<Product> for String {
    fn from(product: Product) -> Self {
        product.to_string()
    }
}

impl TryFrom<String> for Product {
    type Error = ProductError;

    fn try_from(name: String) -> Result<Self, ProductError> {
        name.parse()
    }
}
