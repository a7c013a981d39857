//! Which server a program is, read from what it says of itself.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::product::Product;
use super::profile;
use super::version::{Version, VersionError};
use crate::machine::text::excerpt;

/// A product and its version. What such a server can do is asked of its methods.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// Whose server it is.
    pub product: Product,
    /// The version that the product counts by; not the `redis_version` that it pretends to.
    pub version: Version,
}

impl Identity {
    /// Reads the output of `--version`. Its line is one of those in our profiles, or reads as Redis's
    /// does (`version()` in `src/server.c`) with another name, `Disque server v=1.0.0 …`. Other lines,
    /// such as a loader's warnings, are passed over.
    pub fn from_version_output(output: &str) -> Result<Self, IdentityError> {
        output
            .lines()
            .enumerate()
            .find_map(|(index, line)| Some((index + 1, version_line(line)?)))
            .ok_or_else(|| IdentityError::NoVersionLine {
                first: output
                    .lines()
                    .map(str::trim)
                    .find(|line| !line.is_empty())
                    .map(|line| excerpt(line.as_bytes(), 100, 0)),
            })
            .and_then(|(line, (product, version))| {
                let version = Version::of_release(version)
                    .map_err(|cause| IdentityError::Version { line, cause })?;
                Ok(Self { product, version })
            })
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.product, self.version)
    }
}

/// Product and version of a line that names them.
fn version_line(line: &str) -> Option<(Product, &str)> {
    let named = profile::known()
        .find_map(|(product, profile)| Some((product.clone(), profile.version.of_line(line)?)));
    named.or_else(|| {
        let mut words = line.split_whitespace();
        let product = words.next()?.parse().ok()?;
        let is_server = words.next()?.eq_ignore_ascii_case("server");
        let version = words.next()?.strip_prefix("v=")?;
        is_server.then_some((product, version))
    })
}

/// Why the output of `--version` does not tell a server's identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// No line reads `… server v=…`.
    #[error("expected a line `… server v=…`, got {}", quoted(first.as_deref()))]
    NoVersionLine {
        /// The beginning of the first line that is not blank.
        first: Option<String>,
    },
    /// The line is there, with a version that cannot be read.
    #[error("line {line}: {cause}")]
    Version {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with the version.
        cause: VersionError,
    },
}

fn quoted(line: Option<&str>) -> String {
    line.map_or_else(|| "nothing".to_owned(), |line| format!("`{line}`"))
}

#[cfg(test)]
mod tests {
    use super::{Identity, Product};

    fn identified(output: &str) -> String {
        match Identity::from_version_output(output) {
            Ok(identity) => identity.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn every_line_of_servers_is_told_by_its_version_line() {
        for (output, identity) in [
            (
                "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=e08d\n",
                "redis 7.0.15",
            ),
            (
                "Valkey server v=9.1.2 sha=00000000:1 malloc=libc bits=64",
                "valkey 9.1.2",
            ),
            (
                "Server v=7.2.5 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64",
                "valkey 7.2.5",
            ),
            ("Redict server v=7.3.0 sha=00000000:0", "redict 7.3.0"),
            (
                "KeyDB server v=6.3.4 sha=7e7e5e57:0 malloc=jemalloc-5.2.1",
                "keydb 6.3.4",
            ),
            ("Disque server v=1.0.0 sha=0:0", "disque 1.0.0"),
        ] {
            assert_eq!(identified(output), identity);
        }
    }

    #[test]
    fn a_pre_release_is_what_its_numbers_say() {
        assert_eq!(
            identified("Redis server v=7.9.224 sha=0:0"),
            "redis 7.9.224"
        );
        assert_eq!(
            identified("Valkey server v=255.255.255 sha=0:0"),
            "valkey 255.255.255"
        );
        assert_eq!(
            identified("Valkey server v=9.0.0-rc1 sha=0:0"),
            "valkey 9.0.0"
        );
    }

    #[test]
    fn warnings_around_the_version_line_are_passed_over() {
        assert_eq!(
            identified("a warning\n\nRedis server v=6.0.9 sha=0:0\nbye\n"),
            "redis 6.0.9"
        );
    }

    #[test]
    fn what_is_no_version_line_is_quoted() {
        assert_eq!(
            identified("\nredis-cli 7.0.15\n"),
            "expected a line `… server v=…`, got `redis-cli 7.0.15`"
        );
        assert_eq!(
            identified(" \n"),
            "expected a line `… server v=…`, got nothing"
        );
        assert_eq!(
            identified("Server\nRedis server"),
            "expected a line `… server v=…`, got `Server`"
        );
    }

    #[test]
    fn an_unreadable_version_is_placed() {
        assert_eq!(
            identified("warning\nRedis server v=7.0.0.1 sha=0:0"),
            "line 2: `7.0.0.1` is not a version: a fourth number at character 7"
        );
    }

    #[test]
    fn json_has_product_and_version_as_strings() {
        let identity = Identity::from_version_output("KeyDB server v=6.3.4").unwrap();
        let json = serde_json::to_string(&identity).unwrap();
        assert_eq!(json, r#"{"product":"keydb","version":"6.3.4"}"#);
        assert_eq!(serde_json::from_str::<Identity>(&json).unwrap(), identity);
        assert_eq!("Disque".parse(), Ok(Product::Other("disque".to_owned())));
    }

    #[test]
    fn a_products_name_is_short_and_printable() {
        let long = "x".repeat(16_000);
        for name in [&long, "a\u{1b}[2J", "two words", "é"] {
            let output = format!("{name} server v=7.0.0");
            let said = identified(&output);
            assert!(said.starts_with("expected a line"), "{said}");
            assert!(said.len() < 200 && !said.contains('\u{1b}'), "{said}");
            let json = serde_json::json!({ "product": name, "version": "7.0.0" });
            let refused = serde_json::from_value::<Identity>(json).unwrap_err();
            assert!(refused.to_string().len() < 200, "{refused}");
        }
        let digits = format!("Redis server v={}", "1".repeat(16_000));
        assert!(identified(&digits).len() < 200);
    }
}
