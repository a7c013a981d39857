//! What a user may write to choose a server.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::identity::Identity;
use super::product::Product;
use super::version::{VersionError, VersionPrefix};
use crate::machine::suggestion::closest;

/// A choice of server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerSpec {
    /// The program at this path; a text with a `/` is one.
    Path(PathBuf),
    /// The program of this name on PATH.
    Program(String),
    /// Any server of this product.
    Product(ProductSpec),
}

/// A product, and perhaps the beginning of its version: `valkey`, `valkey@9.1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductSpec {
    /// The product.
    pub product: Product,
    /// The beginning of the version, if it matters.
    pub version: Option<VersionPrefix>,
}

impl ProductSpec {
    /// Whether that server is one of those.
    pub fn matches(&self, identity: &Identity) -> bool {
        self.product == identity.product
            && self
                .version
                .is_none_or(|version| version.matches(identity.version))
    }
}

impl FromStr for ServerSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        if text.is_empty() {
            return Err(SpecError::Empty);
        }
        if text.contains('/') {
            return Ok(Self::Path(text.into()));
        }
        if text.contains('@') || Product::known(text).is_some() {
            return text.parse().map(Self::Product);
        }
        Ok(Self::Program(text.to_owned()))
    }
}

impl FromStr for ProductSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (text, None),
        };
        let product = Product::known(name).ok_or_else(|| SpecError::UnknownProduct {
            name: name.to_owned(),
            suggestion: closest_product(name),
        })?;
        let version = version
            .map(str::parse)
            .transpose()
            .map_err(|cause| SpecError::Version {
                spec: text.to_owned(),
                cause,
            })?;
        Ok(Self { product, version })
    }
}

impl fmt::Display for ServerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(f),
            Self::Program(name) => f.write_str(name),
            Self::Product(product) => product.fmt(f),
        }
    }
}

impl fmt::Display for ProductSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.product.fmt(f)?;
        match self.version {
            Some(version) => write!(f, "@{version}"),
            None => Ok(()),
        }
    }
}

/// The product that `name` may have been meant to be.
fn closest_product(name: &str) -> Option<Product> {
    let name = name.to_ascii_lowercase();
    closest(&name, Product::KNOWN.iter().map(Product::name)).and_then(Product::known)
}

/// Why a text chooses no server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// The text is empty.
    #[error(
        "an empty text names no server: expected a path, the name of a program, `valkey`, `redis` \
         or `product@version`"
    )]
    Empty,
    /// What stands before the `@` is no product.
    #[error("`{name}` is not a product: expected `valkey`, `redis`, `redict` or `keydb`")]
    UnknownProduct {
        /// What stands there.
        name: String,
        /// What may have been meant.
        suggestion: Option<Product>,
    },
    /// What stands behind the `@` is no version.
    #[error("in `{spec}`: {cause}")]
    Version {
        /// The whole text.
        spec: String,
        /// What is wrong with the version.
        cause: VersionError,
    },
}

#[cfg(test)]
mod tests {
    use super::{ProductSpec, ServerSpec, SpecError};
    use crate::server::Product;

    fn parsed(text: &str) -> ServerSpec {
        text.parse().unwrap()
    }

    #[test]
    fn a_text_with_a_slash_is_a_path_whatever_else_is_in_it() {
        for text in [
            "./valkey-server",
            "/opt/valkey@9/bin/valkey-server",
            "bin/redis",
        ] {
            assert_eq!(parsed(text), ServerSpec::Path(text.into()));
        }
    }

    #[test]
    fn a_known_name_is_a_product_and_any_other_a_program() {
        assert_eq!(
            parsed("valkey"),
            ServerSpec::Product(ProductSpec {
                product: Product::Valkey,
                version: None
            })
        );
        assert_eq!(
            parsed("redis-server-7"),
            ServerSpec::Program("redis-server-7".into())
        );
    }

    #[test]
    fn a_product_may_have_the_beginning_of_a_version() {
        assert_eq!(
            parsed("Redis@6.2"),
            ServerSpec::Product(ProductSpec {
                product: Product::Redis,
                version: Some("6.2".parse().unwrap())
            })
        );
    }

    #[test]
    fn a_spec_prints_as_it_is_parsed() {
        for text in ["/bin/x", "my-server", "valkey", "valkey@9.1"] {
            assert_eq!(parsed(text).to_string(), text);
        }
    }

    #[test]
    fn an_unknown_product_is_answered_with_the_nearest() {
        let error = "valky@9.1".parse::<ServerSpec>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`valky` is not a product: expected `valkey`, `redis`, `redict` or `keydb`"
        );
        assert_eq!(error.hint().unwrap().to_string(), "did you mean `valkey`?");
        assert_eq!("mysql@8".parse::<ServerSpec>().unwrap_err().hint(), None);
    }

    #[test]
    fn an_unreadable_version_is_pointed_at() {
        assert_eq!(
            "valkey@9.x".parse::<ServerSpec>().unwrap_err().to_string(),
            "in `valkey@9.x`: `9.x` is not a version: expected a number at character 3"
        );
        assert!("valkey@".parse::<ServerSpec>().is_err());
        assert_eq!("".parse::<ServerSpec>(), Err(SpecError::Empty));
    }
}
