//! Which servers a list of conditions has taken: where the list ends, and who never gets to a
//! condition of it.

use std::collections::BTreeMap;

use super::ast::{Condition, ProductRange, Products, Version};

/// The products whose versions a list of conditions must all take.
const KNOWN: [&str; 4] = ["redis", "valkey", "redict", "keydb"];

const LOWEST: Version = Version { numbers: [0; 3] };

/// Versions from the first up to and without the second; none is no bound.
type Versions = (Version, Option<Version>);

/// What the conditions so far have taken.
#[derive(Debug, Clone)]
pub(super) struct Coverage<'a> {
    /// Which servers run the case at all.
    since: Option<&'a Products>,
    /// By product, in the order of beginnings.
    taken: BTreeMap<String, Vec<Versions>>,
    /// Whether `[*]` has taken the rest.
    all: bool,
}

impl<'a> Coverage<'a> {
    /// Nothing so far, in a case with this `since`.
    pub(super) const fn new(since: Option<&'a Products>) -> Self {
        Self {
            since,
            taken: BTreeMap::new(),
            all: false,
        }
    }

    /// Takes what a condition admits.
    pub(super) fn add(&mut self, condition: &Condition) {
        let Condition::Products(products) = condition else {
            self.all = true;
            return;
        };
        for range in &products.ranges {
            let taken = self.taken.entry(range.product.clone()).or_default();
            let versions = versions(range);
            let place = taken.partition_point(|(from, _)| *from <= versions.0);
            taken.insert(place, versions);
        }
    }

    /// The first versions of each known product that nothing has taken.
    pub(super) fn holes(&self) -> Vec<ProductRange> {
        if self.all {
            return Vec::new();
        }
        KNOWN
            .into_iter()
            .filter_map(|product| self.hole(product, (LOWEST, None)))
            .collect()
    }

    /// Whether a condition that comes next is for the same list: it is not whole yet, or some
    /// server would still get to that condition.
    pub(super) fn goes_on_with(&self, next: &Condition) -> bool {
        match next {
            Condition::Else => !self.all,
            Condition::Products(products) => {
                !self.holes().is_empty() || products.ranges.iter().any(|range| self.leaves(range))
            }
        }
    }

    /// Whether some server of this range runs the case and has not been taken.
    pub(super) fn leaves(&self, range: &ProductRange) -> bool {
        !self.all && self.hole(&range.product, versions(range)).is_some()
    }

    /// Whether there is a server for `[*]`.
    pub(super) fn leaves_any(&self) -> bool {
        let others = match self.since {
            None => true,
            Some(since) => since.others || since.ranges.iter().any(|range| self.leaves(range)),
        };
        !self.all && (others || !self.holes().is_empty())
    }

    /// The first versions of a product, among these, that run the case and are not taken.
    fn hole(&self, product: &str, within: Versions) -> Option<ProductRange> {
        let taken = self.taken.get(product).map_or(&[][..], Vec::as_slice);
        let (from, below) = runs(product, self.since)
            .into_iter()
            .find_map(|versions| hole(common(versions, within), taken))?;
        Some(ProductRange {
            product: product.to_owned(),
            from: (from > LOWEST).then_some(from),
            below,
        })
    }
}

/// Whether some version of a product is in both ranges.
pub(super) fn overlap(one: &ProductRange, other: &ProductRange) -> bool {
    one.product == other.product && !is_empty(common(versions(one), versions(other)))
}

/// Whether some server that runs the case is in the range.
pub(super) fn runs_case(range: &ProductRange, since: Option<&Products>) -> bool {
    Coverage::new(since).leaves(range)
}

fn versions(range: &ProductRange) -> Versions {
    (range.from.unwrap_or(LOWEST), range.below)
}

fn common(one: Versions, other: Versions) -> Versions {
    let below = match (one.1, other.1) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    (one.0.max(other.0), below)
}

fn is_empty((from, below): Versions) -> bool {
    below.is_some_and(|below| below <= from)
}

/// The versions of a product that run a case with this `since`.
fn runs(product: &str, since: Option<&Products>) -> Vec<Versions> {
    match since {
        Some(since) if since.name(product) => {
            let ranges = since.ranges.iter();
            let mut spans: Vec<Versions> = ranges
                .filter(|range| range.product == product)
                .map(|range| versions(range))
                .collect();
            spans.sort_by_key(|(from, _)| *from);
            spans
        }
        Some(since) if !since.others => Vec::new(),
        _ => vec![(LOWEST, None)],
    }
}

/// The first of these versions that are in no span. `taken` is in the order of beginnings.
fn hole(within: Versions, taken: &[Versions]) -> Option<Versions> {
    let (mut reached, below) = within;
    for (start, end) in taken {
        if *start > reached {
            let gap = common((reached, Some(*start)), within);
            return (!is_empty(gap)).then_some(gap);
        }
        reached = reached.max((*end)?);
    }
    (!is_empty((reached, below))).then_some((reached, below))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::parse::product_range;
    use crate::transcript::{Span, Spanned};

    fn products(text: &str) -> Products {
        let words = || text.split(' ');
        let range = |word| Spanned::new(product_range(word).unwrap(), Span::default());
        Products {
            ranges: words().filter(|word| *word != "*").map(range).collect(),
            others: words().any(|word| word == "*"),
        }
    }

    fn condition(text: &str) -> Condition {
        match text {
            "*" => Condition::Else,
            text => Condition::Products(products(text)),
        }
    }

    fn goes_on(since: &str, so_far: &[&str], next: &str) -> bool {
        let since = (!since.is_empty()).then(|| products(since));
        let mut coverage = Coverage::new(since.as_ref());
        for text in so_far {
            coverage.add(&condition(text));
        }
        coverage.goes_on_with(&condition(next))
    }

    #[test]
    fn a_list_goes_on_until_every_known_server_is_taken() {
        let whole = ["redis>=7.0 valkey redict", "redis<7.0 keydb"];
        assert!(goes_on("", &whole[..1], "redis>=7.0"));
        assert!(!goes_on("", &whole, "redis>=7.0"));
        assert!(!goes_on("", &["redis", "*"], "valkey"));
        assert!(!goes_on("", &["redis", "*"], "*"));
    }

    #[test]
    fn a_whole_list_goes_on_for_servers_that_it_has_not_named() {
        let whole = ["redis valkey redict keydb"];
        assert!(goes_on("", &whole, "kvrocks"));
        assert!(goes_on("", &whole, "*"));
        assert!(!goes_on("", &[whole[0], "kvrocks"], "kvrocks>=2.0"));
    }

    #[test]
    fn servers_that_skip_the_case_need_not_be_taken() {
        assert!(goes_on("redis>=7.0 *", &["redis>=7.2"], "redis<7.2"));
        assert!(!goes_on(
            "redis>=7.0",
            &["redis>=7.2", "redis<7.2"],
            "redis"
        ));
        assert!(!goes_on("redis>=7.0", &["redis"], "valkey"));
    }

    #[test]
    fn the_first_hole_is_found() {
        let mut coverage = Coverage::new(None);
        coverage.add(&condition("redis>=8.0 redis>=6.2<7.0 valkey redict keydb"));
        coverage.add(&condition("redis<6.2"));
        assert_eq!(coverage.holes(), [product_range("redis>=7.0<8.0").unwrap()]);
        assert!(coverage.leaves(&product_range("redis>=7.4").unwrap()));
        assert!(!coverage.leaves(&product_range("redis>=8.0").unwrap()));
        assert!(!coverage.leaves(&product_range("redis>=7.5<7.2").unwrap()));
    }
}
