//! `[redis>=7.0 valkey]`, `[*]`, and the same without brackets after `since:`.

use crate::transcript::ast::{Condition, ProductRange, Products, Version};
use crate::transcript::coverage::Coverage;
use crate::transcript::error::ErrorKind;
use crate::transcript::span::Spanned;

use super::lines::Cursor;
use super::parser::Parser;

/// `content` itself, if it is something in brackets.
pub(super) fn brackets(content: Cursor<'_>) -> Option<Cursor<'_>> {
    (content.text.starts_with('[') && content.text.ends_with(']')).then_some(content)
}

impl Parser<'_> {
    /// What stands in the brackets.
    pub(super) fn condition(&mut self, brackets: Cursor<'_>) -> Option<Spanned<Condition>> {
        let mut inner = brackets.first(brackets.text.len().saturating_sub(1));
        inner.eat("[");
        let products = self.products(inner)?;
        let condition = match (products.others, products.ranges.is_empty()) {
            (true, true) => Condition::Else,
            (false, false) => Condition::Products(products),
            (false, true) => {
                self.error(ErrorKind::EmptyCondition, brackets.span());
                return None;
            }
            (true, false) => {
                self.error(ErrorKind::StarWithProducts, brackets.span());
                return None;
            }
        };
        Some(Spanned::new(condition, brackets.span()))
    }

    /// Whether what stands in the brackets is for the list that has taken this much. So is what
    /// cannot be read.
    pub(super) fn goes_on(&mut self, brackets: Cursor<'_>, coverage: &Coverage<'_>) -> bool {
        let errors = self.errors.len();
        let condition = self.condition(brackets);
        self.errors.truncate(errors);
        condition.is_none_or(|condition| coverage.goes_on_with(&condition))
    }

    /// Products, separated by blanks.
    pub(super) fn products(&mut self, mut text: Cursor<'_>) -> Option<Products> {
        let mut products = Products {
            ranges: Vec::new(),
            others: false,
        };
        let mut valid = true;
        while let Some(word) = text.word() {
            if word.text == "*" {
                products.others = true;
            } else if let Some(range) = product_range(word.text) {
                products.ranges.push(Spanned::new(range, word.span()));
            } else {
                self.error(ErrorKind::ProductRange(word.text.to_owned()), word.span());
                valid = false;
            }
        }
        valid.then_some(products)
    }
}

/// A product and perhaps versions of it, as in a condition: `redis>=6.2<7.0`; `None` if it is none.
pub fn product_range(word: &str) -> Option<ProductRange> {
    let end = word.find(['<', '>']).unwrap_or(word.len());
    let (product, mut bounds) = word.split_at_checked(end)?;
    let named = product.starts_with(|c: char| c.is_ascii_lowercase())
        && product
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !named {
        return None;
    }
    let mut range = ProductRange {
        product: product.to_owned(),
        from: None,
        below: None,
    };
    while !bounds.is_empty() {
        let end = bounds
            .find(|c: char| !matches!(c, '<' | '>' | '='))
            .unwrap_or(bounds.len());
        let (sign, rest) = bounds.split_at_checked(end)?;
        let end = rest.find(['<', '>']).unwrap_or(rest.len());
        let (number, rest) = rest.split_at_checked(end)?;
        bounds = rest;
        let version = plain_version(number)?;
        let (bound, value) = match sign {
            ">=" => (&mut range.from, version),
            ">" => (&mut range.from, after(number, version)?),
            "<" => (&mut range.below, version),
            "<=" => (&mut range.below, after(number, version)?),
            _ => return None,
        };
        if bound.replace(value).is_some() {
            return None;
        }
    }
    Some(range)
}

/// A version of digits and points only.
fn plain_version(text: &str) -> Option<Version> {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
        && !text.ends_with('.')
        && text.split('.').count() <= 3;
    Version::parse(text).filter(|_| plain)
}

/// The first version after all that begin with the numbers written in `text`: 7.3 after 7.2.
fn after(text: &str, version: Version) -> Option<Version> {
    let written = text.split('.').count();
    let mut numbers = version.numbers;
    let last = numbers.get_mut(written.checked_sub(1)?)?;
    *last = last.checked_add(1)?;
    Some(Version { numbers })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_half_open_and_look_at_the_written_numbers() {
        let range = product_range("redis>6.2<=7.2").unwrap();
        assert_eq!(range.from, Version::parse("6.3"));
        assert_eq!(range.below, Version::parse("7.3"));
        assert_eq!(
            product_range("keydb<=6.3.4").unwrap().below,
            Version::parse("6.3.5")
        );
        assert_eq!(product_range("valkey").unwrap().from, None);
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for word in [
            "",
            "Redis",
            "7.0",
            "redis=7.0",
            "redis>=",
            "redis>=x",
            "redis>=7.",
            "redis>=1>=2",
            "redis>=1.2.3.4",
            "redis<4294967295.4294967296",
            "redis<=4294967295",
        ] {
            assert_eq!(product_range(word), None, "{word}");
        }
    }
}
