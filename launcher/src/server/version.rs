//! Versions of servers, and the beginnings of versions that users ask for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A server's version: three numbers. A pre-release counts as what it prints: 7.9.224 comes
/// after 7.4 and before 8.0.0, and 255.255.255, an unreleased build, after everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Version {
    /// The 7 of 7.0.15.
    pub major: u32,
    /// The 0 of 7.0.15.
    pub minor: u32,
    /// The 15 of 7.0.15.
    pub patch: u32,
}

impl Version {
    /// The version `major.minor.patch`.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }

    /// The numbers of a version that a program tells; a pre-release may say `9.0.0-rc1`.
    pub(super) fn of_release(text: &str) -> Result<Self, VersionError> {
        let numbers = text
            .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
            .map_or(text, |end| text.split_at(end).0);
        // The longest version that there can be has 32 characters.
        numbers.get(..40).unwrap_or(numbers).parse()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Takes one to three numbers with dots between; those left out are 0.
impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let prefix = VersionPrefix::from_str(text)?;
        Ok(Self::new(
            prefix.major,
            prefix.minor.unwrap_or(0),
            prefix.patch.unwrap_or(0),
        ))
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

impl TryFrom<String> for Version {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, VersionError> {
        text.parse()
    }
}

/// The beginning of a version, as a user asks for it: `9`, `9.1` or `9.1.2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VersionPrefix {
    major: u32,
    minor: Option<u32>,
    patch: Option<u32>,
}

impl VersionPrefix {
    /// Whether `version` begins with these numbers: 9.1 matches 9.1.2, and not 9.10.0.
    pub fn matches(&self, version: Version) -> bool {
        self.major == version.major
            && self.minor.is_none_or(|minor| minor == version.minor)
            && self.patch.is_none_or(|patch| patch == version.patch)
    }
}

impl fmt::Display for VersionPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.major)?;
        for number in [self.minor, self.patch].into_iter().flatten() {
            write!(f, ".{number}")?;
        }
        Ok(())
    }
}

impl FromStr for VersionPrefix {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let mut numbers = Numbers { text, column: 1 };
        let major = numbers.next(text)?;
        let Some((_, rest)) = text.split_once('.') else {
            return Ok(Self {
                major,
                minor: None,
                patch: None,
            });
        };
        let minor = Some(numbers.next(rest)?);
        let patch = match rest.split_once('.') {
            Some((_, rest)) => Some(numbers.last(rest)?),
            None => None,
        };
        Ok(Self {
            major,
            minor,
            patch,
        })
    }
}

/// Reads the numbers of a version from left to right and knows where it is.
struct Numbers<'a> {
    text: &'a str,
    /// The character, counted from 1, at which the number to be read begins.
    column: usize,
}

impl Numbers<'_> {
    /// The number that `rest` begins with, up to the next dot.
    fn next(&mut self, rest: &str) -> Result<u32, VersionError> {
        let digits = rest.split('.').next().unwrap_or_default();
        let good = digits.bytes().take_while(u8::is_ascii_digit).count();
        if digits.is_empty() || good < digits.len() {
            return Err(self.error(good, VersionProblem::ExpectedNumber));
        }
        let number = digits
            .parse()
            .map_err(|_| self.error(0, VersionProblem::NumberTooLarge))?;
        self.column += digits.len() + 1;
        Ok(number)
    }

    /// The number that `rest` consists of.
    fn last(&mut self, rest: &str) -> Result<u32, VersionError> {
        let number = self.next(rest)?;
        if rest.contains('.') {
            return Err(self.error(0, VersionProblem::FourthNumber));
        }
        Ok(number)
    }

    fn error(&self, offset: usize, problem: VersionProblem) -> VersionError {
        VersionError {
            text: self.text.to_owned(),
            column: self.column + offset,
            problem,
        }
    }
}

/// Why a text is no version, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a version: {problem} at character {column}")]
pub struct VersionError {
    /// The whole text.
    pub text: String,
    /// The character that is wrong, counted from 1; one past the end if something is missing.
    pub column: usize,
    /// What is wrong with it.
    pub problem: VersionProblem,
}

/// What can be wrong with a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VersionProblem {
    /// Something else stands where a digit is due.
    #[error("expected a number")]
    ExpectedNumber,
    /// A number does not fit 32 bits.
    #[error("a number too large")]
    NumberTooLarge,
    /// There are more than three numbers.
    #[error("a fourth number")]
    FourthNumber,
}

#[cfg(test)]
mod tests {
    use super::{Version, VersionPrefix};

    #[test]
    fn one_to_three_numbers_are_a_version() {
        for (text, version) in [
            ("7.0.15", Version::new(7, 0, 15)),
            ("9.1", Version::new(9, 1, 0)),
            ("8", Version::new(8, 0, 0)),
            ("255.255.255", Version::new(255, 255, 255)),
        ] {
            assert_eq!(text.parse(), Ok(version));
        }
    }

    #[test]
    fn an_error_points_at_the_wrong_character() {
        for (text, message) in [
            ("", "`` is not a version: expected a number at character 1"),
            (
                "9.x",
                "`9.x` is not a version: expected a number at character 3",
            ),
            (
                "9.1a",
                "`9.1a` is not a version: expected a number at character 4",
            ),
            (
                "9.",
                "`9.` is not a version: expected a number at character 3",
            ),
            (
                "+9",
                "`+9` is not a version: expected a number at character 1",
            ),
            (
                "9.é",
                "`9.é` is not a version: expected a number at character 3",
            ),
            (
                "1.2.3.4",
                "`1.2.3.4` is not a version: a fourth number at character 7",
            ),
            (
                "1.4294967296",
                "`1.4294967296` is not a version: a number too large at character 3",
            ),
        ] {
            assert_eq!(text.parse::<Version>().unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn versions_order_by_number_and_not_by_letter() {
        assert!(Version::new(6, 2, 14) > Version::new(6, 2, 9));
        assert!(Version::new(10, 0, 0) > Version::new(9, 9, 9));
        assert!(Version::new(7, 9, 224) < Version::new(8, 0, 0));
    }

    #[test]
    fn a_prefix_matches_what_begins_with_it() {
        let matches = |prefix: &str, version: &str| {
            let prefix: VersionPrefix = prefix.parse().unwrap();
            prefix.matches(version.parse().unwrap())
        };
        assert!(matches("9", "9.1.2"));
        assert!(matches("9.1", "9.1.2"));
        assert!(matches("9.1.2", "9.1.2"));
        assert!(!matches("9.1", "9.10.0"));
        assert!(!matches("9.1.2", "9.1.20"));
        assert!(!matches("9", "8.1.8"));
    }

    #[test]
    fn a_prefix_prints_as_it_was_typed() {
        for text in ["9", "9.1", "9.1.2"] {
            assert_eq!(text.parse::<VersionPrefix>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn json_has_a_version_as_a_string() {
        let version = Version::new(7, 0, 15);
        let json = serde_json::to_string(&version).unwrap();
        assert_eq!(json, r#""7.0.15""#);
        assert_eq!(serde_json::from_str::<Version>(&json).unwrap(), version);
    }
}
