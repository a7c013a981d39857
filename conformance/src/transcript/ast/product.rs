//! Which server a line is for: `[redis>=7.0 valkey redict]`.

use std::fmt;

use crate::transcript::span::Spanned;

use super::Comment;

/// A server's version as far as conditions look: three numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Major, minor, patch; what is not written is 0.
    pub numbers: [u32; 3],
}

impl Version {
    /// The numbers at the start of `text`: `8.1`, `7.2.4`, `9.0.0-rc1`.
    pub fn parse(text: &str) -> Option<Self> {
        let end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let mut numbers = [0; 3];
        let mut parts = text.get(..end)?.trim_end_matches('.').split('.');
        for (place, number) in numbers.iter_mut().enumerate() {
            match parts.next() {
                Some(part) => *number = part.parse().ok()?,
                None if place == 0 => return None,
                None => break,
            }
        }
        Some(Self { numbers })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(f, "{major}.{minor}")?;
        match patch {
            0 => Ok(()),
            patch => write!(f, ".{patch}"),
        }
    }
}

/// One product and the versions of it that are meant: `redis>=6.2<7.0`, `valkey`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductRange {
    /// Lower case: `redis`, `valkey`, `redict`, `keydb` or any other product's name.
    pub product: String,
    /// The first version that is meant. `>7.2` is read as `>=7.3`.
    pub from: Option<Version>,
    /// The first version that is no longer meant. `<=7.2` is read as `<7.3`: 7.2.4 is a 7.2.
    pub below: Option<Version>,
}

impl fmt::Display for ProductRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.product)?;
        if let Some(from) = self.from {
            write!(f, ">={from}")?;
        }
        if let Some(below) = self.below {
            write!(f, "<{below}")?;
        }
        Ok(())
    }
}

/// Products that a condition names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Products {
    /// The ranges, in the order they were written.
    pub ranges: Vec<Spanned<ProductRange>>,
    /// Whether `*` stands at the end: every product that no range names.
    pub others: bool,
}

impl Products {
    /// Whether `version` of `product` is meant.
    pub fn admit(&self, product: &str, version: Version) -> bool {
        let mut named = false;
        for range in self.ranges.iter().filter(|range| range.product == product) {
            named = true;
            if range.from.is_none_or(|from| from <= version)
                && range.below.is_none_or(|below| version < below)
            {
                return true;
            }
        }
        self.others && !named
    }

    /// Whether a range names `product`, at whatever version.
    pub fn name(&self, product: &str) -> bool {
        self.ranges.iter().any(|range| range.product == product)
    }
}

impl fmt::Display for Products {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ranges = self.ranges.iter().map(|range| range.value.to_string());
        let words: Vec<String> = ranges.chain(self.others.then(|| "*".to_owned())).collect();
        f.write_str(&words.join(" "))
    }
}

/// What stands in the brackets above a variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// `[redis>=7.0 valkey]`
    Products(Products),
    /// `[*]`: what no variant before it admits.
    Else,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Products(products) => write!(f, "[{products}]"),
            Self::Else => f.write_str("[*]"),
        }
    }
}

/// One of several bodies, of which the first that admits the server counts. A product that no
/// condition names may do as any of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant<T> {
    /// Comments above the brackets.
    pub comments: Vec<Comment>,
    /// The brackets.
    pub condition: Spanned<Condition>,
    /// What is for these servers.
    pub body: T,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::span::Span;

    #[test]
    fn a_version_is_its_leading_numbers() {
        assert_eq!(Version::parse("9.0.0-rc1").unwrap().numbers, [9, 0, 0]);
        assert_eq!(Version::parse("255.255.255").unwrap().numbers, [255; 3]);
        assert_eq!(Version::parse("7").unwrap().to_string(), "7.0");
        assert_eq!(Version::parse("v7"), None);
        assert_eq!(Version::parse("7..1"), None);
    }

    #[test]
    fn the_star_means_the_products_that_are_not_named() {
        let products = Products {
            ranges: vec![Spanned::new(
                ProductRange {
                    product: "redis".into(),
                    from: Version::parse("7.0"),
                    below: None,
                },
                Span::default(),
            )],
            others: true,
        };
        let version = |text| Version::parse(text).unwrap();
        assert!(products.admit("redis", version("7.0.15")));
        assert!(!products.admit("redis", version("6.2.14")));
        assert!(products.admit("kvrocks", version("2.10")));
    }
}
